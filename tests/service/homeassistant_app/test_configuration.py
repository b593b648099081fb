"""How options, Supervisor and the family's file become one configuration."""

import os
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.homeassistant_app.configuration import OURS, Folders, configuration, prepare, write
from service.homeassistant_app.options import Options, RoomOption
from service.homeassistant_app.supervisor import Broker
from service.settings.profiles import ProfileConfig
from service.web.settings import IngressSettings
from tests.support.servers.mosquitto import authority

BROKER = Broker(host="core-mosquitto", port=1883, username="addons", password="geheim")
ROOMS = (
    RoomOption(name="Baby room", microphone="default"),
    RoomOption(name="Küche", stream="rtsp://anna:kamerawort@camera.local/live"),
    RoomOption(name="Küche", microphone="USB"),
)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """As in the container; nothing is in them."""
    made = Folders(tmp_path / "data", tmp_path / "config", tmp_path / "run" / "monitord")
    made.data.mkdir()
    made.config.mkdir()
    return made


def house(
    folders: Folders, options: Options, file: str = "", broker: Broker | None = BROKER, port: int | None = 62_001
) -> Config:
    """Puts together, writes, and returns what the daemon reads."""
    if file:
        (folders.config / "monitord.yaml").write_text(file)
    prepare(broker, folders, os.geteuid())
    made = configuration(options, broker, port, folders)
    write(made, folders, os.geteuid())
    assert load_config(folders.configuration) == made
    return made


def test_of_options_alone(folders: Folders) -> None:
    """Rooms with ids of their names, the broker with its password in a file, the page in the side bar."""
    made = house(folders, Options(rooms=ROOMS, language="de", owners=("Anna",)))
    assert [(room.id, room.name) for room in made.rooms] == [
        ("baby_room", "Baby room"),
        ("kuche", "Küche"),
        ("kuche2", "Küche"),
    ]
    assert (made.mqtt.where, made.mqtt.username) == ("mqtt core-mosquitto:1883", "addons")
    assert made.mqtt.password_file == folders.password
    assert folders.password.read_text() == "geheim\n"
    assert made.web is not None
    assert made.web.ingress == IngressSettings(port=62_001, owners=("anna",))
    assert made.notify.language == "de"
    assert made.state_dir == folders.state


def test_only_the_daemon_reads_what_may_hold_a_password(folders: Folders) -> None:
    """Both files, from the moment they are there, in a folder of its own."""
    house(folders, Options(rooms=ROOMS))
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in [folders.run, *folders.run.iterdir()]} == {
        "monitord": "0o700",
        "monitord.yaml": "0o600",
        "mqtt-password": "0o600",
    }


def test_without_a_broker_it_has_its_own(folders: Folders) -> None:
    """It starts all the same; so does one without a side bar."""
    made = house(folders, Options(), broker=None, port=None)
    assert made.mqtt.embedded
    assert made.web is not None
    assert made.web.ingress is None
    assert not folders.password.exists()


def test_an_encrypted_broker_without_users(folders: Folders) -> None:
    """What the Supervisor leaves out is left out."""
    made = house(folders, Options(), broker=Broker(host="emqx", port=8883, ssl=True))
    assert (made.mqtt.tls is not None, made.mqtt.port, made.mqtt.username) == (True, 8883, None)


def test_a_threshold_is_for_every_profile(folders: Folders) -> None:
    """And leaves the reminders as they are; the family's file may still say more of one profile."""
    made = house(folders, Options(threshold=0.5), "profiles: {night: {threshold: 0.7, remind_after_min: 2}}")
    assert made.profiles.day == ProfileConfig(threshold=0.5, remind_after_min=3)
    assert made.profiles.night == ProfileConfig(threshold=0.7, remind_after_min=2)
    assert made.profiles.silent == ProfileConfig(threshold=0.5)


def test_a_threshold_is_also_for_a_profile_of_which_the_file_says_something_else(folders: Folders) -> None:
    """Unless it says that the threshold is the model's."""
    file = "profiles: {night: {remind_after_min: 2}, silent: {threshold: null}}"
    made = house(folders, Options(threshold=0.5), file)
    assert made.profiles.day == ProfileConfig(threshold=0.5, remind_after_min=3)
    assert made.profiles.night == ProfileConfig(threshold=0.5, remind_after_min=2)
    assert made.profiles.silent == ProfileConfig()


@pytest.mark.parametrize(
    "name",
    ["08", "1e3", "0o17", "no", "null", "1:30", "„Küche“", "Attic:\u00a0x", "👶", "👨\u200d👩\u200d👧", "a: #b", "<<"],
)
def test_a_name_is_a_text_whatever_it_looks_like(folders: Folders, name: str) -> None:
    """Also that of a user at the broker: what is written down is what is read."""
    rooms = (RoomOption(name=name, microphone="default"), RoomOption(name=name, microphone=name))
    made = house(folders, Options(rooms=rooms), broker=Broker(host="nas", port=1883, username=name, password="x"))
    assert [room.name for room in made.rooms] == [name, name]
    assert made.mqtt.username == name


def test_the_familys_file_wins_key_by_key(folders: Folders) -> None:
    """Sources by id, sections by key; what it does not name stays."""
    (folders.config / "mother-url").write_text("ntfys://ntfy.sh/a-long-word\n")
    file = """
sources: {kuche: {page: true, name: Kitchen}, attic: {page: true}}
web: {clips: {}, port: 8444}
notify: {channels: {mother: {url_file: mother-url}}}
test_alarm: {daily_at: "19:00"}
"""
    made = house(folders, Options(rooms=ROOMS, language="de"), file)
    assert [(room.id, room.name) for room in made.rooms] == [
        ("baby_room", "Baby room"),
        ("kuche", "Kitchen"),
        ("kuche2", "Küche"),
        ("attic", "Attic"),
    ]
    assert made.web is not None
    assert (made.web.port, made.web.clips is None, made.web.ingress is None) == (8_444, False, False)
    assert made.notify.language == "de"
    assert made.notify.channels["mother"].url_file == folders.config / "mother-url"


def test_a_broker_of_the_file_is_taken_as_a_whole(folders: Folders) -> None:
    """No name or password of Home Assistant's goes to it."""
    made = house(folders, Options(), "mqtt: {host: nas.lan}")
    assert (made.mqtt.host, made.mqtt.username, made.mqtt.password_file) == ("nas.lan", None, None)


EVERYTHING = """
node: attic
sources:
  one: {microphone: default, name: One, share: true}
  two: {stream: "rtsps://camera.lan/live", transport: tcp, verify: true, ca_file: ca.crt, track: 2}
  three: {stream: "https://camera.lan/a", format: PCMU/8000, fingerprint: "FINGERPRINT"}
  four: {stream: "rtmp://0.0.0.0:1935/live", listen: true, language: eng}
  five: {file: ca.crt, loop: true}
  six: {page: true}
mqtt:
  {host: nas.lan, port: 443, username: anna, password_file: word, transport: websockets, path: /mqtt,
   tls: {ca_file: ca.crt, cert_file: ca.crt, key_file: ca.key}}
web:
  {host: 127.0.0.1, port: 8444, http_port: 8081, names: [nas.lan], cert_file: ca.crt, key_file: ca.key,
   metrics_token_file: word, frame_ancestors: ["http://nas.lan:8123"], clips: {days: 7, megabytes: 500}}
bundle: model
profiles:
  {day: {remind_after_min: 3, threshold: 0.5}, night: {escalate_when_hard: true}, silent: {}}
home_assistant: {discovery: false, prefix: ha, birth_topic: ha/status, birth_payload: up}
notify:
  language: de
  channels:
    mother: {url: "ntfys://ntfy.sh/a", ca_file: ca.crt, severity: critical, rooms: [one]}
    father: {url_file: father-url}
    house: {webhook: "https://nas.lan/cry", fingerprint: "FINGERPRINT"}
test_alarm: {daily_at: "19:00"}
runtime: litert
"""
"""Every key that a family's file may have."""


def _keys(model: type[BaseModel]) -> set[str]:
    parts = [
        part
        for one in model.model_fields.values()
        for part in (one.annotation, *get_args(one.annotation))
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]
    return set(model.model_fields).union(*map(_keys, parts))


def test_every_key_survives(folders: Folders) -> None:
    """Read and written down again the configuration is the same; files are those of the family's folder."""
    refused = {"state_dir", "ingress", "embedded", "owners", "supervisor"}
    assert [key for key in sorted(_keys(Config) - refused) if f"{key}:" not in EVERYTHING] == []
    authority(folders.config)
    (folders.config / "word").write_text("geheim")
    (folders.config / "father-url").write_text("ntfys://ntfy.sh/b")
    file = EVERYTHING.replace("FINGERPRINT", ":".join(["AB"] * 32))
    made = house(folders, Options(), file)
    assert made.model_dump() == {
        **_alone(folders, file),
        "state_dir": folders.state,
        "web": {**_alone(folders, file)["web"], "ingress": IngressSettings(port=62_001).model_dump()},
    }


def _alone(folders: Folders, file: str) -> dict[str, Any]:
    """What the family's file says where it is all that is read. Any: values of YAML."""
    path = folders.config / "alone.yaml"
    path.write_text(file)
    return load_config(path).model_dump()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("state_dir: /data", ":1: state_dir: the app keeps its state in its own folder"),
        ("node: home\nweb:\n  ingress: {port: 1}", ":3: web.ingress: the app knows the port, and takes owners from"),
        ("node: home\nsource: {}", ":2: source: unknown key; did you mean 'sources'"),
        ("sources:\n  kuche: {}", ":2: sources.kuche: give exactly one of"),
        ("mqtt: {host: nas.lan, embedded: true}", ":1: mqtt: embedded stands alone"),
        ("- a", ": must hold keys of its own, such as `node: home`"),
    ],
)
def test_mistakes_of_the_file_say_where(folders: Folders, file: str, said: str) -> None:
    """By its name and line, as everywhere; no camera's password is repeated."""
    with pytest.raises(ConfigError) as refused:
        house(folders, Options(rooms=ROOMS), file)
    assert str(refused.value).startswith(f"{folders.config / 'monitord.yaml'}{said}")
    assert "kamerawort" not in str(refused.value)


def test_each_refused_key_says_what_to_do() -> None:
    """Of those that the app sets by itself."""
    assert all("remove the key" in why for why in OURS.values())


def test_a_file_that_the_family_protects_becomes_the_daemons(folders: Folders) -> None:
    """A mode of 600 by root would hide it from the daemon; who owns it is changed, its mode is not."""
    secret = folders.config / "credentials" / "mqtt-password"
    secret.parent.mkdir()
    secret.write_text("x")
    secret.chmod(0o600)
    user = 568 if os.geteuid() == 0 else os.geteuid()
    prepare(None, folders, user)
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (user, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_what_is_restored_from_a_backup_becomes_the_daemons(folders: Folders) -> None:
    """The Supervisor copies it back as root, with its modes alone."""
    kept = folders.state / "clips" / "one.ogg"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    kept.chmod(0o600)
    (kept.parent / "link").symlink_to("/etc/passwd")
    prepare(None, folders, 568)
    assert {path.lstat().st_uid for path in (folders.state, *folders.state.rglob("*"))} == {568}
    assert Path("/etc/passwd").stat().st_uid == 0


@pytest.mark.parametrize("name", ["monitord.yml", "Monitord.yaml", "monitord.yaml.txt"])
def test_a_file_of_almost_that_name_is_not_passed_over(folders: Folders, name: str) -> None:
    """Nobody would read it, and nobody would say so; beside the right one it is a copy."""
    (folders.config / name).write_text("node: attic")
    with pytest.raises(ConfigError, match=rf"{name}: is not read under that name; call it monitord.yaml"):
        house(folders, Options())
    assert house(folders, Options(), "node: home").node == "home"


def test_a_link_that_leads_nowhere_is_told(folders: Folders) -> None:
    """The family has a file, and it cannot be read."""
    (folders.config / "monitord.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match=r"monitord.yaml: cannot read the configuration: No such file"):
        house(folders, Options())
