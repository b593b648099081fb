"""The rooms that came into being on the page: by pairing a phone as their microphone, without a file being edited."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field

from service.settings.base import in_words
from service.storage.documents import DocumentStore

DOCUMENT: Final = "rooms"
"""Name in the store."""
ROOMS_BOUND: Final = 20
"""Rooms at most: more than a house has; the rest is refused."""
ID_CHARS: Final = 32
"""Longest id that is made of a name: it stands in every topic."""
NAME_CHARS: Final = 64
"""Longest name of a room."""


class KeptRoom(BaseModel):
    """One room."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]
    """What people call it."""


def kept_rooms(state_dir: Path) -> dict[str, str]:
    """Returns what people call each room that is kept, by its id."""
    return _read(DocumentStore(state_dir))


def id_of(name: str, taken: Collection[str]) -> str:
    """Makes an id of a room's name that is not taken: `Küche` is `kuche`, what no Latin letters say is `room`."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:ID_CHARS] or "room"
    return next(one for one in (wanted, *(f"{wanted}{n}" for n in range(2, len(taken) + 3))) if one not in taken)


@dataclass(frozen=True, slots=True)
class NewRooms:
    """Chooses the room of a phone that becomes a microphone."""

    store: DocumentStore
    """Where new rooms are kept."""
    names: Mapping[str, str]
    """What people call each room that the daemon has, by id."""
    phones: Collection[str]
    """Those of them whose microphone is a phone."""
    restart: Callable[[], None]
    """Lets the daemon begin anew, with what is kept; returns at once."""

    def open_to_phones(self) -> dict[str, str]:
        """Returns the rooms that a phone may be the microphone of: names by id."""
        return {one: name for one, name in self.names.items() if one in self.phones}

    def name(self, room: str) -> str:
        """Returns what people call a room, also one that the daemon has only from its next start on."""
        return self.names.get(room) or _read(self.store).get(room) or in_words(room)

    def room(self, asked: str | None, name: str) -> str | None:
        """Returns the id of the room that is meant, which is kept where it is new; None where it cannot be a phone's.

        Args:
            asked: Its id; None: it is a new one of this name.
            name: What people call a new one; empty: its id in words.

        Raises:
            OSError: The disk does not take a new one.
        """
        kept = _read(self.store)
        room = id_of(name, {*self.names, *kept}) if asked is None else asked
        if room in self.phones:
            return room
        if room in self.names:  # the configuration gives it another source, also where a phone made it once
            return None
        if room in kept:
            return room
        if len(kept) >= ROOMS_BOUND:
            return None
        self._keep({**kept, room: name[:NAME_CHARS] or in_words(room)})
        if fault := self.store.fault:
            self._keep(kept)  # what lives in memory alone would be gone with the restart
            raise OSError(fault)
        return room

    def _keep(self, rooms: Mapping[str, str]) -> None:
        self.store.save(DOCUMENT, {one: {"name": called} for one, called in rooms.items()})


def _read(store: DocumentStore) -> dict[str, str]:
    return store.entries(DOCUMENT, lambda _, room: KeptRoom.model_validate(room).name)
