"""A whole house for tests: the real daemon hears two rooms, a real Home Assistant rings three real phones' numbers.

Each room plays a recording that can be changed while the daemon listens: its file is a link, and the daemon opens it
anew at each turn of the loop.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from tests.support.daemon.daemon import ROOT, Daemon, Json, configure, looped, quiet_room, room, short_cry
from tests.support.homeassistant.home_assistant import HomeAssistant, skip_without_home_assistant
from tests.support.homeassistant.phone import Phone
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.sound.sounds import write_wav

BLUEPRINTS: Final = ROOT / "deploy" / "homeassistant"
ROOMS: Final = ("nursery", "bedroom")
RECORDING: Final = (
    ROOT.parent / "shared/data/donateacry/ios/1309B82C-F146-46F0-A723-45345AFA6EA8-1432801703-1.1-f-26-dc.caf"
)
"""A real baby, 7 s: `monitord replay` says `started` after 1.4 s of it, with probability 1."""
TURN_S: Final = 1.0
"""Length of the quiet that is looped (seconds): so soon does a room play what it is given."""
REMIND_MIN: Final = 0.5
"""By day, in minutes: the shortest that the configuration allows. By night nobody is reminded here."""
HEALTHY: Final = "binary_sensor.baby_monitor_monitoring_healthy"
LINES: Final = 12
"""How much of each log is shown where a test fails."""


def cry_recording(folder: Path) -> Path:
    """Returns a real baby's cry, or where there is none beside the checkout, the synthetic one."""
    return RECORDING if RECORDING.is_file() else write_wav(folder / "cry.wav", room(short_cry()))


@dataclass
class House:
    """Two rooms, the daemon, the broker, Home Assistant, two phones of one parent and one of the other."""

    folder: Path
    broker: Mosquitto
    home: HomeAssistant
    subscriber: Subscriber
    """Hears all that is said under `monitord/`, with a durable session."""
    iphone: Phone
    tablet: Phone
    second: Phone
    """Of the second parent."""
    daemon: Daemon = field(init=False)
    """The one that runs, or ran last."""
    began: float = field(default_factory=time.time)
    """Wall time from which events count (Unix seconds)."""

    def __post_init__(self) -> None:
        self._cry = cry_recording(self.folder)
        self._quiet = quiet_room(self.folder / "quiet.wav", TURN_S)
        for source in ROOMS:
            self.hush(source)
        sources = {source: looped(self._sound(source)) for source in ROOMS}
        profiles = {"day": {"remind_after_min": REMIND_MIN}, "night": {"remind_after_min": None}}
        self._configuration = configure(self.folder, self.broker, sources, profiles=profiles)

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All of them, as the blueprint numbers them."""
        return (self.iphone, self.tablet, self.second)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.__exit__()

    def start(self) -> None:
        """Starts the daemon."""
        self.daemon = Daemon(self.folder, "--config", self._configuration)
        self.daemon.__enter__()

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self.daemon.kill()
        self.daemon.__exit__()

    def restart(self) -> None:
        """Ends it as a service manager does, and starts it again."""
        code, _ = self.daemon.stop()
        assert code == 0, self.report()
        self.daemon.__exit__()
        self.start()

    def cry(self, source: str) -> None:
        """Lets a baby cry in a room, without an end, from its next turn on."""
        self._play(source, self._cry)

    def hush(self, source: str) -> None:
        """Lets a room be quiet, after the turn in hand."""
        self._play(source, self._quiet)

    def events(self, event_type: str = "", source: str = "+") -> list[Json]:
        """Events on MQTT so far; all types and rooms, unless named."""
        return [
            event
            for topic in (ROOMS if source == "+" else (source,))
            for event in self.subscriber.values(f"monitord/home/{topic}/event")
            if event_type in ("", event["event_type"])
        ]

    def last(self, topic: str) -> Json:
        """The newest on a topic under the node; empty where there was none yet."""
        return self.subscriber.latest(f"monitord/home/{topic}")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits until a condition holds; fails with all that there is to see where it does not."""
        try:
            until(condition, PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"waited {PATIENCE_S:g} s for {what}\n{self.report()}") from None

    def until_state(self, entity_id: str, *states: str) -> None:
        """Waits until an entity of Home Assistant has one of these states."""
        self.until(lambda: self.home.state(entity_id) in states, f"{entity_id} to be {' or '.join(states)}")

    def until_event(self, source: str, event_type: str) -> None:
        """Waits until the event entity of a room has told this type, since the test began."""
        self.until(lambda: event_type in self.told(source), f"event.{source}_cry_event to tell {event_type}")

    def until_received(self, source: str, *receivers: str) -> Json:
        """Waits until these receivers have answered the test alarm of a room; returns the proof."""
        proof = f"{source}/proof"
        self.until(lambda: set(receivers) <= set(self.last(proof).get("receivers", {})), f"{receivers} in {proof}")
        return self.last(proof)

    def until_shown(self, tag: str, *phones: Phone) -> None:
        """Waits until all these phones show a notification."""
        self.until(lambda: all(tag in phone.shows() for phone in phones), f"{tag} on the phones")

    @staticmethod
    def rung(phone: Phone) -> set[str]:
        """Tags of all notifications that a phone has ever shown since the test began."""
        return {push["data"]["tag"] for push in list(phone.pushes) if push["message"] != "clear_notification"}

    def until_gone(self, tag: str) -> None:
        """Waits until no phone shows a notification any more."""
        self.until(lambda: not any(tag in phone.shows() for phone in self.phones), f"{tag} to leave the phones")

    def until_well(self) -> None:
        """Waits until Home Assistant says that every room is listened to."""
        for source in ROOMS:
            self.until_state(f"binary_sensor.{source}_crying", "off", "on")
        self.until_state(HEALTHY, "on")

    def set_profile(self, profile: str) -> None:
        """Sets the nursery's in Home Assistant, and waits until it is in force."""
        entity_id = "select.nursery_alert_profile"
        self.home.call("select.select_option", entity_id=entity_id, option=profile)
        self.until_state(entity_id, profile)

    def calm(self) -> None:
        """Ends all crying, and waits until that is told."""
        for source in ROOMS:
            self.hush(source)
        for source in ROOMS:
            self.until_state(f"binary_sensor.{source}_crying", "off")

    def entities(self) -> dict[str, str]:
        """State by entity id, of all that we announced."""
        ours = {e["entity_id"] for e in self.home.command("config/entity_registry/list") if e["platform"] == "mqtt"}
        states = self.home.ask("GET", "/api/states")
        return {state["entity_id"]: state["state"] for state in states if state["entity_id"] in ours}

    def attributes(self, entity_id: str) -> Json:
        """Attributes of an entity of Home Assistant; empty where there is no such entity."""
        entity = self.home.entity(entity_id)
        return {} if entity is None else dict(entity["attributes"])

    def told(self, source: str) -> list[str]:
        """Types that the event entity of a room has told since the test began, as Home Assistant's history has them."""
        entity_id = f"event.{source}_cry_event"
        began = quote(datetime.fromtimestamp(self.began, UTC).isoformat())
        query = f"/api/history/period/{began}?filter_entity_id={entity_id}&significant_changes_only=0"
        states = [state for states in self.home.ask("GET", query) for state in states]
        # The first is what it was when the test began.
        return [
            state["attributes"]["event_type"]
            for state in states
            if datetime.fromisoformat(state["last_changed"]).timestamp() > self.began
            and state["attributes"].get("event_type")
        ]

    def forget(self) -> None:
        """Begins anew: what was told and pushed so far does not count."""
        self.began = time.time()
        self.subscriber.heard.clear()
        for phone in self.phones:
            phone.forget()

    def announced(self) -> dict[str, Json]:
        """Discovery payloads on the broker, by topic."""
        with Subscriber(self.broker, "looks", topic="homeassistant/device/+/config") as subscriber:
            until(lambda: len(subscriber.heard) == 1 + len(ROOMS))
            return {heard.topic: json.loads(heard.payload) for heard in subscriber.heard}

    def report(self) -> str:
        """All that helps to see what went wrong."""
        shown = {phone.action: {tag: push["title"] for tag, push in phone.shows().items()} for phone in self.phones}
        parts = {
            "states": [f"{entity} {state}" for entity, state in sorted(self._states().items())],
            "events": [json.dumps(event) for event in self.events()[-LINES:]],
            "phones show": [json.dumps(shown)],
            "daemon": self.daemon.words.splitlines()[-LINES:],
            "Home Assistant": self.home.warnings()[-LINES:],
        }
        return "\n".join(f"{name}:\n  " + "\n  ".join(lines) for name, lines in parts.items())

    def _states(self) -> dict[str, str]:
        try:
            return self.entities()
        except (AssertionError, OSError) as error:
            return {"Home Assistant": f"does not answer: {error}"}

    def _play(self, source: str, recording: Path) -> None:
        connection = self.folder / f"{source}.new"
        connection.symlink_to(recording)
        os.replace(connection, self._sound(source))  # noqa: PTH105 - in one step: the daemon always finds a file

    def _sound(self, source: str) -> Path:
        return self.folder / f"{source}.sound"


@contextlib.contextmanager
def whole_house(folder: Path) -> Iterator[House]:
    """A house where all is well, with *cry alert* installed: the second parent is told after half a minute."""
    skip_without_home_assistant()
    with (
        Mosquitto(folder / "broker") as broker,
        HomeAssistant(folder / "ha", broker) as home,
        Subscriber(broker, topic="monitord/#") as subscriber,
        Phone(home, "anna", "iOS") as iphone,
        Phone(home, "anna_tablet", "Android") as tablet,
        Phone(home, "ben", "Android") as second,
        House(folder, broker, home, subscriber, iphone, tablet, second) as house,
    ):
        house.until_well()
        home.install(
            BLUEPRINTS / "cry_alert.yaml",
            "Cry alert",
            rooms=[f"event.{source}_cry_event" for source in ROOMS],
            first_phones=[iphone.action, tablet.action],
            second_phones=[second.action],
            second_after_min=REMIND_MIN,
        )
        yield house
