"""The configuration: what is accepted, and how each mistake is told."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from monitord.errors import ConfigError
from service.capture.spec import FileSpec, MicrophoneSpec, StreamSpec
from service.config import Config, load_config
from service.mqtt.settings import MqttSettings, TlsSettings
from tests.support.configuration import refusal as _refusal
from tests.support.configuration import write as _write
from tests.support.paths import ROOT

EXAMPLE = ROOT / "deploy" / "monitord.example.yaml"
CONTRACT = """\
node: home
sources:
  nursery: {microphone: default}
  bedroom: {stream: "rtsp://camera.local/audio", name: Bedroom}
  rehearsal: {file: cries.wav, loop: true}
mqtt: {host: localhost, port: 1883, username: monitord, password_file: password, tls: {ca_file: ca.crt}}
bundle: /var/lib/monitord/bundle
state_dir: /var/lib/monitord
"""


def test_the_documented_configuration_is_read(tmp_path: Path) -> None:
    """Every key of the contract arrives in its type, relative paths seen from the file."""
    for name in ("cries.wav", "password", "ca.crt"):
        (tmp_path / name).touch()
    config = load_config(_write(tmp_path, CONTRACT))
    assert config.node == "home"
    assert [source.spec for source in config.sources.values()] == [
        MicrophoneSpec("default"),
        StreamSpec("rtsp://camera.local/audio"),
        FileSpec(tmp_path / "cries.wav", loop=True),
    ]
    assert config.mqtt == MqttSettings(
        host="localhost",
        port=1883,
        username="monitord",
        password_file=tmp_path / "password",
        tls=TlsSettings(ca_file=tmp_path / "ca.crt"),
    )
    assert (config.bundle, config.state_dir) == (Path("/var/lib/monitord/bundle"), Path("/var/lib/monitord"))
    assert config.runtime == "auto"


def test_the_example_is_valid() -> None:
    """The file that people copy has no mistake in it."""
    assert list(load_config(EXAMPLE).sources) == ["nursery"]


def test_an_empty_file_is_all_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said: the default microphone, a private broker, node home, state where XDG says."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config = load_config(_write(tmp_path, ""))
    assert config == Config().listening_to([])
    assert (config.node, list(config.sources), config.mqtt.embedded) == ("home", ["room"], True)
    assert config.mqtt.host == "127.0.0.1"  # nothing to look up
    assert config.state_dir == tmp_path / "monitord"


@pytest.mark.parametrize("given", ["", "relative/path"])
def test_state_falls_back_to_the_home_directory(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No XDG_STATE_HOME, or one that the standard says to ignore."""
    monkeypatch.setenv("XDG_STATE_HOME", given)
    monkeypatch.setenv("HOME", "/home/someone")
    assert Config().listening_to([]).state_dir == Path("/home/someone/.local/state/monitord")


def test_sources_of_the_command_line_are_rooms() -> None:
    """Ids are room, room2, room3 in the order given."""
    specs = [MicrophoneSpec(2), StreamSpec("rtmp://0.0.0.0:1935/live", listen=True), FileSpec(Path("a.wav"))]
    config = Config().listening_to(specs)
    assert [room.id for room in config.rooms] == ["room", "room2", "room3"]
    assert [room.spec for room in config.rooms] == specs


def test_sources_of_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    """The rest of the file still counts."""
    path = _write(tmp_path, "node: attic\nsources: {nursery: {microphone: default}}")
    config = load_config(path, [MicrophoneSpec("Yeti")])
    assert config.node == "attic"
    assert [(room.id, room.spec) for room in config.rooms] == [("room", MicrophoneSpec("Yeti"))]


def test_names_are_made_from_ids(tmp_path: Path) -> None:
    """A source without a name is called by its id in words."""
    config = load_config(
        _write(tmp_path, "sources: {baby_room: {microphone: default}, b: {microphone: 1, name: Max & Moritz}}")
    )
    assert [room.name for room in config.rooms] == ["Baby room", "Max & Moritz"]


KEYS = ", ".join(sorted(Config.model_fields))
"""As a refusal lists them."""


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """One line for each, with its line in the file, the whole key path, and what is allowed."""
    found = _refusal(
        tmp_path,
        """\
node: My House
sources:
  nursery:
    microfone: default
  Bed Room: {microphone: default}
mqtt:
  port: 99999
runtime: lite
bundel: /x
""",
    )
    assert found == [
        "1: node: 'My House' is no id: use small letters a to z, digits and _ only, such as 'my_house'",
        (
            "4: sources.nursery.microfone: unknown key; did you mean 'microphone'; "
            "allowed are ca_file, file, fingerprint, format, language, listen, loop, microphone, name, page, share, "
            "stream, track, transport, verify"
        ),
        "5: sources.Bed Room: 'Bed Room' is no id: use small letters a to z, digits and _ only, such as 'bed_room'",
        "7: mqtt.port: 99999 is no port; allowed are 1 to 65535",
        "8: runtime: 'lite' is not allowed; did you mean 'litert'; allowed are auto, litert, keras",
        f"9: bundel: unknown key; did you mean 'bundle'; allowed are {KEYS}",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "sources: {a: {page: false}}",
            "sources.a: give exactly one of microphone, stream, file, page: true (found: none)",
        ),
        ("sources: {a: {page: true, track: 2}}", "sources.a: track and language belong to a stream or a file"),
        ("sources: {a: {}}", "sources.a: give exactly one of microphone, stream, file, page: true (found: none)"),
        ("sources: {a: {microphone: 1, stream: 'udp://0.0.0.0:1'}}", "(found: microphone, stream)"),
        ("sources: {a: {microphone: true}}", "sources.a.microphone: must be default"),
        ("sources: {a: {microphone: -1}}", "0 or more"),
        ("sources: {a: {microphone: 1, loop: true}}", "sources.a: loop belongs to a file"),
        ("sources: {a: {microphone: 1, listen: true}}", "sources.a: listen belongs to a stream"),
        ("sources: {a: {stream: 'gopher://x/y'}}", "sources.a.stream: cannot read gopher://"),
        ("sources: {a: {listen: true, stream: 'udp://x:1/y'}}", "sources.a.stream: cannot listen for udp://"),
        ("sources: {a: {file: missing.wav}}", "sources.a.file: there is no file"),
        ("sources: {a: }", "sources.a: is empty; give it a value or remove the key"),
        ("sources: {}", "sources: must hold at least one entry"),
        ("sources: [a]", "sources: must hold keys of its own"),
        ("sources: {1: {microphone: x}}", "sources.1: must be a text; put it in quotes"),
        ("node: 5", "node: must be a text; put it in quotes"),
        ("mqtt: yes", "mqtt: must hold keys of its own"),
        ("mqtt: {port: '1883'}", "mqtt.port: must be a whole number"),
        ("mqtt: {embedded: true, host: x}", "mqtt: embedded stands alone: remove it, or remove host"),
        ("mqtt: {embedded: 1}", "mqtt.embedded: must be true or false"),
        ("mqtt: {password_file: /dev/null/x}", "mqtt.password_file: there is no file"),
        ("mqtt: {username: x, password: secret}", "mqtt.password: unknown key; did you mean 'password_file'"),
        ("mqtt: {tls: {verify: no}}", "mqtt.tls.verify: unknown key; allowed are ca_file, cert_file, key_file"),
        ("state_dir: 5", "state_dir: must be a path"),
        ("state_dir: ~nobody_at_all/x", "there is no home directory for ~"),
        ("- a", "must hold keys of its own"),
    ],
)
def test_each_mistake_says_where_and_what(tmp_path: Path, text: str, words: str) -> None:
    """The refusal names the key path and what is allowed."""
    assert words in "\n".join(_refusal(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [\n", "2:1: is no valid YAML"),
        ("sources:\n\tnursery: 1\n", "2:1: is no valid YAML"),
        (b"\xff\xfe\xfa", "is no YAML text"),
        ("node: a\x00b", "is no YAML text"),
        ("a: &a [*a]\n? [b]\n: c", "is no valid YAML"),
    ],
)
def test_text_that_is_no_yaml_is_told_with_its_place(tmp_path: Path, text: str | bytes, words: str) -> None:
    """A syntax error is a ConfigError with line and column where there are any."""
    assert words in "\n".join(_refusal(tmp_path, text))


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """YAML would silently keep the last one, and a room would be gone."""
    found = _refusal(tmp_path, "sources:\n  a: {microphone: 1}\n  b: {microphone: 2}\n  a: {microphone: 3}\n")
    assert found == ["2: sources.a: stands twice, again on line 4; keep one of the two"]


def test_a_missing_file_and_a_directory_are_told(tmp_path: Path) -> None:
    """The path and the reason, no traceback."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot read the configuration: No such file"):
        load_config(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path)


@pytest.mark.parametrize(("tls", "port"), [("", 1883), (", tls: {}", 8883), (", tls: {}, port: 1", 1)])
def test_the_port_follows_tls(tmp_path: Path, tls: str, port: int) -> None:
    """The registered port of MQTT with and without TLS, unless one is given."""
    assert load_config(_write(tmp_path, f"mqtt: {{host: broker{tls}}}")).mqtt.port == port


def test_no_password_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the configuration as text nor a refusal repeats the password of a camera."""
    path = _write(tmp_path, "sources: {a: {stream: 'rtsp://me:hunter2@camera/1'}}")
    assert "hunter2" not in repr(load_config(path))
    assert not caplog.records
    assert "hunter2" not in "\n".join(_refusal(tmp_path, "sources: {a: {stream: 'xtsp://me:hunter2@camera/1'}}"))


def test_a_readable_file_with_a_password_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The operator is told how to close it."""
    path = _write(tmp_path, "sources: {a: {stream: 'rtsp://me:hunter2@camera/1'}}")
    path.chmod(0o644)
    load_config(path)
    assert f"chmod 600 {path}" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_configuration_does_not_change() -> None:
    """It is frozen: what was checked stays true."""
    config = Config().listening_to([])
    with pytest.raises(ValueError, match="frozen"):
        config.node = "other"


def _keys(model: type[BaseModel]) -> set[str]:
    """All keys of a part of the configuration and of the parts in it."""
    keys = set(model.model_fields)
    for one in model.model_fields.values():
        for part in (one.annotation, *get_args(one.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                keys |= _keys(part)
    return keys


def test_every_key_is_in_the_example() -> None:
    """A key that is added must be shown to people."""
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = _keys(Config) - {"embedded"}
    assert len(keys) > 8  # the reflection found the keys of Config and of mqtt
    assert [key for key in sorted(keys) if f"{key}:" not in text] == []
