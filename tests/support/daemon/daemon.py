"""The daemon as a person runs it: a real process, its lines, its words and its end."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from monitord.synthetic.synthetic_cry import BOUT, cry
from monitord.types import RATE_HZ, Pcm
from service.messages.faults import FAULTS
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto
from tests.support.sound.sounds import noise, pcm, silence, write_wav

RUN: Final = (sys.executable, "-m", "service", "run")
"""`monitord run` of this checkout."""
DEPLOY_RUN: Final = (str(ROOT / "deploy" / "run"), "--no-gpu")
"""What the README begins with; becomes `monitord run`, with the same process id."""

Json = dict[str, Any]
"""One JSON line, or the payload of one message. Any: values of JSON."""

CRY_S = 4.7
"""Length of `short_cry` (seconds)."""


def short_cry() -> Pcm:
    """The loudest part of the synthetic bout, so that a test in real time takes seconds."""
    return pcm(cry(BOUT[2:6]), -6.0)


def room(*parts: Pcm, rms_dbfs: float = -70.0) -> Pcm:
    """Joins sounds, with the noise of a quiet room through them all."""
    sound = np.concatenate(parts)
    return sound + noise(len(sound) / RATE_HZ, rms_dbfs=rms_dbfs)


def crying_room(path: Path, before_s: float = 1.0, after_s: float = 1.0) -> Path:
    """Writes quiet, a short cry, quiet; returns the path."""
    return write_wav(path, room(silence(before_s), short_cry(), silence(after_s)))


def quiet_room(path: Path, duration_s: float = 5.0) -> Path:
    """Writes a room in which nothing happens; returns the path."""
    return write_wav(path, room(silence(duration_s)))


def looped(path: Path) -> dict[str, object]:
    """The source of a recording that plays over and over."""
    return {"file": str(path), "loop": True}


def crying_house(folder: Path) -> dict[str, object]:
    """The sources of a house whose nursery cries over and over, and whose attic is quiet."""
    return {
        "nursery": looped(crying_room(folder / "cry.wav", 0.5, 0.5)),
        "attic": looped(quiet_room(folder / "quiet.wav")),
    }


def configure(folder: Path, broker: Mosquitto | None, sources: Mapping[str, object], **more: object) -> Path:
    """Writes a configuration with a state directory in the folder; JSON is YAML. Returns its path."""
    values: dict[str, object] = {"sources": sources, "state_dir": str(folder / "state"), **more}
    if broker is not None and "mqtt" not in more:
        values["mqtt"] = {"host": "127.0.0.1", "port": broker.port}
    path = folder / "monitord.yaml"
    path.write_text(json.dumps(values, indent=1))
    return path


def monitord(*arguments: str | Path, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """Runs a command of `monitord` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


class Daemon:
    """`monitord run`; a with-block starts it and, where the test has not, kills it.

    Args:
        folder: Where its words are kept.
        arguments: What follows `run`.
        json_lines: Whether it is asked for JSON lines; without, `printed` holds what a person reads.
        program: What starts it.
    """

    def __init__(
        self, folder: Path, *arguments: str | Path, json_lines: bool = True, program: Sequence[str] = RUN
    ) -> None:
        options = ["--json"] if json_lines else []
        self._command = [*program, *options, *map(str, arguments)]
        self._stderr = folder / "stderr"
        self._json = json_lines
        self.printed: list[str] = []
        """Lines on standard output so far."""

    def __enter__(self) -> Self:
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                process_group=0,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def lines(self) -> list[Json]:
        """Its JSON lines so far."""
        return [json.loads(line) for line in list(self.printed)]

    @property
    def words(self) -> str:
        """What it wrote to standard error so far: with JSON lines, all that a person reads."""
        return self._stderr.read_text()

    @property
    def warnings(self) -> list[str]:
        """Its warnings and errors so far, but for what a machine that has other work makes it say."""
        lines = [line for line in self.words.splitlines() if "WARNING" in line or "ERROR" in line]
        return [line for line in lines if FAULTS["overload"].text not in line]

    def wait_for(self, condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Waits until the condition holds; fails, with its last words, when it does not or the daemon ends."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            code = self._process.poll()
            if code is not None and not condition():
                raise AssertionError(f"it ended with {code} before {what}:\n{self.words}")
            assert time.monotonic() < deadline, f"waited {timeout_s:g} s for {what}:\n{self.words}"
            time.sleep(0.05)

    def events(self, event_type: str, source: str | None = None) -> list[Json]:
        """Its event lines of this type so far."""
        return [
            line
            for line in self.lines
            if line["kind"] == "event" and line["event_type"] == event_type and source in (None, line["source"])
        ]

    def segments(self) -> list[Json]:
        """Its segment lines so far."""
        return [line for line in self.lines if line["kind"] == "segment"]

    def ends(self, timeout_s: float = PATIENCE_S) -> int:
        """Waits until it has ended by itself; returns its exit status."""
        code = self._process.wait(timeout_s)
        self._reader.join()
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Asks it to leave; returns its exit status and how long it took (seconds)."""
        began = time.monotonic()
        self._process.send_signal(number)
        return self.ends(), time.monotonic() - began

    def interrupt(self) -> tuple[int, float]:
        """Asks it to leave as Ctrl-C on a terminal does, which also reaches its children; returns as `stop`."""
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        return self.ends(), time.monotonic() - began

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self._process.kill()
        self.ends()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line.rstrip("\n"))
