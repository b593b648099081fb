"""What openssl and Python's own TLS say of the certificate that is made here."""

import ssl
import subprocess
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.web.address import certificate, own_names
from service.web.address.certificate import OwnCertificate
from service.web.address.own_names import host_of, own_hosts

HOSTS = ["server.local", "server", "192.168.1.10", "fd00::10", "localhost", "127.0.0.1"]


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_it_names_every_host_and_holds(tmp_path: Path) -> None:
    """For each name and address the chain verifies against the CA alone."""
    own = OwnCertificate(tmp_path / "web", "server")
    assert own.renew(HOSTS)
    for host in HOSTS:
        option = "-verify_ip" if host[0].isdigit() or ":" in host else "-verify_hostname"
        checked = openssl("verify", "-x509_strict", "-CAfile", own.ca, option, host, own.chain)
        assert checked.returncode == 0, checked.stderr
    assert openssl("verify", "-CAfile", own.ca, "-verify_hostname", "other.local", own.chain).returncode != 0


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Whatever umask the daemon runs with."""
    own = OwnCertificate(tmp_path / "web", "server")
    own.renew(HOSTS)
    for path in [own.key, tmp_path / "web" / "ca.key"]:
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "web").stat().st_mode & 0o777 == 0o700


def test_it_stays_until_names_change_and_the_ca_stays_then_too(tmp_path: Path) -> None:
    """A phone trusts the CA once; a new address needs a new certificate alone, a name of another kind a new CA."""
    own = OwnCertificate(tmp_path / "web", "server")
    own.renew(HOSTS)
    authority, chain = own.ca.read_bytes(), own.chain.read_bytes()
    assert not OwnCertificate(tmp_path / "web", "server").renew(HOSTS)
    assert own.chain.read_bytes() == chain
    assert own.renew([*HOSTS, "192.168.1.11"])
    assert own.ca.read_bytes() == authority
    assert own.chain.read_bytes() != chain
    assert own.renew([*HOSTS, "nas"])
    assert own.ca.read_bytes() != authority


def test_the_ca_cannot_vouch_for_the_world(tmp_path: Path) -> None:
    """What it signs for a public name does not verify, so a stolen key opens no bank."""
    own = OwnCertificate(tmp_path / "web", "server")
    with pytest.raises(ConfigError, match=r"does not sign for bank\.example"):
        own.renew(["bank.example"])
    with pytest.raises(ConfigError, match=r"does not sign for 8\.8\.8\.8"):
        own.renew(["8.8.8.8"])


def test_what_was_spoilt_is_made_anew(tmp_path: Path) -> None:
    """An empty file after a power cut is no reason not to start."""
    own = OwnCertificate(tmp_path / "web", "server")
    own.renew(HOSTS)
    own.chain.write_text("")
    assert own.renew(HOSTS)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(own.chain, own.key)
    own.ca.write_text("")
    assert own.renew(HOSTS)


def test_without_openssl_a_person_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, or which key to give instead."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"install openssl, or give web\.cert_file"):
        OwnCertificate(tmp_path / "web", "server").renew(HOSTS)


def test_an_openssl_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a renewal the page goes on with the certificate that it has: it needs an error that it knows."""
    stuck = tmp_path / "openssl"
    stuck.write_text("#!/bin/sh\nexec sleep 600\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(certificate, "OPENSSL_S", 0.1)
    with pytest.raises(ConfigError, match=r"timed out after 0\.1 seconds"):
        OwnCertificate(tmp_path / "web", "server").renew(HOSTS)


def test_this_machine_knows_its_names() -> None:
    """Loopback always, nothing twice."""
    hosts = own_hosts()
    assert {"localhost", "127.0.0.1", "::1"} <= set(hosts)
    assert len(hosts) == len(set(hosts))


def test_a_sandbox_that_hides_the_interfaces_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is then found by its name, on loopback, and by the addresses of IPv6."""
    monkeypatch.setattr(own_names, "_DEV", tmp_path / "hidden")
    assert {"localhost", "127.0.0.1"} <= set(own_hosts())


@pytest.mark.parametrize(
    ("authority", "host"),
    [("nas.lan:8443", "nas.lan"), ("NAS.lan.", "nas.lan"), ("[fd00::1]:8443", "fd00::1"), ("[", ""), ("a@b", "b")],
)
def test_the_host_of_a_header(authority: str, host: str) -> None:
    """Without port and brackets, in small letters."""
    assert host_of(authority) == host
