"""YAML's surprises, encodings, hosts and devices: read as written, or refused with words."""

from pathlib import Path

import pytest

from service.config import load_config
from tests.support.configuration import refusal as _refusal
from tests.support.configuration import write as _write


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("sources: {no: {microphone: default}}", ["no"]),
        ("sources: {yes: {microphone: default}, on: {microphone: 1}}", ["yes", "on"]),
        ('sources: {"010": {microphone: default}}', ["010"]),
        ("sources:\r\n  a: {microphone: default}\r\n", ["a"]),
        ("sources: {a: &a {microphone: 1, share: true}, b: {<<: *a, name: B}, c: *a}", ["a", "b", "c"]),
        (b"\xef\xbb\xbfsources: {a: {microphone: default}}", ["a"]),
        ("\ufeffsources: {a: {microphone: default, name: Grün}}".encode("utf-16-le"), ["a"]),
        ("\ufeffsources: {a: {microphone: default}}".encode("utf-16-be"), ["a"]),
    ],
)
def test_words_are_read_by_yaml_1_2(tmp_path: Path, text: str | bytes, rooms: list[str]) -> None:
    """`no` is a text and so an id; a mark at the start says the encoding; a merge takes what it names."""
    assert list(load_config(_write(tmp_path, text)).sources) == rooms


@pytest.mark.parametrize(
    ("text", "time"),
    [("19:00", "19:00"), ("'07:30'", "07:30"), ("07:30", "07:30"), ("0:05", "00:05")],
)
def test_a_time_needs_no_quotes(tmp_path: Path, text: str, time: str) -> None:
    """YAML 1.1 would read 19:00 as 1140, to the base of 60."""
    config = load_config(_write(tmp_path, f"test_alarm: {{daily_at: {text}}}"))
    assert config.test_alarm.daily_at is not None
    assert config.test_alarm.daily_at.isoformat("minutes") == time


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mqtt:\n  port: 01663", "2: mqtt.port: 01663 has a zero in front"),
        ("mqtt: {port: -01663}", "write -1663"),
        ("mqtt: {port: 1e3}", "mqtt.port: must be a whole number"),
        ("mqtt: {port: 1_883}", "mqtt.port: must be a whole number"),
        ("mqtt: {port: 0b1}", "mqtt.port: must be a whole number"),
        ("mqtt: {port: 30:00}", "mqtt.port: must be a whole number"),
        ("mqtt: {port: 0o0}", "mqtt.port: 0 is no port"),
        ("mqtt: {embedded: yes}", "mqtt.embedded: must be true or false (yes, no, on and off are texts)"),
        ("sources:\n  a: {microphone: 1}\n  010: {microphone: 2}", "3: sources.010: must be a text; put it in quotes"),
        ("sources: {a: {microphone: 1}, true: {microphone: 2}}", "sources.true: must be a text"),
        ("sources: {0x1F: {microphone: 2}}", "sources.0x1F: must be a text; put it in quotes, '0x1F'"),
        ("sources: {1e3: {microphone: 2}}", "sources.1e3: must be a text; put it in quotes, '1e3'"),
        ("sources: {~: {microphone: 2}}", "sources.~: must be a text"),
        (
            "node: 007",
            "node: 007 has a zero in front, which some programs read to the base of eight; write 7, or '007'",
        ),
        ("notify: {channels: {m: {webhook: http://x/y, rooms: [room, 08]}}}", "notify.channels.m.rooms.1: 08 has"),
        ("profiles: {night: {threshold: 0,6}}", "profiles.night"),
        ("profiles: {night: {threshold: '0,6'}}", "must be a number, with a point"),
        (
            "profiles: {night: {threshold: 1.5}}",
            "profiles.night.threshold: 1.5 is out of bounds: should be less than 1",
        ),
        ("profiles: {night: {remind_after_min: 0}}", "0 is out of bounds: should be greater than or equal to 0.5"),
        ("test_alarm: {daily_at: 1140}", "must be a time in quotes"),
        ("node: “home”", "node: “ is no quote that YAML knows"),
        ("sources:\n  a:\n\u00a0\u00a0\u00a0\u00a0microphone: default\n", "only looks like a blank (U+00A0)"),
        ("node:\u00a0home", "only looks like a blank (U+00A0)"),
        ("a: 1\nnode: {<<: 5}\n", "is no valid YAML"),
    ],
)
def test_what_yaml_would_change_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """What one program reads as this and another as that is never guessed at; the line is that of the words."""
    assert words in "\n".join(_refusal(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "node: home\nsources: {a: {microphone: 1, name: Grün}}".encode("latin-1"),
            "2: is no YAML text: the byte 0xfc",
        ),
        ("node: home".encode("utf-16-le"), "it looks like UTF-16; save it as UTF-8"),
        ("node: home".encode("utf-16-be"), "it looks like UTF-16; save it as UTF-8"),
        ("\ufeffnode: home".encode("utf-16-le")[:-1], "it is no whole UTF-16-LE; save it as UTF-8"),
    ],
)
def test_another_encoding_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    """The line, the byte, and what to do."""
    assert words in "\n".join(_refusal(tmp_path, content))


@pytest.mark.parametrize("host", ["localhost", "homeassistant.local", "192.168.1.20", "::1", "fe80::1%eth0", "grün.de"])
def test_hosts(tmp_path: Path, host: str) -> None:
    """Names in any language, and addresses of both families."""
    assert load_config(_write(tmp_path, f"mqtt: {{host: '{host}'}}")).mqtt.host == host


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("mqtt://homeassistant.local:1883", "write host: homeassistant.local, port: 1883"),
        ("mqtts://me:hunter2@broker", "write host: broker and tls: {}"),
        ("http://homeassistant.local:8123", "write host: homeassistant.local, port: 8123"),
        ("homeassistant.local:1883", "write host: homeassistant.local and port: 1883"),
        ("192.168.1.20:1883", "write host: 192.168.1.20 and port: 1883"),
        ("[::1]", "without brackets: ::1"),
        ("[::1]:1883", "write host: ::1 and port: 1883"),
        ("me:hunter2@broker", "without a user"),
        ("broker/mqtt", "write broker"),
        ("192.168.1.300", "no IPv4 address"),
        ("192.168.1", "no IPv4 address"),
        ("my broker", "no name of a host"),
        ("broker..local", "no name of a host"),
        ("-broker", "no name of a host"),
        ("mqtt://", "without ://"),
    ],
)
def test_what_is_no_host_is_told_with_the_remedy(tmp_path: Path, host: str, words: str) -> None:
    """What to write in its place; a password is not repeated."""
    (line,) = _refusal(tmp_path, f"mqtt: {{host: '{host}'}}")
    assert line.startswith("1: mqtt.host: ")
    assert words in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("stream: 192.168.1.20:8554/live", "a stream is a URL with its protocol"),
        ("stream: 'me:hunter2@camera/live'", "a stream is a URL with its protocol"),
        ("stream: rtsp://192.168.1.300/live", "no IPv4 address"),
        ("stream: rtsp://camera:0/live", "0 is no port"),
        ("stream: rtsp://cam!era/live", "no name of a host"),
        ("file: rtsp://camera/live", "is a URL; write it as stream"),
        ("microphone: rtsp://camera/live", "is a URL; write it as stream"),
    ],
)
def test_what_is_no_source_is_told_with_the_remedy(tmp_path: Path, source: str, words: str) -> None:
    """The key that is meant, or what a stream looks like."""
    (line,) = _refusal(tmp_path, f"sources: {{a: {{{source}}}}}")
    assert words in line
    assert "hunter2" not in line


def test_the_same_device_in_two_rooms_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One of the rooms is heard by nobody; a user or capital letters make no other camera of it."""
    path = _write(
        tmp_path,
        "sources:\n"
        "  a: {microphone: Yeti}\n"
        "  b: {microphone: yeti}\n"
        "  c: {stream: 'rtsp://camera/1'}\n"
        "  d: {stream: 'RTSP://me:hunter2@Camera/1'}\n"
        "  e: {stream: 'rtsp://camera/2'}\n",
    )
    assert len(load_config(path).rooms) == 5
    ends = "so one of the rooms is not heard; where they are meant to share it, add share: true"
    assert [record.message for record in caplog.records] == [
        f"{path}:3: sources.b.microphone: the same microphone as in a (line 2), {ends}",
        f"{path}:5: sources.d.stream: the same stream as in c (line 4), {ends}",
    ]


def test_a_device_may_be_shared_on_purpose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where one of the two says so; a recording is no device."""
    (tmp_path / "cry.wav").touch()
    text = "sources: {a: {microphone: 1}, b: {microphone: 1, share: true}, c: {file: cry.wav}, d: {file: cry.wav}}"
    assert len(load_config(_write(tmp_path, text)).rooms) == 4
    assert caplog.records == []
