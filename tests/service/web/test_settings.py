"""The `web` part of the configuration, and a house whose rooms come from the page: what is right and what is not."""

from pathlib import Path

import pytest

from service.cli import main
from service.config import load_config
from tests.support.configuration import refusal, write


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ("{names: [monitor.example.org]}", "web: names: monitor.example.org is no name or address of a home network"),
        ("{names: ['https://nas.lan']}", "is a host alone"),
        ("{port: 8443, http_port: 8443}", "web: port and http_port are both 8443; give each its own"),
        ("{port: 0}", "web.port: 0 is no port; allowed are 1 to 65535"),
        ("{key_file: /etc/hostname}", "web: key_file needs the cert_file that it belongs to"),
        ("{frame_ancestors: ['*']}", "must be scheme, host and port alone, such as http://homeassistant.local:8123"),
        ("{frame_ancestors: ['http://a; script-src *']}", "must be scheme, host and port alone"),
        ("{metrics_token_file: /none/such}", "web.metrics_token_file: there is no file /none/such"),
        ("{ingress: {supervisor: homeassistant}}", "web.ingress.supervisor: homeassistant is no IP address"),
        ("{port: 8099, ingress: {}}", "web: ingress.port is that of the page, 8099; give each its own"),
        ("{ports: 1}", "web.ports: unknown key; did you mean 'port'"),
    ],
)
def test_mistakes_say_where_and_what(tmp_path: Path, web: str, words: str) -> None:
    """The key, what is wrong, and what is allowed."""
    (said,) = refusal(tmp_path, f"web: {web}\n")
    assert words in said


def test_a_house_whose_rooms_come_from_the_page(tmp_path: Path) -> None:
    """No room is no mistake with a page; those that it made follow the file's, whose own ids win."""
    assert load_config(write(tmp_path, "web: {}\nsources: {}\n")).rooms == []
    config = load_config(write(tmp_path, "web: {}\nsources: {nursery: {page: true, name: Baby}}\n"))
    rooms = config.with_rooms_of_page({"nursery": "Nursery", "kuche": "Küche"}).rooms
    assert [(room.id, room.name) for room in rooms] == [("nursery", "Baby"), ("kuche", "Küche")]
    without = config.model_copy(update={"web": None})
    assert [room.id for room in without.with_rooms_of_page({"kuche": "Küche"}).rooms] == ["nursery"]


def test_check_looks_at_the_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no certificate is refused before the old daemon is stopped for it."""
    (tmp_path / "page.crt").write_text("no certificate")
    path = write(tmp_path, "web: {cert_file: page.crt}\nsources: {}\n")
    assert main(["check", "--config", str(path)]) == 78
    assert "web.cert_file, key_file: cannot use" in capsys.readouterr().err
