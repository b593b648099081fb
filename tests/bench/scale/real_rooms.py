"""Real rooms in this process: recordings in real time with a thread each, the daemon's worker and network; counted."""

import os
import resource
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.bundle import default_bundle_path, load_bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.types import RATE_HZ, Pcm, Scores, Window
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.pipeline.channel import SourceChannel
from service.pipeline.worker import Worker
from tests.bench import process
from tests.bench.sounds import Sound
from tests.support.sound.sounds import write_wav

LOOP_S = 30.0
"""Length of the recordings (seconds)."""
SETTLE_S = 13.0
"""Before anything is counted (seconds): the floor of a quiet room is found by then."""
BETWEEN_S = 0.0137
"""Between the starts of two rooms (seconds): no chunks come at once."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A while of real rooms."""

    seconds: float
    rooms: int
    worker_s: float
    """CPU of the worker's thread (seconds)."""
    process_s: float
    """CPU of all threads, and of the decoders that are processes of their own (seconds)."""
    threads_s: float
    """CPU of all threads (seconds)."""
    chunks: int
    """That came."""
    network_s: float
    """CPU of the worker in the network (seconds)."""
    rounds: int
    windows: int
    lags_s: list[float]
    """By window, from the end of its sound to its score (seconds)."""
    own_mb: float
    """Pss of this process (MB)."""
    all_mb: float
    """Pss of this process and the decoders (MB)."""


class _Inbox(Inbox):
    """Counts what is written."""

    chunks = 0

    def write(self, samples: Pcm, rate_hz: int, at: float) -> None:
        """As `Inbox.write`."""
        self.chunks += 1
        super().write(samples, rate_hz, at)


class Rooms:
    """Real rooms and a real worker; also its classifier's runtime and its reporter, to count."""

    def __init__(self, sound: Sound, rooms: int, folder: Path) -> None:
        bundle = load_bundle(default_bundle_path())
        self._runtime = open_runtime(bundle, "litert")
        self.name, self.fault = "counted", ""
        classifier = Classifier(bundle, self)
        score = classifier.score

        def late(windows: Sequence[Window]) -> list[Scores]:
            scores = score(windows)
            now = time.time()
            self.lags_s += [now - window.at - len(window.samples) / RATE_HZ for window in windows]
            return scores

        classifier.score = late  # type: ignore[method-assign]  # the worker asks the classifier: there the windows are
        path = write_wav(folder / f"{sound.__name__}.wav", sound(LOOP_S))
        wake = threading.Event()
        self._inboxes = [_Inbox(f"room{number}", wake=wake) for number in range(rooms)]
        self._sources = [FileSource(inbox.source, path, inbox, realtime=True, loop=True) for inbox in self._inboxes]
        channels = [
            SourceChannel.of(inbox, bundle.manifest.listener, bundle.manifest.tracker) for inbox in self._inboxes
        ]
        self._worker = Worker(channels, classifier, self, wake, live=True)
        self.network_s, self.rounds, self.windows, self.worker_s = 0.0, 0, 0, 0.0
        self.lags_s: list[float] = []

    def _counts(self) -> tuple[Any, ...]:
        """As they stand in `Heard`."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        threads_s = usage.ru_utime + usage.ru_stime
        process_s = process.cpu_with_children_s(os.getpid())
        chunks = sum(inbox.chunks for inbox in self._inboxes)
        return self.worker_s, process_s, threads_s, chunks, self.network_s, self.rounds, self.windows

    def forward(self, patches: Any) -> Any:
        """As `Runtime.forward`, timed."""
        began = time.thread_time()
        out = self._runtime.forward(patches)
        self.network_s += time.thread_time() - began
        self.windows += len(patches)
        return out

    def event(self, *_: object) -> None:
        """An episode moved."""

    segment = event

    def tick(self) -> None:
        """A round is over, in the worker's thread."""
        self.rounds += 1
        self.worker_s = time.thread_time()

    def hear(self, seconds: float) -> Heard:
        """Starts everything, counts for so long, stops everything."""
        thread = threading.Thread(target=self._worker.run)
        thread.start()
        for source in self._sources:
            source.start()
            time.sleep(BETWEEN_S)
        time.sleep(SETTLE_S)
        before, began = self._counts(), time.monotonic()
        lags = len(self.lags_s)
        time.sleep(seconds)
        took_s = time.monotonic() - began
        counts = [after - first for after, first in zip(self._counts(), before, strict=True)]
        heard = Heard(
            took_s,
            len(self._sources),
            *counts,
            lags_s=list(self.lags_s[lags:]),
            own_mb=process.memory_mb(os.getpid()),
            all_mb=process.memory_with_children_mb(os.getpid()),
        )
        for source in self._sources:
            source.stop(1.0)
        self._worker.stop()
        thread.join()
        return heard
