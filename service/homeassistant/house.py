"""What discovery is a function of: the node and its rooms, all from the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.capture.spec import FileSpec, MicrophoneSpec, SourceSpec, StreamSpec
from service.config import Config
from service.messages.message import Node

_KINDS: Final[Mapping[type[SourceSpec], str]] = {
    MicrophoneSpec: "Microphone",
    StreamSpec: "Stream",
    FileSpec: "Recording",
}


@dataclass(frozen=True, slots=True)
class Room:
    """One source, as a family sees it."""

    source: str
    """Id, `[a-z0-9_]+`."""
    name: str
    """What people call it."""
    kind: str
    """What it listens with, in a word or two."""


@dataclass(frozen=True, slots=True)
class House:
    """All that one daemon announces."""

    node: Node
    version: str
    """Of the program."""
    rooms: tuple[Room, ...]

    @property
    def device_id(self) -> str:
        """The hub's identifier in Home Assistant."""
        return f"monitord_{self.node.name}"


def house_of(config: Config, *, version: str, demo: bool = False) -> House:
    """Returns the house that a configuration describes; in a demo every source plays the demo sound."""
    rooms = [
        Room(source, config.name_of(source), "Demo sound" if demo else _KINDS[type(configured.spec)])
        for source, configured in config.sources.items()
    ]
    return House(Node(config.node, demo=demo), version, tuple(rooms))
