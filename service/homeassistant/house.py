"""What discovery is a function of: the node and its rooms, all from the configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from service.capture.spec import FileSpec, MicrophoneSpec, PageSpec, SourceSpec, StreamSpec
from service.messages.message import Node

_KINDS: Final[Mapping[type[SourceSpec], str]] = {
    MicrophoneSpec: "Microphone",
    StreamSpec: "Stream",
    FileSpec: "Recording",
    PageSpec: "Phone",
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

    @classmethod
    def of(cls, node: Node, version: str, sources: Iterable[tuple[str, str, SourceSpec]]) -> Self:
        """Returns the house of these sources (id, name, what is opened); in a demo every one plays the demo sound."""
        rooms = [Room(one, name, "Demo sound" if node.demo else _KINDS[type(spec)]) for one, name, spec in sources]
        return cls(node, version, tuple(rooms))

    @property
    def device_id(self) -> str:
        """The hub's identifier in Home Assistant."""
        return f"monitord_{self.node.name}"
