"""The section `notify`: what an operator may write, and how mistakes are answered."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.notify.notice import Severity
from service.notify.settings import ChannelConfig, NotifyConfig
from service.settings.base import Part
from service.settings.errors import refusals
from service.settings.yaml_lines import read_yaml
from tests.support.servers.mosquitto import authority


class House(Part):
    """A configuration with nothing but this section."""

    notify: NotifyConfig = NotifyConfig()


def _read(path: Path, text: str) -> NotifyConfig | str:
    """Returns the section, or the refusals as an operator reads them."""
    path.write_text(text, encoding="utf-8")
    file = read_yaml(path)
    try:
        return House.model_validate(file.data, context={"folder": path.parent}).notify
    except ValidationError as error:
        return "\n".join(refusals(file, error, House))


def test_the_whole_section(tmp_path: Path) -> None:
    """Every key, as the example has it; a file with a secret is seen from the configuration's directory."""
    secret = tmp_path / "mother-url"
    secret.write_text("ntfy://someone:password@alarms.example/family\n", encoding="utf-8")
    secret.chmod(0o600)
    section = _read(
        tmp_path / "c.yaml",
        """
notify:
  language: de
  channels:
    mother: {url_file: mother-url}
    father: {url: "ntfy://alarms.example/father", severity: critical}
    house: {webhook: "http://server.local/cry", severity: info, rooms: [nursery]}
""",
    )
    assert isinstance(section, NotifyConfig)
    assert section.language == "de"
    audiences = [channel.audience(name) for name, channel in section.channels.items()]
    assert [(it.name, it.severity, it.rooms) for it in audiences] == [
        ("mother", Severity.WARNING, None),
        ("father", Severity.CRITICAL, None),
        ("house", Severity.INFO, frozenset({"nursery"})),
    ]
    assert [type(channel.sender()).__name__ for channel in section.channels.values()] == ["Push", "Push", "Webhook"]


def test_left_out_it_tells_nobody() -> None:
    """No channel, and the language of the environment."""
    assert NotifyConfig().channels == {}
    assert NotifyConfig().language is None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("language: xx", "2: notify.language: there is no language 'xx'; allowed are de, en"),
        (
            "channels: {mother: {}}",
            "2: notify.channels.mother: give exactly one of url, url_file, webhook (found: none)",
        ),
        (
            "channels: {mother: {url: 'ntfy://h/t', webhook: 'http://h'}}",
            "2: notify.channels.mother: give exactly one of url, url_file, webhook (found: url, webhook)",
        ),
        (
            "channels: {mother: {url: 'ntfy://h/t', severity: warn}}",
            "2: notify.channels.mother.severity: 'warn' is not allowed; did you mean 'warning'; allowed are info, ",
        ),
        (
            "channels: {mother: {url: 'ntfy://h/t', room: [nursery]}}",
            "2: notify.channels.mother.room: unknown key; did you mean 'rooms'; allowed are ca_file, ",
        ),
        (
            "channels: {mother: {webhook: 'ftp://u:secret@h/'}}",
            "2: notify.channels.mother.webhook: is no web address; allowed are http://HOST/PATH and https://HOST/PATH",
        ),
        ("channels: {mother: {webhook: 'http://h:port/'}}", "2: notify.channels.mother.webhook: is no web address"),
        ("channels: {mother: {webhook: 'http:///secret'}}", "2: notify.channels.mother.webhook: is no web address"),
        ("channels: {mother: {url: 'nfty://u:secret@h/t'}}", "2: notify.channels.mother.url: is no address that"),
        ("channels: {Mother: {url: 'ntfy://h/t'}}", "2: notify.channels.Mother: 'Mother' is no id"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, refusal: str) -> None:
    """Line, key path, mistake, what is allowed; never a secret."""
    answer = _read(tmp_path / "c.yaml", f"notify:\n  {text}\n")
    assert isinstance(answer, str)
    assert answer.startswith(f"{tmp_path / 'c.yaml'}:{refusal}")
    assert "secret" not in answer


SECURE = [
    {"webhook": "https://h/"},
    {"url": "ntfys://h/t"},
    {"url": "mailtos://u:w@h.test?to=m@h.test"},
    {"url": f"pover://{'u' * 30}@{'t' * 30}"},
]


@pytest.mark.parametrize("way", SECURE)
def test_a_certificate_of_the_familys_own(tmp_path: Path, way: dict[str, str]) -> None:
    """By its authority or its own fingerprint, for all that speaks TLS; the file is seen from the configuration's."""
    authority(tmp_path)
    by_file, by_print = {**way, "ca_file": "ca.crt"}, {**way, "fingerprint": "AB:" * 31 + "AB"}
    section = _read(tmp_path / "c.yaml", f"notify: {json.dumps({'channels': {'a': by_file, 'b': by_print}})}\n")
    assert isinstance(section, NotifyConfig)
    assert section.channels["a"].ca_file == tmp_path / "ca.crt"
    assert section.channels["b"].fingerprint == "ab" * 32
    for channel in section.channels.values():
        channel.sender()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ca_file": "gone.crt"}, "ca_file: there is no file"),
        ({"ca_file": "c.yaml"}, "ca_file: cannot use"),
        ({"fingerprint": "AB:CD"}, "fingerprint: is no SHA-256 fingerprint: write its 64 hexadecimal digits"),
        ({"fingerprint": "a" * 64, "ca_file": "ca.crt"}, "give ca_file or fingerprint, not both"),
        ({"fingerprint": "a" * 64, "webhook": "http://h/"}, "http:// is not encrypted"),
        ({"fingerprint": "a" * 64, "url": "ntfy://h/secret"}, "ntfy:// is not encrypted"),
        ({"fingerprint": "a" * 64, "url": "gotify://h/secrettoken1234"}, "; write gotifys://"),
        ({"fingerprint": "a" * 64, "url": "mqtts://h/secret"}, "mqtts:// takes no ca_file and no fingerprint"),
        ({"ca_file": "ca.crt", "url": "mailto://u:secret@h.test?to=m@h.test&mode=insecure"}, "is not encrypted"),
    ],
)
def test_certificates_that_help_nobody(tmp_path: Path, more: dict[str, str], words: str) -> None:
    """What cannot be used, or has nothing to be used for, is refused at the door, without a secret."""
    authority(tmp_path)
    channel = more if {"url", "webhook"} & set(more) else {"webhook": "https://h/", **more}
    answer = _read(tmp_path / "c.yaml", f"notify: {json.dumps({'channels': {'a': channel}})}\n")
    assert isinstance(answer, str)
    assert words in answer
    assert "secret" not in answer


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read the password file: No such file or directory"),
        (b"", "is empty"),
        (b"nfty://secret@h/t", "is no address that Apprise knows; did you mean ntfy://"),
        (b"ntfy://h/secret\nntfy://h/other\n", "has 2 lines"),
    ],
)
def test_a_file_with_an_url_is_read_at_the_door(tmp_path: Path, content: bytes | None, words: str) -> None:
    """What stands in it is checked as if it stood in the configuration, and not repeated."""
    if content is not None:
        (tmp_path / "url").write_bytes(content)
        (tmp_path / "url").chmod(0o600)
    answer = _read(tmp_path / "c.yaml", "notify:\n  channels: {mother: {url_file: url}}\n")
    assert isinstance(answer, str)
    assert "notify.channels.mother.url_file: " in answer
    assert words in answer
    assert "secret" not in answer


@pytest.mark.parametrize("values", [{"url": "ntfy://u:secret@h/t"}, {"webhook": "http://u:secret@h/"}])
def test_addresses_are_not_shown(values: dict[str, Any]) -> None:
    """Whoever logs the configuration logs no password."""
    assert "secret" not in repr(ChannelConfig.model_validate(values))


def test_a_room_that_is_none_is_named() -> None:
    """A channel for a room that nobody hears would stay silent for ever."""
    section = NotifyConfig.model_validate({"channels": {"house": {"webhook": "http://h/", "rooms": ["nursey"]}}})
    assert section.strange_rooms({"nursey"}) == ""
    assert section.strange_rooms({"nursery", "bedroom"}) == (
        "notify.channels.house.rooms: no source 'nursey'; allowed are bedroom, nursery"
    )


def test_receivers_are_named_without_their_address() -> None:
    """What the first screen shows: the name, and what it gets where that is not all."""
    channels = {
        "mother": {"webhook": "http://hunter2/x"},
        "father": {"webhook": "http://hunter2/x", "severity": "critical", "rooms": ["nursery", "attic"]},
    }
    config = NotifyConfig.model_validate({"channels": channels})
    assert config.receivers() == ["mother", "father (from critical on, only nursery and attic)"]
