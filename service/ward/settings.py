"""`ward.yaml` as types: sites and their rooms in fixed slices, the machines, and what all shards have in common."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, model_validator

from monitord.errors import ConfigError
from service.capture.spec import MicrophoneSpec, PageSpec, device_of
from service.config import Config, SourceConfig
from service.homeassistant.settings import HomeAssistantConfig
from service.mqtt.settings import MqttSettings
from service.settings.base import FilePath, Id, Part, Text, in_words
from service.settings.credentials import with_credentials
from service.settings.daily import TestAlarmConfig
from service.settings.errors import refusals
from service.settings.paths import default_state_dir
from service.settings.profiles import ProfilesConfig
from service.settings.yaml_lines import YamlFile, read_yaml
from service.ward.fence import Terms
from service.web.settings import WebSettings

MOST_ROOMS: Final = 40
"""Rooms of a shard: as many are unheard for some seconds where one process dies, and half of a small machine hears
them."""

MOST_LETTERS: Final = 64
"""Characters of a node's id, as of every one."""

LEASE_S: Final = 5.0
"""Default of `lease_s`: a broker that is restarted is back within two seconds, and whoever replaces a lost machine has
mostly not even noticed by then that it is lost."""


def _number(text: str) -> str:
    if not (text.isascii() and text.isdecimal()) or text.startswith("0") or len(text) > 4:  # noqa: PLR2004 - 9,999 shards of a site
        raise ValueError('is no number of a shard: "1", "2", ...')
    return text


class ShardConfig(Part):
    """A fixed slice of a site's rooms, heard by one process."""

    rooms: Annotated[dict[Id, SourceConfig], Field(min_length=1)]
    """By id, as `sources` of the daemon's configuration. Once a room is here it stays: its topics depend on it."""


class SiteConfig(Part):
    """A house, a floor, a nursery."""

    name: Text | None = None
    """What people call it; None: made from the id."""
    shards: Annotated[dict[Annotated[str, AfterValidator(_number)], ShardConfig], Field(min_length=1)]
    """By number, in quotes; a number is never used for other rooms."""


class MachineConfig(Part):
    """What one machine has to give."""

    cores: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    memory_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Gigabytes (10^9 bytes)."""


class WardConfig(Part):
    """Everything that an operator decides, the same file on every machine."""

    sites: Annotated[dict[Id, SiteConfig], Field(min_length=1)]
    machines: Annotated[dict[Text, MachineConfig], Field(min_length=1)]
    """By host name, as `hostname` prints it."""
    mqtt: MqttSettings
    """The broker of all shards; it has to speak MQTT 5."""
    lease_s: Annotated[float, Field(ge=3.0, le=60.0)] = LEASE_S
    """For how long a shard without a word from the broker hears its rooms (seconds); who replaces it waits as long."""
    state_dir: FilePath = Field(default_factory=default_state_dir)
    """Directory of each machine for what must outlive a shard's process: a folder for each shard."""
    station: WebSettings = WebSettings()
    """Where the nurse station's page is served, as `web` of the daemon's configuration."""
    bundle: FilePath | None = None
    """Directory of the model, on each machine; None: the one that comes with the project."""
    profiles: ProfilesConfig = ProfilesConfig()
    home_assistant: HomeAssistantConfig = HomeAssistantConfig()
    test_alarm: TestAlarmConfig = TestAlarmConfig()
    runtime: Literal["auto", "litert", "keras"] = "auto"

    _written: Mapping[str, Any] = PrivateAttr({})  # as it stands in the file. Any: values of YAML

    @model_validator(mode="after")
    def _for_a_ward(self) -> Self:
        if self.mqtt.embedded:
            raise ValueError("mqtt: a ward needs a broker of its own, which all machines reach; give its host")
        if others := self.station.model_fields_set & {"http_port", "ingress", "clips"}:
            raise ValueError(f"station: has no {', '.join(sorted(others))}; remove what it does not have")
        return self

    def digest(self, node: str) -> str:
        """Changes with whatever the file says that matters to this shard; says nothing of it."""
        shard = self.shards[node]
        _, _, number = node.rpartition("_")
        common = {key: value for key, value in self._written.items() if key not in {"sites", "machines", "station"}}
        own = self._written["sites"][shard.site]["shards"][number]
        return hashlib.sha256(json.dumps([common, own], sort_keys=True, default=str).encode()).hexdigest()[:12]

    @property
    def terms(self) -> Terms:
        """What all shards must agree on."""
        return Terms(self.lease_s)

    @property
    def shards(self) -> Mapping[str, "Shard"]:
        """All of them, by node name."""
        return {
            f"{site}_{number}": Shard(f"{site}_{number}", site, one.name or in_words(site), config)
            for site, one in self.sites.items()
            for number, config in one.shards.items()
        }

    def config(self, node: str) -> Config:
        """Returns what the daemon that hears this shard is built from.

        Raises:
            ConfigError: There is no such shard.
        """
        shards = self.shards
        if node not in shards:
            raise ConfigError(f"there is no shard {node!r}; there are {', '.join(shards)}")
        return Config(
            node=node,
            sources=shards[node].config.rooms,
            mqtt=self.mqtt,
            bundle=self.bundle,
            state_dir=self.state_dir / node,
            profiles=self.profiles,
            home_assistant=self.home_assistant,
            test_alarm=self.test_alarm,
            runtime=self.runtime,
        )


@dataclass(frozen=True, slots=True)
class Shard:
    """A slice of rooms, and where it belongs."""

    node: str
    """`<site>_<number>`: its rooms are `monitord/<node>/<room>`, wherever they are heard."""
    site: str
    site_name: str
    config: ShardConfig

    @property
    def rooms(self) -> Mapping[str, str]:
        """Names by id."""
        return {one: room.name or in_words(one) for one, room in self.config.rooms.items()}


def load_ward(path: Path) -> WardConfig:
    """Reads a ward's file.

    Raises:
        ConfigError: All mistakes of the file at once, one a line: `file:line: key.path: mistake; what is allowed`.
    """
    file = read_yaml(path)
    try:
        data = {} if file.data is None else with_credentials(file.data, path.parent)
        ward = WardConfig.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(refusals(file, error, WardConfig))) from error
    if wrong := list(_misplaced(file, ward)):
        raise ConfigError("\n".join(wrong))
    ward._written = cast("dict[str, Any]", file.data)  # noqa: SLF001 - our own
    return ward


def _misplaced(file: YamlFile, ward: WardConfig) -> Iterator[str]:
    """What no single room can know: that it can be heard anywhere, in one place only, and which node is whose."""
    places: dict[str, str] = {}  # whose room it is, by device
    nodes: dict[str, str] = {}
    for site, one in ward.sites.items():
        ids: dict[str, str] = {}
        for number, shard in one.shards.items():
            node = f"{site}_{number}"
            where = ("sites", site, "shards", number)
            if node in nodes:
                yield file.refusal(where, f"is the node {node}, as {nodes[node]} is; rename one of the sites")
            nodes[node] = ".".join(where)
            if len(node) > MOST_LETTERS:
                yield file.refusal(
                    where, f"is the node {node}, of over {MOST_LETTERS} characters; shorten the site's id"
                )
            if len(shard.rooms) > MOST_ROOMS:
                yield file.refusal(where, f"has {len(shard.rooms)} rooms; allowed are {MOST_ROOMS}, so begin another")
            for room, source in shard.rooms.items():
                here = (*where, "rooms", room)
                if isinstance(source.spec, MicrophoneSpec | PageSpec):
                    yield file.refusal(here, "belongs to one machine, and a shard may be heard on any; use a stream")
                if room in ids:
                    yield file.refusal(here, f"stands in shard {ids[room]} too; an id is one room of the site")
                ids.setdefault(room, number)
                device = device_of(source.spec)
                if (
                    device is not None
                    and not source.share
                    and places.setdefault(device[1], node + "/" + room) != (node + "/" + room)
                ):
                    yield file.refusal(here, f"is the stream of {places[device[1]]} too, and would be heard twice")
