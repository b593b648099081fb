"""Rooms whose threads say what a test lets them say, their monitor, and what it tells."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams
from service.capture.inbox import Inbox
from service.capture.source import SourceState, SourceStatus
from service.health.monitor import HealthMonitor
from service.messages.message import Message, Node
from service.messages.texts import Texts
from service.notify.notice import Notice
from service.pipeline.channel import SourceChannel
from tests.support.sound.sounds import noise, silence


@dataclass
class Told:
    """Keeps what is told and shown."""

    messages: list[Message] = field(default_factory=list)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def tell(self, message: Message) -> bool:
        """As the monitor's `tell`."""
        self.messages.append(message)
        return True

    def fault(self, source: str, fault: str, detail: str = "") -> None:
        """As `Screen.fault`."""
        self.shown.append((source, fault, detail))

    def take(self) -> dict[str, str]:
        """What was told since the last time, by the end of its topic."""
        taken = {message.topic.split("/", 2)[2]: str(message.payload) for message in self.messages}
        assert len(taken) == len(self.messages)
        self.messages.clear()
        return taken


class Room:
    """A source whose thread says what the test lets it say; its inbox and its channel are real."""

    def __init__(self, source: str = "room") -> None:
        self.inbox = Inbox(source)
        self.channel = SourceChannel.of(self.inbox, ListenerParams(), TrackerParams())
        self.says = SourceStatus(SourceState.STARTING)

    @property
    def id(self) -> str:
        """As `Source.id`."""
        return self.inbox.source

    def start(self) -> None:
        """As `Source.start`."""

    def stop(self, timeout_s: float) -> bool:
        """As `Source.stop`."""
        return timeout_s >= 0

    def status(self) -> SourceStatus:
        """As `Source.status`."""
        return self.says

    def hear(self, duration_s: float = 0.1, *, dead: bool = False) -> None:
        """Lets the worker's part happen: sound comes and is heard."""
        self.says = SourceStatus(SourceState.LIVE)
        sound = silence(duration_s) if dead else noise(duration_s)
        self.inbox.write(sound, 16_000, time.time() - duration_s)
        self.channel.take()
        self.channel.published_tally = self.channel.tally()

    def wait(self, duration_s: float) -> None:
        """Lets so much time pass without sound."""
        assert self.channel.last_audio_monotonic is not None
        self.channel.last_audio_monotonic -= duration_s


class Watch(HealthMonitor):
    """A monitor that asks for itself when the worker last moved."""

    moved_at: Callable[[], float] | None = None

    def poll(self, moved_at: float | None = None) -> None:
        """As the daemon does."""
        super().poll(moved_at if self.moved_at is None else self.moved_at())


def watch(told: Told, *rooms: Room, moved_at: Callable[[], float] | None = None) -> HealthMonitor:
    monitor = Watch(
        Node("home"),
        {room.id: room.id for room in rooms},
        [(room, room.channel) for room in rooms],
        tell=told.tell,
        screen=told,
        texts=Texts.load("en"),
        notify=told.notices.append,
    )
    monitor.moved_at = moved_at
    return monitor


def health(payload: str) -> dict[str, object]:
    values = json.loads(payload)
    assert isinstance(values, dict)
    return values
