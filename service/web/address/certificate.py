"""The certificate of the family's page: a CA of this machine that can sign home networks alone, and what it signed.

Made by the openssl command. The CA stays, so that a phone has to trust it once; the certificate is made anew when it
runs out, or when this machine has other names or addresses.
"""

import contextlib
import logging
import os
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.settings.addresses import HOUSE_DOMAINS, HOUSE_NETWORKS
from service.settings.hosts import is_address

CA_DAYS: Final = 3_650
"""Days for which the CA holds: a phone that must trust another one is work for a family, and a child is not one for
longer."""
LEAF_DAYS: Final = 397
"""Days for which a certificate holds: the longest that no browser refuses (Apple's and Chrome's limit for public
ones)."""
RENEW_DAYS: Final = 30
"""Days before its end from which it is made anew."""
OPENSSL_S: Final = 30.0
"""Longest that openssl may take (seconds): it takes 0.1 on a slow machine."""
NAME_CHARS: Final = 50
"""Longest part of a host name in the CA's own, which may have 64 (RFC 5280, `ub-common-name`) with the words around."""

_EC_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
"""P-256: what every browser takes, and small machines sign quickly."""

_log = logging.getLogger(__name__)


class OwnCertificate:
    """Lies in a folder: `ca.crt`, `ca.key`, `leaf.crt` (with the CA behind it), `leaf.key`, `hosts`.

    Args:
        folder: It may not exist yet; its files are readable by their owner alone.
        name: Of this machine, for whoever is asked to trust its CA.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name.lower().partition(".")[0][:NAME_CHARS] or "localhost"
        self.ca, self.chain, self.key = folder / "ca.crt", folder / "leaf.crt", folder / "leaf.key"
        self._ca_key, self._hosts = folder / "ca.key", folder / "hosts"

    def renew(self, hosts: Sequence[str]) -> bool:
        """Makes what is missing, runs out, or does not name all these hosts; returns whether it made anything.

        One that names hosts of yesterday besides stays: a phone that clicked through its warning would be asked anew.

        Raises:
            ConfigError: There is no openssl, or it does not end, or the folder cannot be written.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._holds(self.ca, self._ca_key):
                if self._holds(self.chain, self.key) and self._names(hosts) and not self._begins_later():
                    return False
                if self._sign(hosts):
                    return True
                _log.warning("the CA of this machine may not sign its names of today, so there is a new one to trust")
            elif self.ca.exists():
                _log.warning("the CA of this machine has run out, or its files are spoilt; there is a new one to trust")
            self._make_ca(hosts)
            if not self._sign(hosts):
                raise ConfigError(f"web: openssl does not sign for {', '.join(hosts)}; give web.cert_file")
        except (OSError, subprocess.TimeoutExpired) as error:
            why = (isinstance(error, OSError) and error.strerror) or error
            raise ConfigError(
                f"web: cannot make a certificate in {self._folder}: {why}; install openssl, or give web.cert_file"
            ) from error
        return True

    def _names(self, hosts: Sequence[str]) -> bool:
        return self._hosts.exists() and {*hosts} <= {*self._hosts.read_text(errors="replace").split("\n")}

    def _holds(self, certificate: Path, key: Path) -> bool:
        """Whether it is there, with its key, and does not run out."""
        try:
            server_context(certificate, key)
        except ConfigError:  # a power cut may leave an empty file, or one of the two
            return False
        end = str(RENEW_DAYS * 24 * 3_600)
        return _openssl("x509", "-in", str(certificate), "-noout", "-checkend", end).returncode == 0

    def _begins_later(self) -> bool:
        """Whether it was made by a clock that was ahead. Where the CA was, too, the clock may be behind now."""
        return not self._is_valid(self.chain) and self._is_valid(self.ca)

    def _is_valid(self, certificate: Path, *options: str) -> bool:
        return _openssl("verify", *options, "-CAfile", str(self.ca), str(certificate)).returncode == 0

    def _make_ca(self, hosts: Sequence[str]) -> None:
        words = [host for host in hosts if not {".", ":"} & set(host) and host not in HOUSE_DOMAINS]
        permitted = [
            *(f"permitted;DNS:{name}" for name in (*HOUSE_DOMAINS, *words)),
            *(f"permitted;IP:{network.network_address}/{network.netmask}" for network in HOUSE_NETWORKS),
        ]
        subject = f"/O=monitord/CN=monitord on {self._name}"
        asked = [
            "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign",
            f"nameConstraints=critical,{','.join(permitted)}", "subjectKeyIdentifier=hash",
        ]  # fmt: skip
        with self._beside() as fresh:
            key, certificate = fresh / "key", fresh / "crt"
            command = ["req", "-x509", *_EC_KEY, "-keyout", str(key), "-out", str(certificate), "-days", str(CA_DAYS)]
            _made(_openssl(*command, "-subj", subject, *_extensions(asked)))
            self.ca.unlink(missing_ok=True)  # written last: a power cut in between makes it anew
            key.replace(self._ca_key)
            certificate.replace(self.ca)

    def _sign(self, hosts: Sequence[str]) -> bool:
        """Makes the certificate of these hosts; returns False where the CA may not."""
        asked = [
            "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth",
            f"subjectAltName={','.join(_alternative(host) for host in hosts)}",
        ]  # fmt: skip
        with self._beside() as fresh:
            key, request, certificate, ends = fresh / "key", fresh / "csr", fresh / "crt", fresh / "extensions"
            _made(_openssl("req", "-new", *_EC_KEY, "-keyout", str(key), "-out", str(request), "-subj", "/CN=monitord"))
            ends.write_text("\n".join(asked))
            signed = ["x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", str(self._ca_key)]
            serial = f"0x{os.urandom(16).hex()}"
            more = ["-set_serial", serial, "-days", str(LEAF_DAYS), "-extfile", str(ends), "-out", str(certificate)]
            _made(_openssl(*signed, *more))
            if not self._is_valid(certificate, "-no_check_time"):  # what counts is what it may sign, not the clock
                return False
            certificate.write_text(certificate.read_text() + self.ca.read_text())
            self._hosts.unlink(missing_ok=True)  # written last: a power cut in between makes it anew
            key.replace(self.key)
            certificate.replace(self.chain)
            self._hosts.write_text("\n".join(hosts))
        return True

    @contextlib.contextmanager
    def _beside(self) -> Iterator[Path]:
        """A folder in the folder, for what is not finished; only its owner may look into it."""
        with tempfile.TemporaryDirectory(dir=self._folder) as fresh:
            yield Path(fresh)


def server_context(chain: Path, key: Path | None) -> ssl.SSLContext:
    """Returns what a server speaks TLS with, 1.2 at least.

    Raises:
        ConfigError: The files are no certificate and key that belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    load(context, chain, key)
    return context


def load(context: ssl.SSLContext, chain: Path, key: Path | None) -> None:
    """Lets new connections of a server have this certificate; raises as `server_context`."""
    try:
        context.load_cert_chain(chain, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"web.cert_file, key_file: cannot use {chain}, {key or 'no key_file'} ({error}); they must be PEM, belong"
            " together and need no pass phrase"
        ) from error


def _alternative(host: str) -> str:
    return f"{'IP' if is_address(host) else 'DNS'}:{host}"


def _extensions(asked: Sequence[str]) -> list[str]:
    return [part for one in asked for part in ("-addext", one)]


def _openssl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["openssl", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=OPENSSL_S,
        umask=0o077,
    )


def _made(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode:
        raise ConfigError(f"web: openssl refuses: {done.stderr.strip()[-300:]}; give web.cert_file")
