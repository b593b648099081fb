"""What became of the nights: each episode, and each time in which a room was not heard, for the next morning.

It is told the same messages as the broker. An episode counts as the topic `<source>/today` counts it: in the room that
told it, on the day it began, and its minutes on the day they were cried.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from service.messages.message import Message, Node
from service.storage.history_file import UNRECORDED, HistoryFile

HISTORY: Final = "history.db"
"""Name of the file in the state directory."""
ALIVE_S: Final = 25.0
"""Seconds between two notes that the daemon lives, at least: a heartbeat comes each 30 s."""

OFF: Final = "off"
"""Why a room was not heard: the family had switched it off."""
DOWN: Final = "down"
"""Why no room was heard: the daemon did not run. Rows of it have no room."""

_PAST_EPISODE: Final = (
    "id, rooms, since, until, p_cry, distress, reason, answered, answered_by, told_up_to, loudness_db"
)
_EPISODE: Final = """
INSERT INTO episode (id, since, until, rooms, p_cry, distress, reason, told_up_to, loudness_db)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id, since) DO UPDATE SET until = excluded.until, rooms = excluded.rooms,
    p_cry = max(p_cry, excluded.p_cry),
    distress = coalesce(max(distress, excluded.distress), excluded.distress, distress),
    told_up_to = coalesce(excluded.told_up_to, told_up_to), loudness_db = coalesce(excluded.loudness_db, loudness_db),
    reason = CASE excluded.reason WHEN 'none' THEN reason ELSE excluded.reason END
"""


@dataclass(frozen=True, slots=True)
class PastEpisode:
    """One episode of crying."""

    id: str
    """As in every message about it."""
    rooms: tuple[str, ...]
    """Sources that heard it, loudest first."""
    since: float
    """Wall time of its first sound (Unix seconds)."""
    until: float | None
    """Wall time of its end (Unix seconds); None while it lasts."""
    p_cry: float
    """Highest calibrated probability, 0 to 1."""
    distress: float | None
    """How hard it was at most, 0 to 1; None where the model does not say."""
    reason: str
    """The last one that was told."""
    answered: float | None
    """Wall time at which somebody said that they were on the way (Unix seconds); None: nobody."""
    answered_by: str | None = None
    """Who: the name of a device of the family; empty: over MQTT. None: nobody, or nobody knows who."""
    told_up_to: float | None = None
    """The highest threshold at which it would have been told, see `monitord.hindsight`; None: nobody knows."""
    loudness_db: float | None = None
    """How loud it was at most (decibels over the room's own noise); None: nobody knows."""

    @property
    def room(self) -> str:
        """The source on whose topic it was told, and in whose `today` it counts."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a room was not heard, or heard badly."""

    room: str
    """Source; empty: all of them."""
    why: str
    """A fault word, `OFF`, `DOWN`, or `UNRECORDED`, from 0 on."""
    since: float
    """Unix seconds."""
    until: float | None
    """Unix seconds; None while it lasts."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What the family said of an episode, or of a cry that was missed; the newest word counts."""

    room: str
    """Source."""
    episode: str | None
    """Id; None: no episode, a cry was missed."""
    since: float
    """Wall time at which the episode began, or the cry was missed (Unix seconds)."""
    was: str
    """`cry`, or what else it was, in the family's word."""
    reason: str | None
    """Why the baby cried; None: nobody said."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was between two instants, oldest first."""

    episodes: Sequence[PastEpisode]
    gaps: Sequence[Gap]
    corrections: Sequence[Correction]
    """Of these episodes, and of what was missed there, in the order in which they were said."""

    def cried(self, room: str, since: float, until: float, now: float) -> tuple[int, float]:
        """Returns how many episodes of a room began in a span, and the minutes cried in it (all in Unix seconds)."""
        own = [episode for episode in self.episodes if episode.room == room]
        seconds = sum(
            max(0.0, min(now if one.until is None else one.until, until) - max(one.since, since)) for one in own
        )
        return sum(since <= one.since < until for one in own), round(seconds / 60, 1)


class History:
    """Any thread may call any method; none raises for a disk that refuses: `fault` says what is wrong with it.

    Args:
        path: The file; its folder is made where it is missing.
        node: Who speaks.
    """

    def __init__(self, path: Path, node: Node) -> None:
        self._file, self._root = HistoryFile(path), f"{node.root}/"
        self._lock = threading.Lock()
        self._alive_at = 0.0  # as noted last (Unix seconds)
        self._faulty: set[str] = set()  # rooms with an open gap
        self._off: set[str] = set()  # rooms that are switched off

    def __enter__(self) -> Self:
        """Opens the file. What an earlier run left open ended with that run, and since then nobody listened.

        Where the disk refuses, that is asked of the file once it can be read.
        """
        with self._lock:
            now, alive_at = time.time(), "(SELECT at FROM alive)"  # NULL in a new file, which holds nothing yet
            self._file.add(f"INSERT INTO gap SELECT '', ?, 0, ? WHERE {alive_at} IS NULL", UNRECORDED, now)
            for table in ("episode", "gap"):
                self._file.add(f"UPDATE {table} SET until = max(since, {alive_at}) WHERE until IS NULL")  # noqa: S608
            self._file.add("INSERT INTO gap SELECT '', ?, at, ? FROM alive WHERE at < ?", DOWN, now, now)
            self._note_alive(now)
            self._file.write()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._note_alive(time.time())
            self._file.write()
            self._file.close()

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for a person; empty when nothing is."""
        with self._lock:
            return self._file.fault

    def retry(self) -> None:
        """Tries a disk that refuses again."""
        with self._lock:
            self._file.write()

    def tell(self, message: Message) -> None:
        """Takes what the broker is told, and keeps episodes, answers, faults, and that a room is switched off."""
        values = message.content
        if not (isinstance(values, Mapping) and message.topic.startswith(self._root)):
            return
        with self._lock:
            match message.topic.removeprefix(self._root).split("/"):
                case [_, "episode"]:
                    self._episode(values)
                case [_, "event"] if values["event_type"] == "acknowledged" and "snoozed_until" not in values:
                    self._answered(values)
                case [room, "fault"]:
                    self._fault(room, values)
                case [room, "settings"]:
                    self._settings(room, enabled=bool(values["enabled"]))
                case ["heartbeat"] if (at := _unix(values["ts"])) - self._alive_at >= ALIVE_S:
                    self._note_alive(at)
                case _:
                    return
            self._file.write()

    def corrected(
        self, room: str, *, episode: str | None, missed_at: float | None, was: str, reason: str | None
    ) -> None:
        """Keeps the family's word beside the model's, which stays.

        Args:
            room: Source.
            episode: Id; None: the newest that the room heard, or a missed cry.
            missed_at: When a cry was missed (Unix seconds); None: an episode is meant.
            was: `cry`, or what else it was.
            reason: Why the baby cried; None: nobody says.
        """
        said = (was, reason, time.time())
        with self._lock:
            if missed_at is not None:
                self._file.add("INSERT INTO correction VALUES (?, NULL, ?, ?, ?, ?)", room, missed_at, *said)
            else:
                which = "id = ?" if episode is not None else "EXISTS (SELECT 1 FROM json_each(rooms) WHERE value = ?)"
                newest = f"SELECT ?, id, since, ?, ?, ? FROM episode WHERE {which} ORDER BY since DESC LIMIT 1"  # noqa: S608
                self._file.add(f"INSERT INTO correction {newest}", room, *said, episode or room)
            self._file.write()

    def between(self, since: float, until: float, room: str | None = None) -> Span:
        """Returns what lies, also in part, between two wall times (Unix seconds), of one room or of all.

        An episode belongs to each room that heard it. What the disk does not give is missing, and `fault` says so.
        """
        within = "WHERE since < ? AND coalesce(until, 1e12) > ? ORDER BY since"
        with self._lock:
            episodes = self._file.select(
                f"SELECT {_PAST_EPISODE} FROM episode {within}",  # noqa: S608
                until,
                since,
            )
            gaps = self._file.select(f"SELECT room, why, since, until FROM gap {within}", until, since)  # noqa: S608
            said = (
                "SELECT room, episode, since, was, reason FROM correction WHERE (since < ? AND since >= ?)"
                " OR episode IN (SELECT id FROM episode WHERE since < ? AND coalesce(until, 1e12) > ?) ORDER BY said"
            )
            corrections = [Correction(*row) for row in self._file.select(said, until, since, until, since)]
        past = [PastEpisode(name, tuple(json.loads(rooms)), *rest) for name, rooms, *rest in episodes]
        if room is None:
            return Span(past, [Gap(*row) for row in gaps], corrections)
        own = [episode for episode in past if room in episode.rooms]
        heard = {episode.id for episode in own}
        return Span(
            own,
            [gap for gap in (Gap(*row) for row in gaps) if gap.room in ("", room)],
            [one for one in corrections if (one.room == room if one.episode is None else one.episode in heard)],
        )

    # From here on the lock is held.

    def _episode(self, values: Mapping[str, object]) -> None:
        ended = values["ended"]
        self._file.add(
            _EPISODE,
            values["episode"],
            _unix(values["since"]),
            None if ended is None else _unix(ended),
            json.dumps(values["rooms"]),
            values["p_cry"],
            values.get("distress"),
            values["reason"],
            values.get("told_up_to"),
            values.get("loudness_db"),
        )

    def _answered(self, values: Mapping[str, object]) -> None:
        self._file.add(
            "UPDATE episode SET answered = ?, answered_by = ? WHERE id = ? AND since = ? AND answered IS NULL",
            _unix(values["ts"]),
            values.get("by"),
            values["episode"],
            _unix(values["since"]),
        )

    def _fault(self, room: str, values: Mapping[str, object]) -> None:
        """The first fault begins where sound was heard last, one that follows another where it was noticed."""
        at, word = _unix(values["ts"]), str(values["fault"])
        since = at if room in self._faulty else _unix(values["since"])
        self._file.add(
            "UPDATE gap SET until = max(since, ?) WHERE room = ? AND why != ? AND until IS NULL", at, room, OFF
        )
        if word == "ok":
            self._faulty.discard(room)
        else:
            self._faulty.add(room)
            self._file.add("INSERT INTO gap VALUES (?, ?, ?, NULL)", room, word, since)

    def _settings(self, room: str, *, enabled: bool) -> None:
        if enabled and room in self._off:
            self._off.discard(room)
            self._file.add(
                "UPDATE gap SET until = ? WHERE room = ? AND why = ? AND until IS NULL", time.time(), room, OFF
            )
        elif not enabled and room not in self._off:
            self._off.add(room)
            self._file.add("INSERT INTO gap VALUES (?, ?, ?, NULL)", room, OFF, time.time())

    def _note_alive(self, at: float) -> None:
        self._alive_at = at
        self._file.add("INSERT INTO alive VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at", at)


def _unix(iso: object) -> float:
    """Returns a wall time as messages write it, in Unix seconds."""
    return datetime.fromisoformat(str(iso)).timestamp()
