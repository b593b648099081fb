"""A server that runs for years: its certificate is renewed under it, and what is broken does not replace what works."""

import shutil
import ssl
from pathlib import Path

import pytest

from service.web import server
from service.web.address import addresses, https_server
from service.web.address.addresses import PORTS, Addresses
from service.web.address.certificate import OwnCertificate
from service.web.address.https_server import ports_to_try
from service.web.settings import WebSettings
from tests.support.servers.mosquitto import until
from tests.support.servers.sockets import free_port
from tests.support.web.served_page import ServedPage


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at its certificate many times a second, not once an hour."""
    monkeypatch.setattr(https_server, "RENEW_S", 0.02)


def test_a_familys_own_certificate_is_read_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Certbot writes another file: new connections have it; half a file is told, and the one in use stays."""
    made = [OwnCertificate(tmp_path / name, name) for name in ("first", "second")]
    for certificate in made:
        certificate.renew(["localhost", "127.0.0.1"])
    first, second = made
    chain, key = (Path(shutil.copy(file, tmp_path)) for file in (first.chain, first.key))
    settings = WebSettings(host="127.0.0.1", port=free_port(), cert_file=chain, key_file=key)
    with ServedPage(tmp_path / "state", settings) as page:
        assert _shown(page) == _leaf(first)
        chain.write_text("-----BEGIN CERTIFICATE-----\n")
        until(lambda: "stays as it is" in caplog.text)
        assert _shown(page) == _leaf(first)
        shutil.copy(second.key, key)
        shutil.copy(second.chain, chain)
        until(lambda: _shown(page) == _leaf(second))


def test_a_disk_that_refuses_a_renewal_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The certificate in use is good for weeks more; whoever reads the log has them to make room."""
    disk, no_disk, file = (tmp_path / name for name in ("disk", "no disk", "file"))
    disk.mkdir()
    file.touch()
    (tmp_path / "web").symlink_to(disk)
    no_disk.symlink_to(file)
    with ServedPage(tmp_path) as page:
        before = _shown(page)
        no_disk.replace(tmp_path / "web")  # at once: it looks many times a second
        until(lambda: "stays as it is" in caplog.text)
        assert _shown(page) == before
        assert page.server.alive


def test_a_disk_that_takes_nothing_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a power cut: with the certificate that is there, though this machine has another address by now."""
    with ServedPage(tmp_path) as page:
        before = _shown(page)
    (tmp_path / "web" / "port").unlink()
    (tmp_path / "web" / "port").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))  # no openssl is found there
    monkeypatch.setattr(addresses, "own_hosts", lambda: ["192.168.1.77", "localhost", "127.0.0.1"])
    with ServedPage(tmp_path) as page:
        assert _shown(page) == before
        assert page.ask("GET", "/").status == 200
        assert "stays as it is" in caplog.text
        assert "may lead to another port" in caplog.text


def test_a_port_that_the_configuration_gives_away_is_not_taken(tmp_path: Path) -> None:
    """Once the page had it; now it is where plain http belongs."""
    http_port = free_port()
    known = Addresses(WebSettings(), tmp_path)
    known.listens(http_port, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "HTTPS_PORT", http_port)
        with ServedPage(tmp_path, WebSettings(host="127.0.0.1", http_port=http_port)) as page:
            assert page.server.addresses.http_port == http_port
            assert http_port < page.server.addresses.port_before < http_port + PORTS


def test_the_port_that_phones_know_comes_first(tmp_path: Path) -> None:
    """Another program had the usual one when they were paired, and does not now."""
    assert ports_to_try(None, 8443)[:2] == [8443, 8444]
    assert ports_to_try(None, 8443, 8450)[:3] == [8450, 8443, 8444]
    assert sorted(ports_to_try(None, 8443, 8450)) == list(range(8443, 8443 + PORTS))
    assert ports_to_try(None, 8443, 9000)[0] == 8443  # of a configuration of yesterday
    assert ports_to_try(9443, 8443, 8450) == [9443]
    known = Addresses(WebSettings(), tmp_path)
    assert known.port_before is None
    known.listens(8450, None)
    assert Addresses(WebSettings(), tmp_path).port_before == 8450
    assert Addresses(WebSettings(port=9443), tmp_path).port_before == 9443


def _leaf(certificate: OwnCertificate) -> str:
    """The first certificate of a chain, in PEM."""
    leaf, end, _ = certificate.chain.read_text().partition("-----END CERTIFICATE-----\n")
    return leaf + end


def _shown(page: ServedPage) -> str:
    """The certificate that a new connection gets, in PEM."""
    port = page.settings.port
    assert port is not None
    return ssl.get_server_certificate(("127.0.0.1", port))
