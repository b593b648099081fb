"""The census of a ward: every configured room, which of them nobody hears, and which cry; from what is on MQTT. Pure.

A room is heard where it says so, its shard says so, and the shard's lease is alive: a broker that remembers an hour ago
says `online` of a machine that is gone.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from service.messages.message import iso_utc
from service.messages.node_messages import ONLINE
from service.ward.claim import ROOT, claim_topic, lease_topic, read_claim, read_lease
from service.ward.fence import Terms
from service.ward.settings import WardConfig

FILTERS: Final = (
    "monitord/+/status",
    *(f"monitord/+/+/{one}" for one in ("status", "state", "health", "settings")),
    *(f"{ROOT}/+/{one}" for one in ("claim", "lease", "undelivered/+")),
)
"""What has to be subscribed: no more, for all of it is kept in memory."""

Values = Mapping[str, Any]
"""Values of JSON. Any: they are strangers' until they were looked at."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """A configured room that nobody hears."""

    shard: str
    room: str
    name: str
    site: str
    since: float
    """Unix seconds: its last sound, where that is known, else when it was first missed."""
    fault: str
    """What its shard says is wrong with it; `shard` where nobody hears the whole shard, `off` where somebody has
    switched it off, `starting` where its shard has not heard it yet."""


@dataclass(frozen=True, slots=True)
class Crying:
    """A room that cries."""

    shard: str
    room: str
    name: str
    site: str
    since: float
    """Unix seconds."""
    distress: float | None
    """How hard (0 to 1); None: nobody knows."""
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """Events of a shard that may wait on the disk of a machine that does not hear it."""

    shard: str
    machine: str
    since: str


@dataclass(frozen=True, slots=True)
class Census:
    """How it stands."""

    at: float
    """Unix seconds."""
    rooms: int
    """Configured."""
    unheard: tuple[Unheard, ...]
    """The longest first."""
    crying: tuple[Crying, ...]
    """The hardest first, of those the longest."""
    missing: tuple[Missing, ...]
    machines: Mapping[str, str]
    """By shard: where it is heard; `?` where nobody says, empty where nobody hears it."""

    def values(self) -> dict[str, object]:
        """As it is told."""
        return {
            "ts": iso_utc(self.at),
            "rooms": self.rooms,
            "heard": self.rooms - len(self.unheard),
            "not_heard": [_of(one) | {"since": iso_utc(one.since), "fault": one.fault} for one in self.unheard],
            "crying": [
                _of(one) | {"since": iso_utc(one.since), "distress": one.distress, "acknowledged": one.acknowledged}
                for one in self.crying
            ],
            "missing": [{"shard": one.shard, "machine": one.machine, "since": one.since} for one in self.missing],
        }


@dataclass(slots=True)
class CensusTaker:
    """Takes messages as they come, and counts.

    Args:
        ward: Which rooms there are.
    """

    ward: WardConfig
    _told: dict[str, bytes] = field(default_factory=dict)  # the newest payload, by topic
    _lease_at_s: dict[str, float] = field(default_factory=dict)  # by topic, monotonic seconds
    _missed_at: dict[tuple[str, str], float] = field(default_factory=dict)  # by shard and room, Unix seconds

    def take(self, topic: str, payload: bytes, at_s: float, *, kept: bool = False) -> None:
        """A message came.

        Args:
            topic: Its topic.
            payload: As it came.
            at_s: When, by a clock that nobody sets (monotonic seconds): one that is set back must not keep alive what
                is dead.
            kept: Whether the broker had kept it: then a lease is no sign of life, it may be some seconds old.
        """
        if topic.startswith(f"{ROOT}/") and topic.endswith("/lease"):
            if kept:
                return
            self._lease_at_s[topic] = at_s
        self._told[topic] = payload

    def forget(self) -> None:
        """A new connection begins: what the broker keeps comes anew. Since when a room is missed stays known."""
        self._told.clear()

    def count(self, now: float, now_s: float) -> Census:
        """How it stands.

        Args:
            now: Wall time (Unix seconds).
            now_s: The same by the clock of `take` (monotonic seconds).
        """
        unheard, crying, machines = [], [], {}
        total = 0
        for node, shard in self.ward.shards.items():
            alive = self._alive(node, self.ward.terms, now_s)
            claim = read_claim(self._told.get(claim_topic(node), b""))
            machines[node] = ((claim.machine if claim is not None else "") or "?") if alive else ""
            for room, name in shard.rooms.items():
                total += 1
                root = f"monitord/{node}/{room}"
                if not (alive and self._says(f"{root}/status", ONLINE)):
                    missed_at = self._missed_at.setdefault((node, room), now)
                    last_audio = _time(self._json(f"{root}/health").get("last_audio"))
                    since = missed_at if last_audio is None else min(missed_at, last_audio)
                    fault = self._fault(root) if alive else "shard"
                    unheard.append(Unheard(node, room, name, shard.site_name, since, fault))
                    continue
                self._missed_at.pop((node, room), None)
                state = self._json(f"{root}/state")
                if state.get("crying") is True:
                    distress = state.get("distress")
                    crying.append(
                        Crying(
                            node,
                            room,
                            name,
                            shard.site_name,
                            _time(state.get("since")) or now,
                            float(distress) if isinstance(distress, int | float) else None,
                            acknowledged=state.get("acknowledged") is True,
                        )
                    )
        return Census(
            now,
            total,
            tuple(sorted(unheard, key=lambda one: one.since)),
            tuple(sorted(crying, key=lambda one: (-(one.distress or 0.0), one.since))),
            tuple(self._missing()),
            machines,
        )

    def _alive(self, node: str, terms: Terms, now_s: float) -> bool:
        lease = read_lease(self._told.get(lease_topic(node), b""))
        at_s = self._lease_at_s.get(lease_topic(node), -math.inf)
        hears = lease is not None and lease.hearing and now_s < at_s + terms.over_s
        return hears and self._says(f"monitord/{node}/status", ONLINE)

    def _fault(self, root: str) -> str:
        """Why a room is not heard by a shard that is."""
        if self._json(f"{root}/settings").get("enabled") is False:
            return "off"
        fault = str(self._json(f"{root}/health").get("fault") or "ok")
        return "starting" if fault == "ok" else fault

    def _missing(self) -> Iterator[Missing]:
        for topic, payload in sorted(self._told.items()):
            parts = topic.split("/")
            if len(parts) != 4 or parts[0] != ROOT or parts[2] != "undelivered" or not payload:  # noqa: PLR2004 - root, shard, word, place
                continue
            claim = read_claim(self._told.get(claim_topic(parts[1]), b""))
            if parts[1] in self.ward.shards and (claim is None or claim.place != parts[3]):
                values = self._json(topic)
                yield Missing(parts[1], str(values.get("machine")), str(values.get("since")))

    def _says(self, topic: str, word: str) -> bool:
        return self._told.get(topic) == word.encode()

    def _json(self, topic: str) -> Values:
        try:
            values = json.loads(self._told.get(topic) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}


def _of(one: Unheard | Crying) -> dict[str, object]:
    return {"shard": one.shard, "room": one.room, "name": one.name, "site": one.site}


def _time(text: object) -> float | None:
    """Unix seconds of a time in ISO 8601; None where it is none."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).timestamp()
    except ValueError:
        return None
