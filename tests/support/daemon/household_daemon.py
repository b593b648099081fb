"""A node with a room or more, as the daemon builds it, without threads, devices and a broker.

Worker, channels, reporter and store are real; what is sent, shown and pushed is kept. Time passes as the test says.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from model.classifier import Classifier
from monitord.household import Household
from monitord.types import RATE_HZ, Pcm
from service.adaptation.adapter import Adapter
from service.alerts.command_queue import CommandQueue
from service.alerts.publisher import Publisher
from service.alerts.reporter import AlertReporter
from service.capture.inbox import Inbox
from service.config import Config
from service.messages import commands
from service.messages.commands import Command
from service.messages.json_lines import Line
from service.messages.message import Message, Node
from service.messages.texts import Texts
from service.notify.notice import Notice
from service.pipeline.channel import SourceChannel
from service.pipeline.worker import Worker
from service.storage.documents import DocumentStore
from tests.support.sound.sounds import noise, tone

QUIET = noise(1.0, rms_dbfs=-80)
CRY = tone(300, 2.0)
NEAR = tone(300, 2.0, peak_dbfs=0.0)
FAR = tone(300, 2.0, peak_dbfs=-12.0)
"""The same cry through a wall."""
HOLD = np.tile(QUIET, 11)
"""Quiet for longer than an episode waits for another cry."""


def both(nursery: Pcm, bedroom: Pcm) -> dict[str, Pcm]:
    """What two rooms hear at once."""
    return {"nursery": nursery, "bedroom": bedroom}


class Clock:
    """Both clocks of the process, which the test moves on; the time that really passes goes by as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        monotonic, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + self._ahead_s)
        monkeypatch.setattr(time, "time", lambda: wall() + self._ahead_s)

    def now(self) -> float:
        """Wall time (Unix seconds)."""
        return time.time()

    def pass_by(self, seconds: float) -> None:
        """Lets so much time pass at once."""
        self._ahead_s += seconds


@dataclass
class House:
    """One node; a second one on the same `state_dir` is the daemon's next run."""

    classifier: Classifier
    state_dir: Path
    sources: tuple[str, ...] = ("room",)
    demo: bool = False
    language: str = "en"
    round_s: float = 0.5
    """Sound that a room hears in a round (seconds)."""
    config: Config = field(default_factory=Config)
    passing: Clock | None = None
    """Moves on with the sound that is heard; None: the house hears faster than time passes."""
    faults: dict[str, str] = field(default_factory=dict)
    """What the monitor says is wrong with a source, in words."""
    notices: list[Notice] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    levels: list[tuple[str, float, float]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    restarts: int = 0

    def __post_init__(self) -> None:
        manifest = self.classifier.bundle.manifest
        self.channels = {one: SourceChannel.of(Inbox(one), manifest.listener, manifest.tracker) for one in self.sources}
        names = {one: one.capitalize() for one in self.sources}
        self.node = Node("home", demo=self.demo)
        publisher = Publisher(self.node, names, Texts.load(self.language), self.tell, self, self.notices.append)
        self.wake, self.household = Event(), Household()
        self.queue = CommandQueue(self.wake)
        store = DocumentStore(self.state_dir)
        self.adapter = Adapter(self.classifier, self.channels, self.household, store)
        self.reporter = AlertReporter(
            publisher,
            self.channels,
            store,
            self.queue,
            household=self.household,
            health=self,
            adapter=self.adapter,
            profiles=self.config.profiles,
            daily_at=self.config.test_alarm.daily_at,
            restart=self.restart,
        )
        self.worker = Worker(list(self.channels.values()), self.classifier, self.reporter, self.wake)
        self.clock = time.time() - 3_600  # wall time of sample 0

    def count_heard(self) -> int:
        """As `Health.count_heard`."""
        return len(self.channels)

    def fault_of(self, source: str) -> str:
        """As `Health.fault_of`."""
        return self.faults.get(source, "")

    def tell(self, message: Message) -> bool:
        """As the reporter's `tell`."""
        self.messages.append(message)
        self.order.append(message.topic)
        return True

    def line(self, line: Line) -> None:
        """As `Screen.line`."""
        self.lines.append(line)
        self.order.append("line")

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """As `Screen.level`."""
        self.levels.append((source, dbfs, floor_dbfs))

    def restart(self) -> None:
        """As the reporter's `restart`."""
        self.restarts += 1

    def hear(self, *sounds: Pcm, source: str | None = None) -> None:
        """Lets one room hear, round by round; without a name, the first."""
        self.hear_all({source or self.sources[0]: np.concatenate(sounds)})

    def hear_all(self, sounds: Mapping[str, Pcm]) -> None:
        """Lets rooms hear at once, round by round."""
        step = round(self.round_s * RATE_HZ)
        for start in range(0, max(map(len, sounds.values())), step):
            if self.passing is not None:
                self.passing.pass_by(self.round_s)
            for source, samples in sounds.items():
                part, inbox = samples[start : start + step], self.channels[source].inbox
                inbox.write(part, RATE_HZ, self.clock + inbox.tally().captured / RATE_HZ)
            self.worker.round()

    def command(self, *given: Command) -> None:
        """Lets the worker obey."""
        for one in given:
            self.queue.put(one)
        self.worker.round()

    def echo(self) -> None:
        """Does as the broker: the newest event comes back to the daemon."""
        event = next(one for one in reversed(self.messages) if one.topic.endswith("/event"))
        assert isinstance(event.payload, str)
        command = commands.parse(self.node, self.sources, event.topic, event.payload.encode())
        if command is not None:
            self.command(command)

    def of(self, topic: str) -> list[dict[str, Any]]:
        """Payloads on `monitord/home/<topic>`."""
        return [json.loads(one.payload) for one in self.messages if one.topic == f"monitord/home/{topic}"]

    def last(self, topic: str) -> dict[str, Any]:
        """The newest of them: what the broker keeps."""
        return self.of(topic)[-1]

    def told(self, source: str | None = None) -> list[dict[str, Any]]:
        """Events of one room; without a name, the first."""
        return self.of(f"{source or self.sources[0]}/event")

    def events(self, source: str | None = None) -> list[str]:
        """Their types."""
        return [event["event_type"] for event in self.told(source)]
