"""What the family may ask over MQTT: topic and value to a frozen command; anything else is refused with a log line."""

import json
import logging
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from service.messages.corrections import EPISODE_ID, Correct, parse_correction
from service.messages.message import Node
from service.messages.tuning import Tune, UndoTuning, parse_tuning

log = logging.getLogger(__name__)

BROKER = "broker"
"""The receiver that every test alarm has."""

PRESS = "PRESS"
"""What a button sends (Home Assistant's default `payload_press`)."""

UNDO = "UNDO"
"""What takes an adaptation back, on the topic whose button makes one."""

SNOOZE_MAX_MIN = 12 * 60
"""Longest snooze (minutes): a night; longer is switching off, and that is what `enabled` is for."""

TEST_MAX_DB = 60
"""Loudest test alarm that can be asked for (decibels over the room's noise): a cry beside the bed of a quiet room."""

NAME_MAX_CHARS = 64
"""Longest name of who goes that is kept; as of a device of the page."""

VALUE_MAX_CHARS = 300
"""Longest value read: a correction with an episode's id (fewer than 130 characters) and what it was."""

EVENT_MAX_BYTES = 10_000
"""Longest event read (bytes): ours have fewer than 1,000."""


@dataclass(frozen=True, slots=True)
class TestAlarm:
    """Lay a cry over what is captured and follow it to the phones."""

    source: str | None
    """None is every source."""
    over_db: float | None = None
    """How far the cry stands over the room's own noise (decibels); None: as loud as a baby beside the microphone."""

    __test__ = False  # a name that pytest would collect


@dataclass(frozen=True, slots=True)
class Received:
    """A receiver got a test alarm."""

    source: str
    episode: str
    """Id of the test."""
    receiver: str
    """`[a-z0-9_]+`; `BROKER` where our own event came back from it."""


@dataclass(frozen=True, slots=True)
class NotReceived:
    """A channel of ours could not hand over a test alarm; it is tried again."""

    source: str
    episode: str
    """Id of the test."""
    receiver: str
    reason: str
    """For a person."""


@dataclass(frozen=True, slots=True)
class Restart:
    """End cleanly, so that the service manager starts the daemon anew."""


@dataclass(frozen=True, slots=True)
class SetEnabled:
    """Switch a source's alarm on or off; it is heard all the same."""

    source: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """Move a source's cry threshold."""

    source: str
    threshold: float
    """Probability, 0 < threshold < 1."""


@dataclass(frozen=True, slots=True)
class SetProfile:
    """Choose a source's profile; whether there is one of that name, the daemon knows."""

    source: str
    profile: str
    """`[a-z0-9_]+`."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody is on the way."""

    source: str
    episode: str | None
    """Id of the episode that is meant; None is the current one."""
    by: str = ""
    """Who goes: the name of the family's device on which it was said, or of a person; empty: nobody says."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Acknowledge the episode in hand, and those that start within a while."""

    source: str
    minutes: int
    """0 to 720; 0 ends a snooze."""


@dataclass(frozen=True, slots=True)
class Adapt:
    """Learn anew from all corrections, now."""


@dataclass(frozen=True, slots=True)
class UndoAdaptation:
    """Forget all corrections: hear again as the bundle does."""


@dataclass(frozen=True, slots=True)
class TellAgain:
    """Home Assistant has started: an event that was told while it was away is lost to it."""


Command = (
    TestAlarm
    | Received
    | NotReceived
    | Restart
    | TellAgain
    | SetEnabled
    | SetThreshold
    | SetProfile
    | Acknowledge
    | Snooze
    | Correct
    | Tune
    | UndoTuning
    | Adapt
    | UndoAdaptation
)

_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_WORD = re.compile(r"[a-z0-9_]+")
_NODE_COMMANDS = ("test_alarm", "restart", "adapt")


def subscriptions(node: Node) -> tuple[str, ...]:
    """Returns the topic filters of commands, and of our own events: they come back as proof that they are passed on."""
    return (f"{node.root}/+/set", f"{node.root}/+/+/set", f"{node.root}/+/event")


def topics(node: Node, sources: Collection[str]) -> tuple[str, ...]:
    """Returns the same for a broker that takes no wildcards: each topic by its name."""
    names = [*(f"{name}/set" for name in _OF_SOURCE), "event"]
    rooms = [f"{node.root}/{source}/{name}" for source in sources for name in names]
    return (*(f"{node.root}/{name}/set" for name in _NODE_COMMANDS), *rooms)


def parse(node: Node, sources: Collection[str], topic: str, payload: bytes) -> Command | None:
    """Returns the command, or None after one log line that says what was wrong with it. Never raises."""
    try:
        return read(node, sources, topic, payload)
    except (ValueError, RecursionError) as error:  # the second: JSON nested a thousand times
        # Anybody chooses the topic: no line end or colour code of theirs may stand in our log.
        log.warning("command on %s refused: %s", topic if topic.isprintable() else ascii(topic), error)
        return None


def read(node: Node, sources: Collection[str], topic: str, payload: bytes) -> Command | None:
    """Returns the command, or None where it is an event of ours that nobody waits for.

    Raises:
        ValueError: What is wrong with it, for a person.
        RecursionError: JSON nested a thousand times.
    """
    match topic.removeprefix(f"{node.root}/").split("/"):
        case [source, "event"]:
            return _echo(source, payload) if source in sources else None
    if len(payload) > VALUE_MAX_CHARS:
        raise ValueError(f"{len(payload)} bytes are no value")
    value = payload.decode().strip()  # UnicodeDecodeError is a ValueError
    match topic.removeprefix(f"{node.root}/").split("/"):
        case ["test_alarm", "set"]:
            return _pressed(value, TestAlarm(None))
        case ["restart", "set"]:
            return _pressed(value, Restart())
        case ["adapt", "set"]:
            return UndoAdaptation() if value == UNDO else _pressed(value, Adapt())
        case [source, name, "set"] if name in _OF_SOURCE:
            if source not in sources:
                raise ValueError(f"no source {source!r}; there are {', '.join(sorted(sources))}")
            return _OF_SOURCE[name](source, value)
    raise ValueError("no such command")


def _echo(source: str, payload: bytes) -> Received | None:
    """Our own event, back from the broker; only test alarms ask for it."""
    if len(payload) > EVENT_MAX_BYTES:
        raise ValueError(f"{len(payload)} bytes are no event of ours")
    event = json.loads(payload)
    if not isinstance(event, dict) or event.get("event_type") != "test":
        return None
    return Received(source, str(event.get("episode")), BROKER)


def _pressed(value: str, command: Command) -> Command:
    if value != PRESS:
        raise ValueError(f"{value!r} is not {PRESS}")
    return command


def _enabled(source: str, value: str) -> Command:
    if value.lower() not in _SWITCH:
        raise ValueError(f"{value!r} is neither ON nor OFF")
    return SetEnabled(source, _SWITCH[value.lower()])


def _threshold(source: str, value: str) -> Command:
    threshold = float(value)
    if not 0 < threshold < 1:  # also refuses NaN
        raise ValueError(f"{value!r} is no probability between 0 and 1")
    return SetThreshold(source, threshold)


def _profile(source: str, value: str) -> Command:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} is no profile name ([a-z0-9_]+)")
    return SetProfile(source, value)


def _ack(source: str, value: str) -> Command:
    if value == PRESS:
        return Acknowledge(source, None)
    episode, _, name = value.partition(" ")
    if not EPISODE_ID.fullmatch(episode):
        raise ValueError(f"{value!r} is neither {PRESS} nor an episode id")
    # A strange name is no reason to refuse: somebody goes.
    by = "".join(letter for letter in name if letter.isprintable()).strip()
    return Acknowledge(source, episode, by[:NAME_MAX_CHARS])


def _snooze(source: str, value: str) -> Command:
    minutes = float(value)
    if not (0 <= minutes <= SNOOZE_MAX_MIN and minutes.is_integer()):
        raise ValueError(f"{value!r} is no number of minutes between 0 and {SNOOZE_MAX_MIN}")
    return Snooze(source, int(minutes))


def _test_alarm(source: str, value: str) -> Command:
    if value == PRESS:
        return TestAlarm(source)
    over_db = float(value)
    if not 0 <= over_db <= TEST_MAX_DB:  # also refuses NaN
        raise ValueError(f"{value!r} is neither {PRESS} nor decibels over the room's noise, 0 to {TEST_MAX_DB}")
    return TestAlarm(source, over_db)


def _received(source: str, value: str) -> Command:
    episode, _, receiver = value.partition(" ")
    if not (EPISODE_ID.fullmatch(episode) and _WORD.fullmatch(receiver)) or receiver == BROKER:
        raise ValueError(f"{value!r} is no episode id and name of a receiver ([a-z0-9_]+)")
    return Received(source, episode, receiver)


_OF_SOURCE: dict[str, Callable[[str, str], Command]] = {
    "test_alarm": _test_alarm,
    "received": _received,
    "enabled": _enabled,
    "threshold": _threshold,
    "profile": _profile,
    "ack": _ack,
    "snooze": _snooze,
    "correct": parse_correction,
    "tuning": parse_tuning,
}
