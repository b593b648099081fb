"""Whom a stream over TLS is from: certificates are verified where the family asks for it.

FFmpeg verifies against a file of certificates; it has no fingerprints. So the one certificate of a fingerprint is
fetched, compared, and handed to FFmpeg as all that it trusts: who answers FFmpeg without its key is refused.
"""

import hashlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service.capture.captured_source import AttemptError
from service.capture.child.web import believing_all
from service.capture.redact import redact
from service.capture.source import SourceState
from service.capture.spec import StreamSpec, host_and_port
from service.capture.streams.how import readable
from service.capture.streams.protocols import PORTS
from service.settings.hosts import unknown_name

CONNECT_S: Final = 8.0
"""Longest wait for the certificate (seconds): under the ten after which a source counts as dead."""

_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where systems keep whom they trust, Debian first. FFmpeg comes with its own TLS, which does not know."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What FFmpeg is told."""

    options: dict[str, str] = field(default_factory=dict)
    files: tuple[int, ...] = ()
    """Descriptors that its process may read."""


@contextmanager
def trust(spec: StreamSpec) -> Iterator[Trust]:
    """Gives what FFmpeg is to trust, for as long as the block lasts.

    Raises:
        AttemptError: The certificate is another one, or there is none.
    """
    if not spec.how.verify:
        yield Trust()
        return
    if spec.how.fingerprint is None:
        yield Trust({"tls_verify": "1", "ca_file": _authorities(spec)})
        return
    certificate, name = _pinned(spec, spec.how.fingerprint)
    file = os.memfd_create("certificate", os.MFD_CLOEXEC)  # no disk is needed, and nobody else sees it
    try:
        os.write(file, certificate.encode())
        path = f"/proc/self/fd/{file}"
        yield Trust({"tls_verify": "1", "ca_file": path, "verifyhost": name}, (file,))
    finally:
        os.close(file)


def _authorities(spec: StreamSpec) -> str:
    named = (os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *_BUNDLES)
    given = [spec.how.ca_file] if spec.how.ca_file else [Path(path) for path in named if path]
    for path in given:
        if path.is_file():
            return str(path)
    what = f"{spec.how.ca_file} is gone" if spec.how.ca_file else "this machine trusts no authority (ca-certificates)"
    raise AttemptError(SourceState.RECONNECTING, f"{redact(spec.url)}: {what}; give its certificate as ca_file")


def _pinned(spec: StreamSpec, fingerprint: str) -> tuple[str, str]:
    """Returns the certificate (PEM) and a name that is in it."""
    where = redact(spec.url)
    try:
        with _connected(spec, None) as any_one:
            found = any_one.getpeercert(binary_form=True) or b""
        seen = hashlib.sha256(found).hexdigest()
        if seen != fingerprint:
            raise AttemptError(
                SourceState.RECONNECTING,
                f"{where}: its certificate is not the one of `fingerprint`; it has {readable(seen)}: "
                "a new certificate of the camera, or somebody else",
            )
        certificate = ssl.DER_cert_to_PEM_cert(found)
        with _connected(spec, certificate) as this_one:
            return certificate, _name(this_one.getpeercert() or {}, where)
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate has the right fingerprint and does not hold ({error.verify_message})"
    except ssl.SSLError as error:
        why = f"no TLS there ({error.reason}); check the port and the protocol"
    except socket.gaierror:
        why = unknown_name(host_and_port(spec.url)[0])
    except ConnectionRefusedError:
        why = "nobody answers at this port: is the app or camera on?"
    except OSError as error:
        why = f"no certificate comes ({error.strerror or error}): is it on, and in this network?"
    raise AttemptError(SourceState.RECONNECTING, f"{where}: {why}")


@contextmanager
def _connected(spec: StreamSpec, certificate: str | None) -> Iterator[ssl.SSLSocket]:
    """Connects to who has this certificate (PEM); None: to anybody."""
    if certificate is None:
        context = believing_all()
    else:
        context = ssl.create_default_context(cadata=certificate)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    host, port = host_and_port(spec.url)
    address = host, port or PORTS[spec.url.partition("://")[0]]
    with (
        socket.create_connection(address, CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as safe,
    ):
        yield safe


def _name(certificate: Mapping[str, Any], where: str) -> str:
    """Returns a name of those that a certificate is for: FFmpeg compares one in any case."""
    others = [str(value) for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    subject = [str(value) for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    names = [name for name in others or subject if not name.startswith("*")]
    wild = [name.replace("*", "camera", 1) for name in others or subject if name.startswith("*")]
    if not names + wild:
        raise AttemptError(SourceState.RECONNECTING, f"{where}: its certificate names no host, which FFmpeg wants")
    return (names + wild)[0]
