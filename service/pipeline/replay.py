"""`monitord replay`: the real worker over recordings, as fast as it goes; the same road as a night's listening."""

import json
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import Choice, open_runtime
from monitord.errors import MonitordError, SourceError
from monitord.tally import Tally
from monitord.tracker import likely_reason
from monitord.types import CryEvent, Scores, Segment
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.recording import check_file
from service.capture.source import SourceState
from service.messages import json_lines
from service.messages.json_lines import Line
from service.pipeline.channel import SourceChannel
from service.pipeline.trace import Trace
from service.pipeline.worker import Worker


def replay(
    files: Sequence[Path],
    bundle: Bundle,
    write: Callable[[str], object],
    *,
    runtime: Choice = "auto",
    trace: bool = False,
) -> list[MonitordError]:
    """Hears one recording after the other; writes JSON lines, last the tally of all.

    Args:
        files: Containers with sound; each is a source named after its file.
        bundle: Verified.
        write: Gets each line, without its end.
        runtime: What computes the network.
        trace: Whether it says between these lines how it came to them.

    Returns:
        What was wrong with recordings that give no sound or break off in the middle; the others, and what was heard
        of these, are in the lines.

    Raises:
        SourceError: No recording gives any sound. Nothing was written.
        BundleError: The runtime cannot load the network.
    """
    broken: list[MonitordError] = []
    heard: list[tuple[str, Path]] = []
    for source_id, path in zip(source_ids(files), files, strict=True):
        try:
            check_file(path)
        except MonitordError as error:
            broken.append(error)
        else:
            heard.append((source_id, path))
    if not heard:
        raise SourceError("\n".join(map(str, broken)))
    classifier = Classifier(bundle, open_runtime(bundle, runtime))
    tally, printer = Tally(), _Printer(write)
    for source_id, path in heard:
        wake = threading.Event()
        inbox = Inbox(source_id, waits=True, wake=wake)
        source = FileSource(source_id, path, inbox, realtime=False, loop=False)
        channel = SourceChannel.of(inbox, bundle.manifest.listener, bundle.manifest.tracker)
        source.start()
        try:
            Worker([channel], classifier, printer, wake, trace=Trace(printer.line) if trace else None).run()
        finally:
            source.stop(1.0)
        tally += channel.tally()
        status = source.status()
        if status.state is SourceState.DECODE_ERROR:
            broken.append(SourceError(status.detail))
    if not tally.conserved:
        raise AssertionError(f"samples went astray: {tally}")
    printer.line(json_lines.replay_tally(tally))
    return broken


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


class _Printer:
    """Writes every event and every segment as a JSON line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def line(self, line: Line) -> None:
        """Writes a line, of a trace too."""
        self._write(json.dumps(line))

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """An episode moved."""
        del channel
        self.line(json_lines.replay_event(event))

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """A sound was finished and scored."""
        reason, _ = likely_reason(scores.reasons, channel.tracker.params.unsure_below)
        self.line(json_lines.replay_segment(segment, scores, reason=reason))

    def tick(self) -> None:
        """Nothing is due in a replay."""
