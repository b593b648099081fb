"""What openssl and Python's own TLS say of the certificate that is made here."""

import ssl
import subprocess
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.settings.addresses import HOUSE_NETWORKS
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
    chain = own.chain.read_bytes()
    assert not own.renew(HOSTS)  # an address that is gone: who has clicked through its warning is not asked anew
    assert own.chain.read_bytes() == chain
    assert own.renew([*HOSTS, "nas"])
    assert own.ca.read_bytes() != authority


def test_the_ca_cannot_vouch_for_the_world(tmp_path: Path) -> None:
    """What it signs for a public name does not verify, so a stolen key opens no bank."""
    own = OwnCertificate(tmp_path / "web", "server")
    with pytest.raises(ConfigError, match=r"does not sign for bank\.example"):
        own.renew(["bank.example"])
    with pytest.raises(ConfigError, match=r"does not sign for 8\.8\.8\.8"):
        own.renew(["8.8.8.8"])


@pytest.mark.parametrize("file", ["ca.crt", "ca.key", "leaf.crt", "leaf.key", "hosts"])
@pytest.mark.parametrize("content", [b"", b"\0" * 500, b"\xff"])
def test_what_was_spoilt_is_made_anew(tmp_path: Path, file: str, content: bytes) -> None:
    """An empty file after a power cut is no reason not to start, at once or when this machine has another address."""
    own = OwnCertificate(tmp_path / "web", "server")
    own.renew(HOSTS)
    (tmp_path / "web" / file).write_bytes(content)
    assert own.renew([*HOSTS, "192.168.1.11"])
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(own.chain, own.key)
    assert openssl("verify", "-CAfile", own.ca, "-verify_ip", "192.168.1.11", own.chain).returncode == 0
    assert not own.renew(HOSTS)


def test_it_can_vouch_for_each_network_of_a_home(tmp_path: Path) -> None:
    """Whatever address this machine has; a host name may be as long as Linux lets it."""
    own = OwnCertificate(tmp_path / "web", "n" * 63)
    assert own.renew(["n" * 63, *(str(network[0]) for network in HOUSE_NETWORKS)])
    assert openssl("verify", "-x509_strict", "-CAfile", own.ca, own.chain).returncode == 0


def test_addresses_of_tunnels_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are of no home network, and no reason for a server not to start: NAT64, DS-Lite, Teredo, 6to4."""
    tunnels = ["192.0.0.1", "64:ff9b:1::1", "2001::1", "2002::1"]
    monkeypatch.setattr(own_names, "_addresses", lambda: iter([*tunnels, "192.168.1.10"]))
    assert set(own_hosts()) & {*tunnels, "192.168.1.10"} == {"192.168.1.10"}


def test_addresses_that_come_and_go_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No phone knows a network of containers, or tomorrow's address; for each the certificate would be another one."""
    monkeypatch.setattr(own_names, "_DEV", tmp_path / "dev")
    monkeypatch.setattr(own_names, "_IF_INET6", tmp_path / "if_inet6")
    bridges = ["docker0", "br-0123456789ab", "podman1", "cni-podman0", "virbr0"]
    names = ["lo", "eth0", "br0", "br-lan", *bridges]
    (tmp_path / "dev").write_text("Inter-\n face\n" + "".join(f"{name:>9}: 0 0\n" for name in names))
    assert own_names._interfaces() == ["br-lan", "br0", "eth0", "lo"]
    lines = [
        ("fd00::10", 0x80, "eth0"),
        ("fd00::dead", 0x01, "eth0"),
        ("fe80::1", 0x80, "eth0"),
        ("fd01::1", 0x80, bridges[0]),
    ]
    written = [f"{int(IPv6Address(one)):032x} 02 40 00 {flags:02x} {name:>8}\n" for one, flags, name in lines]
    (tmp_path / "if_inet6").write_text("".join(written))
    assert {one for one in own_hosts() if one.startswith("f")} == {"fd00::10"}


def test_one_that_a_clock_ahead_has_made_is_made_anew(tmp_path: Path) -> None:
    """Browsers refuse it for years; the CA stays, also where it may be the clock of today that is wrong."""
    own = OwnCertificate(tmp_path / "web", "server")
    own.renew(HOSTS)
    authority = own.ca.read_bytes()
    _date(tmp_path / "web", "20400101000000Z")
    assert openssl("verify", "-CAfile", own.ca, own.chain).returncode != 0
    assert own.renew(HOSTS)
    assert openssl("verify", "-CAfile", own.ca, own.chain).returncode == 0
    assert own.ca.read_bytes() == authority


def _date(folder: Path, begin: str) -> None:
    """Signs the leaf anew, from another day on (`YYYYMMDDHHMMSSZ`) for a year."""
    (folder / "database").touch()
    configuration = folder / "ca.conf"
    configuration.write_text(
        f"[ca]\ndatabase={folder}/database\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\n"
        "policy=any\ndefault_days=365\n[any]\ncommonName=supplied\n"
    )
    request = folder / "again.csr"
    openssl("req", "-new", "-key", folder / "leaf.key", "-subj", "/CN=monitord", "-out", request)
    made = openssl(
        "ca", "-batch", "-notext", "-name", "ca", "-config", configuration, "-startdate", begin, "-in", request,
        "-enddate", f"2041{begin[4:]}", "-cert", folder / "ca.crt", "-keyfile", folder / "ca.key",
        "-out", folder / "leaf.crt",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


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
