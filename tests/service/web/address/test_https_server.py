"""A server that runs for years: its certificate is renewed under it, and what is broken does not replace what works."""

import shutil
import ssl
from pathlib import Path

import pytest

from service.web.address import https_server
from service.web.address.certificate import OwnCertificate
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
    with ServedPage(tmp_path) as page:
        before = _shown(page)
        shutil.rmtree(tmp_path / "web")
        (tmp_path / "web").touch()
        until(lambda: "stays as it is" in caplog.text)
        assert _shown(page) == before
        assert page.server.alive


def _leaf(certificate: OwnCertificate) -> str:
    """The first certificate of a chain, in PEM."""
    leaf, end, _ = certificate.chain.read_text().partition("-----END CERTIFICATE-----\n")
    return leaf + end


def _shown(page: ServedPage) -> str:
    """The certificate that a new connection gets, in PEM."""
    port = page.settings.port
    assert port is not None
    return ssl.get_server_certificate(("127.0.0.1", port))
