"""Measures of the whole daemon: its start, its alert, its steady cost, its replay."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from tests.bench import process, sounds
from tests.bench.cost.figures import Figure
from tests.bench.sounds import Sound
from tests.support.daemon.daemon import Daemon, configure, looped, monitord
from tests.support.servers.mosquitto import Heard, Mosquitto, Subscriber
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.sound.sounds import write_wav

SETTLE_S = 15.0
"""Before the steady cost is taken (seconds): the floor of the room is found, the network is warm."""
LOOP_S = 60.0
"""Length of a looped recording (seconds)."""
BEFORE_S = 3.0
"""Quiet before a cry that is timed (seconds): the daemon is online by then."""
HOUR_S = 3600.0
"""Seconds."""
MICROPHONE_NEEDS = ("pulseaudio", "pactl", "paplay")
"""Programs of the virtual microphone."""


@dataclass(frozen=True)
class OneRoom:
    """A daemon with one source, `room`, and a node of its own."""

    node: str
    daemon: Daemon
    subscriber: Subscriber
    began_s: float
    """Start of the process (monotonic seconds)."""

    @property
    def pid(self) -> int:
        """Process id."""
        return self.daemon.pid

    def first(self, topic: str, wanted: Callable[[str], bool]) -> Heard:
        """Waits for a message under the node's topic."""
        full, found = f"monitord/{self.node}/{topic}", list[Heard]()

        def came() -> bool:
            found.extend(said for said in list(self.subscriber.heard) if said.topic == full and wanted(said.payload))
            return bool(found)

        self.daemon.wait_for(came, full)
        return found[0]

    def ready_s(self) -> float:
        """Waits until node and source are online; says how long that took (seconds)."""
        return max(self.first(topic, "online".__eq__).at_s for topic in ("status", "room/status")) - self.began_s


@dataclass
class Bench:
    """Where and with what is measured."""

    folder: Path
    """Empty, for sounds and states."""
    broker: Mosquitto
    bundle: Path
    say: Callable[[str], None]
    """Gets a line of progress."""
    _daemons: int = field(default=0, init=False)

    @contextmanager
    def daemon(self, source: Mapping[str, object]) -> Iterator[OneRoom]:
        """A daemon that is ready."""
        self._daemons += 1
        node = f"bench{self._daemons}"
        folder = self.folder / node
        folder.mkdir()
        config = configure(folder, self.broker, {"room": source}, node=node, bundle=str(self.bundle))
        with Subscriber(self.broker, node, topic=f"monitord/{node}/#") as subscriber:
            began_s = time.monotonic()
            with Daemon(folder, "--config", config, json_lines=False) as daemon:
                room = OneRoom(node, daemon, subscriber, began_s)
                room.ready_s()
                yield room
                daemon.stop()

    def starts(self, times: int) -> list[Figure]:
        """Starts the daemon again and again, each time with another cry; times its readiness and its alert."""
        files = [
            # Each time at another place between the windows' hops.
            write_wav(self.folder / f"cry_{i}.wav", sounds.onset(BEFORE_S + 0.037 * i, seed=i + 1))
            for i in range(times)
        ]
        decided_s = self._decided_s(files)
        ready: list[float] = []
        alert: list[float] = []
        delivery: list[float] = []
        for i, file in enumerate(files):
            with self.daemon(looped(file)) as room:
                ready.append(room.ready_s())
                if file.stem not in decided_s:
                    self.say(f"start {i + 1} of {times}: ready {ready[-1]:.2f} s; this bundle misses {file.stem}")
                    continue
                started = room.first("room/event", lambda payload: json.loads(payload)["event_type"] == "started")
            # The event says when the sound that it rests on ended; the replay says where in the recording that was.
            late_s = started.at - datetime.fromisoformat(json.loads(started.payload)["ts"]).timestamp()
            delivery.append(late_s)
            alert.append(decided_s[file.stem] - (BEFORE_S + 0.037 * i) + late_s)
            self.say(f"start {i + 1} of {times}: ready {ready[-1]:.2f} s, alert {alert[-1]:.2f} s after the onset")
        figures = [Figure("start to ready", "s", tuple(ready), 4.0)]
        if alert:
            figures += [
                Figure("first sound of a cry to `started` on MQTT", "s", tuple(alert), 1.5),
                Figure("of which after the last sound that it rests on", "s", tuple(delivery)),
            ]
        return figures

    def recording(self, name: str, sound: Sound, target: float, n: int, slice_s: float) -> list[Figure]:
        """The steady cost with a looped recording as the source."""
        file = write_wav(self.folder / f"{sound.__name__}.wav", sound(LOOP_S))
        return self._steady(f"{name}, recording", looped(file), target, n, slice_s)

    def microphone(self, name: str, sound: Sound, target: float, n: int, slice_s: float) -> list[Figure]:
        """The steady cost with a virtual microphone as the source; nothing where this machine has none."""
        if not all(map(shutil.which, MICROPHONE_NEEDS)):
            self.say(f"{name}, microphone: left out, it needs {', '.join(MICROPHONE_NEEDS)}")
            return []
        file = write_wav(self.folder / "played.wav", sound(SETTLE_S + n * slice_s + 60.0))
        with _microphone(self.folder / f"microphone{self._daemons}", file):
            return self._steady(f"{name}, microphone", {"microphone": "default"}, target, n, slice_s)

    def replay(self, name: str, sound: Sound, times: int) -> list[Figure]:
        """Replays an hour of sound."""
        file = write_wav(self.folder / "hour.wav", sound(HOUR_S))
        taken: list[float] = []
        for i in range(times):
            began = time.monotonic()
            self._replay([file])
            taken.append(time.monotonic() - began)
            self.say(f"replay, {name}, {i + 1} of {times}: {taken[-1]:.1f} s")
        file.unlink()
        return [Figure(f"replay of an hour, {name}", "s", tuple(taken), 60.0)]

    def _steady(
        self, name: str, source: Mapping[str, object], target: float, slices: int, slice_s: float
    ) -> list[Figure]:
        cpu: list[float] = []
        children: list[float] = []
        memory: list[float] = []
        with self.daemon(source) as room:
            time.sleep(SETTLE_S)
            for i in range(slices):
                began, all_s, own_s = time.monotonic(), process.cpu_with_children_s(room.pid), process.cpu_s(room.pid)
                time.sleep(slice_s)
                per_s = 100.0 / (time.monotonic() - began)
                cpu.append(per_s * (process.cpu_with_children_s(room.pid) - all_s))
                children.append(round(cpu[-1] - per_s * (process.cpu_s(room.pid) - own_s), 3))
                memory.append(process.memory_with_children_mb(room.pid))
                self.say(f"{name}, {i + 1} of {slices}: {cpu[-1]:.2f} % of a core, {memory[-1]:.0f} MB")
        return [
            Figure(f"CPU, {name}", "% of a core", tuple(cpu), target),
            Figure(f"of which decoding or recording, {name}", "% of a core", tuple(children)),
            Figure(f"memory (Pss), {name}", "MB", tuple(memory), 220.0),
        ]

    def _decided_s(self, files: list[Path]) -> dict[str, float]:
        """Where in each recording the first alert was decided (seconds), by the file's stem."""
        lines = [json.loads(line) for line in self._replay(files).splitlines()]
        started = [line for line in lines if line.get("event_type") == "started"]
        return {line["source"]: line["t_s"] for line in reversed(started)}  # the first of each wins

    def _replay(self, files: list[Path]) -> str:
        done = monitord("replay", "--bundle", self.bundle, *files, timeout_s=HOUR_S)
        done.check_returncode()
        return done.stdout


@contextmanager
def _microphone(folder: Path, played: Path) -> Iterator[None]:
    """A sound server that plays the recording into its only microphone; what is started in the block finds it."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        microphone = VirtualMicrophone(folder, patch)
        microphone.start()
        try:
            microphone.play(played)
            yield
        finally:
            microphone.kill()
