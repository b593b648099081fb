"""The configuration as types: what an operator may write, checked once at the door."""

import logging
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from model.decoding.tracks import Wanted
from monitord.errors import ConfigError
from service.capture.redact import redact
from service.capture.spec import (
    FileSpec,
    MicrophoneSpec,
    PageSpec,
    SourceSpec,
    StreamSpec,
    device_of,
    host_and_port,
    stream_spec,
)
from service.capture.streams.how import AS_IT_IS, How, Transport, how
from service.homeassistant.settings import HomeAssistantConfig
from service.mqtt.settings import MqttSettings
from service.notify.settings import NotifyConfig
from service.settings.base import ExistingFile, FilePath, Id, Part, Text, in_words
from service.settings.command import command
from service.settings.credentials import with_credentials
from service.settings.daily import TestAlarmConfig
from service.settings.errors import refusals
from service.settings.paths import default_state_dir
from service.settings.profiles import ProfilesConfig
from service.settings.yaml_lines import YamlFile, read_yaml
from service.web.settings import WebSettings

_log = logging.getLogger(__name__)


class SourceConfig(Part):
    """One room's channel: exactly one of microphone, stream, file, page."""

    name: Text | None = None
    """What people call it; None: made from the id."""
    microphone: str | int | None = None
    """`default`, a part of the device's name, or its index."""
    listen: bool = False
    """Whether the daemon waits at the address of `stream` for a phone that pushes."""
    stream: str | None = Field(default=None, repr=False)
    """URL; kept out of `repr`, for it may hold a password."""
    file: ExistingFile | None = None
    """A recording, played in real time by `run`."""
    page: bool = False
    """Whether a phone is its microphone by the family's page."""
    loop: bool = False
    """Whether the recording starts over at its end."""
    track: Annotated[int, Field(ge=1)] | Text | None = None
    """Which audio track of a stream or file that has several: its number, from 1, or (a part of) its title."""
    language: Text | None = None
    """The same, by its language as the stream or file writes it: `eng` or `en`."""
    share: bool = False
    """Whether another room listens to the same microphone or stream on purpose; else that is warned of as a slip."""

    transport: Transport = "auto"
    """Of an RTSP stream: TCP, UDP, or auto: UDP only where the camera refuses TCP."""
    format: Text | None = None
    """Of a stream that is bare sound and does not say what: `PCMU/8000`, `PCMA`, `L16/16000/2`, `s16le/16000/1`."""
    verify: bool | None = None
    """Whether the certificate of an https, rtsps or rtmps stream must hold; None: where a key below is there."""
    ca_file: ExistingFile | None = None
    """The authority that signed its certificate, or the certificate itself (PEM)."""
    fingerprint: Text | None = None
    """SHA-256 of the one certificate that is trusted, whatever host it names."""
    _how: How = PrivateAttr(AS_IT_IS)

    @field_validator("file", mode="before")
    @classmethod
    def _no_url(cls, value: object) -> object:
        if isinstance(value, str) and "://" in value:
            raise ValueError("is a URL; write it as stream")
        return value

    @field_validator("microphone", mode="plain")
    @classmethod
    def _device(cls, value: object) -> str | int:
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise ValueError(
                f"must be default, a part of the device's name, or its number; `{command('devices')}` lists them"
            )
        if isinstance(value, str) and "://" in value:
            raise ValueError("is a URL; write it as stream")
        if isinstance(value, int) and value < 0:
            raise ValueError(f"a device's number is 0 or more; `{command('devices')}` lists them")
        return value

    @field_validator("stream")
    @classmethod
    def _url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            try:
                return stream_spec(value, listen=bool(info.data.get("listen"))).url
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in ("microphone", "stream", "file", "page") if getattr(self, kind) not in {None, False}]
        if len(kinds) != 1:
            found = ", ".join(kinds) or "none"
            raise ValueError(f"give exactly one of microphone, stream, file, page: true (found: {found})")
        if self.listen and self.stream is None:
            raise ValueError("listen belongs to a stream")
        if self.loop and self.file is None:
            raise ValueError("loop belongs to a file")
        if self.stream is None and self.file is None and (self.track is not None or self.language is not None):
            raise ValueError("track and language belong to a stream or a file")
        self._read_how()
        return self

    def _read_how(self) -> None:
        if self.stream is None:
            for key in ("transport", "format", "verify", "ca_file", "fingerprint"):
                if key in self.model_fields_set:
                    raise ValueError(f"{key} belongs to a stream")
            return
        try:
            self._how = how(
                self.stream,
                listen=self.listen,
                transport=self.transport,
                sound=self.format,
                verify=self.verify,
                ca_file=self.ca_file,
                fingerprint=self.fingerprint,
            )
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @property
    def spec(self) -> SourceSpec:
        """What to open."""
        wanted = Wanted(self.track, self.language)
        if self.stream is not None:
            return StreamSpec(self.stream, listen=self.listen, wanted=wanted, how=self._how)
        if self.file is not None:
            return FileSpec(self.file, loop=self.loop, wanted=wanted)
        if self.page:
            return PageSpec()
        return MicrophoneSpec("default" if self.microphone is None else self.microphone)


@dataclass(frozen=True, slots=True)
class Room:
    """One source, as all the rest of the house takes it."""

    id: str
    """`[a-z0-9_]+`."""
    name: str
    """What people call it."""
    spec: SourceSpec
    """What to open."""


class Config(Part):
    """Everything that an operator decides. What the model was trained on is in its bundle instead."""

    node: Id = "home"
    """This server in topics: `monitord/<node>`."""
    web: WebSettings | None = None
    """The family's page; None: there is none."""
    sources: dict[Id, SourceConfig] = Field(default_factory=lambda: {"room": SourceConfig(microphone="default")})
    """By id, in the order of the file; none where rooms come into being on the page."""
    mqtt: MqttSettings = MqttSettings(embedded=True)
    bundle: FilePath | None = None
    """Directory of the model; None: the one that comes with the project."""
    state_dir: FilePath = Field(default_factory=default_state_dir)
    """Directory for what must outlive the daemon; it may not exist yet."""
    profiles: ProfilesConfig = ProfilesConfig()
    home_assistant: HomeAssistantConfig = HomeAssistantConfig()
    notify: NotifyConfig = NotifyConfig()
    test_alarm: TestAlarmConfig = TestAlarmConfig()
    runtime: Literal["auto", "litert", "keras"] = "auto"
    """What computes the network; auto: Keras where there is a GPU and Keras, else LiteRT."""

    @field_validator("sources")
    @classmethod
    def _any_room(cls, value: dict[str, SourceConfig], info: ValidationInfo) -> dict[str, SourceConfig]:
        if not value and info.data.get("web", value) is None:
            raise ValueError("must hold at least one entry; with `web: {}` rooms come into being on the page")
        return value

    @model_validator(mode="after")
    def _known_rooms(self) -> Self:
        if strange := self.notify.strange_rooms(set(self.sources)):
            raise ValueError(strange)
        return self

    _given: Sequence[SourceSpec] = PrivateAttr(())  # on the command line, in place of the file's sources
    _on_page: Mapping[str, str] = PrivateAttr({})  # names of the rooms that came into being on the page

    @property
    def rooms(self) -> list[Room]:
        """What to listen to: the command line's sources as `room`, `room2`, ..., else the file's; then the page's."""
        ids = ["room", *(f"room{number}" for number in range(2, len(self._given) + 1))]
        given = [Room(source_id, in_words(source_id), spec) for source_id, spec in zip(ids, self._given, strict=False)]
        rooms = given or [
            Room(source_id, source.name or in_words(source_id), source.spec)
            for source_id, source in self.sources.items()
        ]
        taken = {room.id for room in rooms}
        return [*rooms, *(Room(one, name, PageSpec()) for one, name in self._on_page.items() if one not in taken)]

    def hosts(self) -> list[tuple[str, str]]:
        """Returns which key names which host of the network."""
        streams = [(one.id, host_and_port(one.spec.url)[0]) for one in self.rooms if isinstance(one.spec, StreamSpec)]
        broker = [] if self.mqtt.embedded else [("mqtt.host", self.mqtt.host)]
        return broker + [(f"sources.{source_id}", host) for source_id, host in streams if host]

    def listening_to(self, sources: Sequence[SourceSpec]) -> Self:
        """Returns this configuration with the command line's sources in place of its own; with none, its own."""
        config = self.model_copy()
        config._given = tuple(sources)  # noqa: SLF001 - our own copy
        return config

    def with_rooms_of_page(self, rooms: Mapping[str, str]) -> Self:
        """Returns this configuration with the rooms that came into being on the page: names by id."""
        config = self.model_copy()
        config._on_page = {} if self.web is None else rooms  # noqa: SLF001 - our own copy
        return config


def load_config(path: Path, sources: Sequence[SourceSpec] = ()) -> Config:
    """Reads a configuration file.

    Args:
        path: A YAML file.
        sources: From the command line; where there are any, they take the place of the file's.

    Raises:
        ConfigError: All mistakes of the file at once, one a line: `file:line: key.path: mistake; what is allowed`.
    """
    file = read_yaml(path)
    try:
        data = {} if file.data is None else with_credentials(file.data, path.parent)
        config = Config.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(refusals(file, error, Config))) from error
    _warn_of_shared_devices(file, config)
    _warn_of_readable_passwords(file, config)
    config = config.listening_to(sources)
    if strange := config.notify.strange_rooms({one.id for one in config.rooms}):
        _log.warning("%s: %s", path, strange)
    return config


def _warn_of_shared_devices(file: YamlFile, config: Config) -> None:
    """One device for two rooms is mostly a line that was copied, and one of the rooms is heard by nobody.

    It is no mistake of the file: what was heard yesterday is heard after an upgrade.
    """
    found: dict[tuple[str, str], str] = {}
    for source_id, source in config.sources.items():
        if (device := device_of(source.spec)) is None:
            continue
        other = found.setdefault(device, source_id)
        if other != source_id and not (source.share or config.sources[other].share):
            line = file.line(("sources", other, device[0]))
            words = (
                f"the same {device[0]} as in {other} (line {line}), so one of the rooms is not heard; where they are"
                " meant to share it, add share: true"
            )
            _log.warning("%s", file.refusal(("sources", source_id, device[0]), words))


def _warn_of_readable_passwords(file: YamlFile, config: Config) -> None:
    """A password that stands in a URL makes the file that holds it a secret, too."""
    if not file.path.stat().st_mode & stat.S_IROTH:
        return
    for source_id, source in config.sources.items():
        if source.stream is not None and redact(source.stream) != source.stream:
            place = file.refusal(("sources", source_id, "stream"), "holds a password and everybody can read the file")
            _log.warning("%s; chmod 600 %s", place, file.path)
    for name, channel in config.notify.channels.items():
        if channel.url is not None or "@" in (channel.webhook or ""):
            key = "webhook" if channel.url is None else "url"
            place = file.refusal(
                ("notify", "channels", name, key), "may hold a password and everybody can read the file"
            )
            _log.warning("%s; chmod 600 %s, or use url_file", place, file.path)
