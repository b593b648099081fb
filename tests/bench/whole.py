"""Measures of the whole daemon: its start, its alert, its steady cost, its replay."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from tests.bench import process, sound_files
from tests.bench.child import OUR_ENVIRONMENT, Daemon, command
from tests.bench.figures import Figure
from tests.bench.sound_files import Sound
from tests.bench.with_children import cpu_s, pss_mb
from tests.support.servers.mosquitto import Mosquitto
from tests.support.servers.virtual_microphone import VirtualMicrophone

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

    def daemon(self, source: str, environment: dict[str, str] | None = None) -> Daemon:
        """A daemon with one source, not started yet."""
        self._daemons += 1
        return Daemon(self.folder / f"bench{self._daemons}", self.broker, self.bundle, source, environment)

    def starts(self, times: int) -> list[Figure]:
        """Starts the daemon again and again, each time with another cry; times its readiness and its alert."""
        files = [
            # Each time at another place between the windows' hops.
            sound_files.write(self.folder / f"cry_{i}.wav", sound_files.onset(BEFORE_S + 0.037 * i, seed=i + 1))
            for i in range(times)
        ]
        decided_s = self._decided_s(files)
        ready: list[float] = []
        alert: list[float] = []
        delivery: list[float] = []
        for i, file in enumerate(files):
            with self.daemon(_file(file)) as daemon:
                ready.append(daemon.ready_s)
                if file.stem not in decided_s:
                    self.say(f"start {i + 1} of {times}: ready {ready[-1]:.2f} s; this bundle misses {file.stem}")
                    continue
                started = daemon.wait("room/event", lambda payload: json.loads(payload)["event_type"] == "started")
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
        file = sound_files.write(self.folder / f"{sound.__name__}.wav", sound(LOOP_S))
        return self._steady(f"{name}, recording", self.daemon(_file(file)), target, n, slice_s)

    def microphone(self, name: str, sound: Sound, target: float, n: int, slice_s: float) -> list[Figure]:
        """The steady cost with a virtual microphone as the source; nothing where this machine has none."""
        if not all(map(shutil.which, MICROPHONE_NEEDS)):
            self.say(f"{name}, microphone: left out, it needs {', '.join(MICROPHONE_NEEDS)}")
            return []
        file = sound_files.write(self.folder / "played.wav", sound(SETTLE_S + n * slice_s + 60.0))
        with _microphone(self.folder / f"microphone{self._daemons}", file) as environment:
            daemon = self.daemon("{microphone: default}", environment)
            return self._steady(f"{name}, microphone", daemon, target, n, slice_s)

    def replay(self, name: str, sound: Sound, times: int) -> list[Figure]:
        """Replays an hour of sound."""
        file = sound_files.write(self.folder / "hour.wav", sound(HOUR_S))
        taken: list[float] = []
        for i in range(times):
            began = time.monotonic()
            subprocess.run(self._replay([file]), check=True, stdout=subprocess.DEVNULL, env=OUR_ENVIRONMENT)
            taken.append(time.monotonic() - began)
            self.say(f"replay, {name}, {i + 1} of {times}: {taken[-1]:.1f} s")
        file.unlink()
        return [Figure(f"replay of an hour, {name}", "s", tuple(taken), 60.0)]

    def _steady(self, name: str, daemon: Daemon, target: float, slices: int, slice_s: float) -> list[Figure]:
        cpu: list[float] = []
        children: list[float] = []
        memory: list[float] = []
        with daemon:
            time.sleep(SETTLE_S)
            for i in range(slices):
                before, own_before, began = cpu_s(daemon.pid), process.cpu_s(daemon.pid), time.monotonic()
                time.sleep(slice_s)
                per_s = 100.0 / (time.monotonic() - began)
                cpu.append(per_s * (cpu_s(daemon.pid) - before))
                children.append(round(cpu[-1] - per_s * (process.cpu_s(daemon.pid) - own_before), 3))
                memory.append(pss_mb(daemon.pid))
                self.say(f"{name}, {i + 1} of {slices}: {cpu[-1]:.2f} % of a core, {memory[-1]:.0f} MB")
        return [
            Figure(f"CPU, {name}", "% of a core", tuple(cpu), target),
            Figure(f"of which decoding or recording, {name}", "% of a core", tuple(children)),
            Figure(f"memory (Pss), {name}", "MB", tuple(memory), 220.0),
        ]

    def _decided_s(self, files: list[Path]) -> dict[str, float]:
        """Where in each recording the first alert was decided (seconds), by the file's stem."""
        done = subprocess.run(self._replay(files), check=True, stdout=subprocess.PIPE, env=OUR_ENVIRONMENT, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        started = [line for line in lines if line.get("event_type") == "started"]
        return {line["source"]: line["t_s"] for line in reversed(started)}  # the first of each wins

    def _replay(self, files: list[Path]) -> list[str]:
        return command("replay", "--bundle", self.bundle, *files)


def _file(path: Path) -> str:
    return f"{{file: {json.dumps(str(path))}, loop: true}}"


@contextmanager
def _microphone(folder: Path, played: Path) -> Iterator[dict[str, str]]:
    """A sound server that plays the recording into its only microphone; gives the variables to find it."""
    folder.mkdir()
    names = ("ALSA_CONFIG_PATH", "PULSE_SERVER", "HOME")
    with pytest.MonkeyPatch.context() as patch:
        microphone = VirtualMicrophone(folder, patch)
        microphone.start()
        try:
            microphone.play(played)
            yield {name: os.environ[name] for name in names}
        finally:
            microphone.kill()
