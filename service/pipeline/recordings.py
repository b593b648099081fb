"""Recordings through the real worker, one after the other: what `monitord replay` and `monitord archive` hear by.

A decoder is a process, which takes longer to start than a short recording takes to hear. So it stays for the next one,
and the next one is opened while one is heard; what it gives waits in its own ring.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.bundle import Bundle
from model.classifier import Classifier
from model.forward import Runtime
from monitord.errors import SourceError
from monitord.tally import Tally
from monitord.tracker import likely_reason
from monitord.types import CryEvent, Scores, Segment
from service.capture.child.decoder import Decoders
from service.capture.child.process import ChildProcess
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.messages import json_lines
from service.messages.json_lines import Line
from service.pipeline.channel import SourceChannel
from service.pipeline.trace import Trace
from service.pipeline.worker import Worker

AHEAD: Final = 1
"""Recordings that are opened before their turn: a clip is decoded in less time than the one before it is heard. Each
more costs 15 MB for a process and a ring of 30 s."""
STOP_S: Final = 1.0
"""Longest wait for a decoder that is no longer wanted (seconds); its process ends with ours."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one recording."""

    tally: Tally
    error: SourceError | None
    """Why it gives no sound, or where it breaks off; what came before was heard."""
    over: bool
    """Whether its decoder came to an end; else it hung, or was killed, by what it read or by the machine."""


def hear(
    recordings: Iterable[tuple[str, Path]],
    bundle: Bundle,
    runtime: Runtime,
    write: Callable[[Line], object],
    *,
    decoders: Decoders,
    trace: bool = False,
) -> Iterator[Heard]:
    """Yields what became of each recording, in their order, after its lines were written.

    A recording is heard as if it were the only one: nothing of those before it is remembered.

    Args:
        recordings: Id of the source, and a container with sound.
        bundle: Verified and trained.
        runtime: Holding the bundle's network.
        write: Takes each event and each segment, as `json_lines` has them.
        decoders: Decode them, and stay.
        trace: Whether it also takes what led to them.
    """
    waiting = iter(recordings)
    opened: deque[_Opened] = deque()
    try:
        while True:
            while len(opened) <= AHEAD and (following := next(waiting, None)) is not None:
                opened.append(_Opened(*following, decoders.lend()))
            if not opened:
                return
            heard = opened[0].hear(Classifier(bundle, runtime), write, trace=trace)
            decoders.take_back(opened.popleft().decoder)
            yield heard
    finally:
        for one in opened:
            one.source.stop(STOP_S)
            decoders.take_back(one.decoder)


def source_ids(files: Sequence[Path]) -> list[str]:
    """Makes an id `[a-z0-9_]+` of each file's name; names that are used already get a number."""
    ids: list[str] = []
    for path in files:
        stem = re.sub(r"[^a-z0-9_]+", "_", path.stem.lower()).strip("_") or "recording"
        source_id, number = stem, 2
        while source_id in ids:
            source_id, number = f"{stem}_{number}", number + 1
        ids.append(source_id)
    return ids


class _Opened:
    """A recording whose decoder is at work."""

    def __init__(self, source_id: str, path: Path, decoder: ChildProcess | None) -> None:
        self.decoder = decoder
        self._wake = threading.Event()
        self._inbox = Inbox(source_id, waits=True, wake=self._wake)
        self.source = FileSource(source_id, path, self._inbox, realtime=False, loop=False, lent=decoder)
        self.source.start()

    def hear(self, classifier: Classifier, write: Callable[[Line], object], *, trace: bool) -> Heard:
        """Hears it to its end."""
        manifest = classifier.bundle.manifest
        channel = SourceChannel.of(self._inbox, manifest.listener, manifest.tracker)
        Worker([channel], classifier, _Writer(write), self._wake, trace=Trace(write) if trace else None).run()
        self.source.stop(STOP_S)
        tally, status = channel.tally(), self.source.status()
        if not tally.conserved:
            raise AssertionError(f"samples went astray: {tally}")
        error = SourceError(status.detail) if status.detail else None
        return Heard(tally, error, over=self.decoder is not None and self.decoder.over)


class _Writer:
    """Writes every event and every segment as a line."""

    def __init__(self, write: Callable[[Line], object]) -> None:
        self._write = write

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """An episode moved."""
        del channel
        self._write(json_lines.replay_event(event))

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """A sound was finished and scored."""
        reason, _ = likely_reason(scores.reasons, channel.tracker.params.unsure_below)
        self._write(json_lines.replay_segment(segment, scores, reason=reason))

    def tick(self) -> None:
        """Nothing is due where nobody waits."""
