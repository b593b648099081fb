"""Plays a monitor to Home Assistant, with the real discovery, so that a blueprint meets any situation at will."""

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

from service.homeassistant.house import House, Room
from service.homeassistant.hub import hub_payload
from service.homeassistant.room import room_id, room_payload
from service.messages.message import Node
from tests.support.servers.mosquitto import Mosquitto, Subscriber

ROOMS: Final = (Room("nursery", "Nursery", "Microphone"), Room("bedroom", "Bedroom", "Stream"))
HOUSE: Final = House(Node("home"), "1.0", ROOMS)
WORDS: Final = {"going": "I'm going", "snooze": "Snooze", "got_it": "Got it"}


class Monitor(Subscriber):
    """A monitor of two rooms, `nursery` and `bedroom`. Also hears what is said to it."""

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker, "monitord", topic="monitord/#")
        self._episodes = 0

    def announce(self) -> None:
        """Publishes discovery."""
        devices = {HOUSE.device_id: hub_payload(HOUSE)}
        devices |= {room_id(HOUSE, room): room_payload(HOUSE, room) for room in ROOMS}
        for device, payload in devices.items():
            self._tell(f"homeassistant/device/{device}/config", payload)

    def begin(self) -> None:
        """Publishes the first states: it hears both rooms, and all is calm."""
        for room in ROOMS:
            root = f"monitord/home/{room.source}"
            self.state(room.source)
            self.settings(room.source)
            self._tell(f"{root}/episode", {"episode": None})
            self._tell(f"{root}/health", {"fault": "ok"})
            self._tell(f"{root}/today", {"date": f"{datetime.now(UTC):%Y-%m-%d}", "episodes": 3, "crying_min": 4.5})
            self._tell(f"{root}/proof", {"state": "never", "proven": None})
            self.say(f"{root}/status", "online", retain=True)
        self.say("monitord/home/status", "online", retain=True)
        self.heartbeat()

    def heartbeat(self, heard: int = len(ROOMS), of: int = len(ROOMS)) -> None:
        """Publishes a heartbeat: how many rooms are heard, of how many that are switched on."""
        values = {
            "ts": _iso(time.time()),
            "uptime_s": 60,
            "sources_ok": heard,
            "sources_total": of,
            "lag_ms": 5,
        }
        self._tell("monitord/home/heartbeat", values, retain=False)

    def state(self, source: str, **values: object) -> None:
        """Publishes the state of a room: calm, unless values say otherwise."""
        calm = {"crying": False, "reason": "none", "reason_p": 0.0, "since": None, "episode": None}
        self._tell(f"monitord/home/{source}/state", {**calm, "acknowledged": False, **values})

    def settings(self, source: str, **values: object) -> None:
        """Publishes the settings of a room: switched on, by day, unless values say otherwise."""
        usual = {"enabled": True, "threshold": 0.5, "profile": "day", "snoozed_until": None}
        self._tell(f"monitord/home/{source}/settings", {**usual, **values})

    def signal(self, source: str, *, heard: bool) -> None:
        """Publishes whether a room is heard."""
        self.say(f"monitord/home/{source}/status", "online" if heard else "offline", retain=True)

    def new_episode(self, source: str = "nursery") -> str:
        """Returns the id of an episode that was never told."""
        self._episodes += 1
        return f"{source}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{self._episodes}"

    def event(self, event_type: str, episode: str, **values: object) -> None:
        """Publishes an event; its room is in the episode's name."""
        source = episode.partition("-")[0]
        room = next(room for room in ROOMS if room.source == source)
        usual = {
            "event_type": event_type,
            "id": f"{episode}-{len(self.heard)}-{time.monotonic_ns()}",
            "episode": episode,
            "ts": _iso(time.time()),
            "p_cry": 0.93,
            "reason": "none",
            "reason_p": 0.0,
            "latency_ms": 1400,
            "source": source,
            "node": "home",
            "room": room.name,
            "rooms": [source],
            "since": _iso(time.time() - 1.4),
            "profile": "day",
            "alert": event_type in ("started", "escalated", "test"),
            "unacknowledged_s": 0,
            "latency_end_ms": 12,
            "latency_publish_ms": 12,
            "text": {"title": f"{room.name}: crying", "message": "Since 19:02.", **WORDS},
        }
        if event_type == "test":
            usual |= {"test": True}
        self._tell(f"monitord/home/{source}/event", {**usual, **values}, retain=False)

    def _tell(self, topic: str, values: dict[str, Any], *, retain: bool = True) -> None:
        self.say(topic, json.dumps(values), retain=retain)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
