"""The `web` part of the configuration, and a house whose rooms come from the page: what is right and what is not."""

import re
from pathlib import Path

import pytest

from service.cli import main
from service.config import load_config
from service.web.address.addresses import Addresses
from service.web.settings import WebSettings
from tests.support.configuration import refusal, write


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ("{names: [monitor.example.org]}", "web: names: monitor.example.org is no name or address of a home network"),
        ("{names: [192.0.0.1]}", "web: names: 192.0.0.1 is no name or address of a home network"),
        ("{host: 8.8.8.8}", "web: host: 8.8.8.8 is no name or address of a home network"),
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


def test_a_name_with_letters_of_all_languages_is_what_a_browser_asks_for(tmp_path: Path) -> None:
    """In the certificate and in the Host header it stands as IDNA writes it."""
    config = load_config(write(tmp_path, "web: {names: [Küche.local, nas.lan]}\nsources: {}\n"))
    assert config.web is not None
    assert config.web.names == ("xn--kche-0ra.local", "nas.lan")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses_are_no_address(tmp_path: Path, host: str) -> None:
    """Who writes what other programs take for all of them has them; no certificate and no link could name it."""
    config = load_config(write(tmp_path, f"web: {{host: '{host}'}}\nsources: {{}}\n"))
    assert config.web == WebSettings()


def test_no_room_and_no_page_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing would be heard, and nobody told; with the page the first room comes into being on it."""
    path = write(tmp_path, "web: {}\nsources: {}\n")
    assert main(["run", "--config", str(path), "--no-web"]) == 78
    assert "there are no sources, and with --no-web none come into being" in capsys.readouterr().err
    assert main(["check", "--config", str(path)]) == 0
    assert "sources none yet" in capsys.readouterr().out


def test_a_page_that_the_command_line_asked_for_is_paired_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`monitord run --web` serves it, whatever the file says; where none was ever served, the key is named."""
    path = write(tmp_path, f"state_dir: {tmp_path}/state\nsources: {{nursery: {{page: true}}}}\n")
    assert main(["pair", "--config", str(path)]) == 78
    assert "add `web: {}`" in capsys.readouterr().err
    Addresses(WebSettings(), tmp_path / "state").listens(8450, None)
    assert main(["pair", "--config", str(path), "--role", "microphone", "--room", "nursery"]) == 0
    link = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"https://.+:8450/pair#\S{43}", link)
