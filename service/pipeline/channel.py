"""All that the worker keeps of one source: its inbox, its listener, its tracker, and what was last heard."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from monitord.faults import Fault, FaultWatch
from monitord.hindsight import Hindsight
from monitord.listening.gate import frame_dbfs
from monitord.listening.listener import Listener, ListenerParams
from monitord.pcm import amplified
from monitord.tally import Tally
from monitord.tracker import Tracker, TrackerParams, log_odds
from monitord.types import RATE_HZ, AudioChunk, CryEvent, Scores, Segment, Window
from service.capture.inbox import Inbox
from service.capture.injection import Injection

ROUND_S = 1.0
"""Most sound that the worker takes from one source before it turns to the next (seconds)."""
POOL_WINDOWS = 24
"""Windows that may belong to the open segment: 2.5 s on a hop of 0.24 s, and as many again for the breath around."""
LOUD_S = 4.0
"""Seconds of newest windows whose loudest says how loud a cry is: longer than one cry sound and the breath after it."""
CALM_S = 1.0
"""Sound without a window after which a room is calm (seconds): sound has windows each 0.24 s."""
QUIETEST_FLOOR_DBFS = -70.0
"""Floor that loudness is compared with at least (dBFS): under it lies the noise of the device, not of the room."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is kept of a scored window: its samples are 31 KB."""

    onset: int
    """Index at which the sound began that opened its run of windows (samples at 16 kHz)."""
    end: int
    """Index one past its last sample (samples at 16 kHz)."""
    dbfs: float
    """Its level (dBFS)."""
    scores: Scores


@dataclass(slots=True)
class SourceChannel:
    """One source in the worker's hands. Only the worker changes it; others read single fields."""

    inbox: Inbox
    listener: Listener
    tracker: Tracker
    hindsight: Hindsight
    """What other thresholds would have made of the same windows."""
    enabled: bool = True
    """Whether the family wants this room to be listened to."""
    on_p: float | None = None
    """The family's threshold in place of the bundle's; None: the bundle's."""
    fault: Fault = "ok"
    """What the samples themselves say is wrong."""
    last_audio: float | None = None
    """Wall time of the newest sample (Unix seconds); None before the first."""
    last_audio_monotonic: float | None = None
    """When the worker last took sound from the inbox (monotonic seconds)."""
    watch: FaultWatch = field(default_factory=FaultWatch)
    scored: deque[Scored] = field(default_factory=lambda: deque(maxlen=POOL_WINDOWS))
    """Newest windows: a segment pools those that lie over it."""
    injection: Injection | None = None
    """The sound of the last test alarm; what overlaps it goes to a tracker of its own."""
    injected_before: Injection | None = None
    """The sound of the test alarm before that one: some of it may still be on its way, and belongs to no tracker."""
    test_tracker: Tracker | None = None
    """Follows that sound, so that the room's own tracker never hears it."""
    flushed: bool = False
    """Whether the source has ended and everything of it was heard."""
    last_activity: int = 0
    """Index up to which it was heard when a window or a segment last came out (samples at 16 kHz)."""
    published_tally: Tally = field(default_factory=Tally)
    """`tally` at the end of the last round, for other threads."""

    @classmethod
    def of(cls, inbox: Inbox, listener: ListenerParams, tracker: TrackerParams) -> "SourceChannel":
        """Builds a channel for an inbox with a bundle's parameters."""
        return cls(inbox, Listener(inbox.source, listener), Tracker(inbox.source, tracker), Hindsight(tracker))

    @property
    def source(self) -> str:
        """Id of the source."""
        return self.inbox.source

    @property
    def threshold(self) -> float:
        """Calibrated probability from which a window speaks for crying: the family's, else the bundle's."""
        return self.tracker.params.on_p if self.on_p is None else self.on_p

    @property
    def judged(self) -> tuple[float | None, float | None]:
        """How hard the current or last episode was cried, and up to which threshold it would have been told."""
        return self.tracker.distress, self.hindsight.told_up_to

    @property
    def calm(self) -> bool:
        """Whether nothing has stood out of the room for a while, and no episode is open."""
        return not self.tracker.crying and self.listener.position - self.last_activity >= CALM_S * RATE_HZ

    def take(self) -> list[Window | Segment]:
        """Hears at most a second of what waits in the inbox; at the end of the source, flushes once."""
        out: list[Window | Segment] = []
        for chunk in joined(self._waiting()):
            out += self._hear(chunk)
        if not self.flushed and self.inbox.drained:
            self.flushed = True
            out += self.listener.flush()
        if out:
            self.last_activity = self.listener.position
        return out

    def over(self, segment: Segment) -> list[Scores]:
        """Scores of the windows whose end lies in the segment or just behind it; none if the room was switched off."""
        end = segment.start + len(segment.samples)
        return [one.scores for one in self.scored if one.end > segment.start and one.onset < end]

    def tally(self) -> Tally:
        """Counts of this source (samples at 16 kHz), from the device to the last segment."""
        inbox, heard = self.inbox.tally(), self.listener.tally()
        return inbox + Tally(quiet=heard.quiet, segmented=heard.segmented, held=heard.held)

    def window(self, window: Window, scores: Scores) -> list[CryEvent]:
        """Takes the next window's scores; what overlaps a test alarm gives events of type `test`, and no others."""
        if not self.is_test(window):
            level = float(frame_dbfs(window.samples[None])[0])
            self.scored.append(Scored(window.onset, window.end, level, scores))
            if not self.tracker.crying and not self.tracker.evidence(window.end):
                self.hindsight.begin()
            self.hindsight.window(window.end, log_odds(scores.p_cry))
            return self.tracker.window(window, scores, self.on_p)
        if self.test_tracker is None or _sounds_in(self.injected_before, window):
            return []
        events = self.test_tracker.window(window, scores, self.on_p)
        return [replace(event, event_type="test") for event in events if event.event_type == "started"]

    def is_test(self, window: Window) -> bool:
        """Whether a test alarm sounds in it."""
        return _sounds_in(self.injected_before, window) or _sounds_in(self.injection, window)

    def test(self, injection: Injection) -> None:
        """Begins a test alarm with this sound."""
        self.injected_before, self.injection = self.injection, injection
        self.test_tracker = Tracker(self.source, self.tracker.params)
        self.inbox.inject(injection)

    def end_test(self) -> None:
        """Ends it; the rest of the sound is not played."""
        self.test_tracker = None
        if self.injection is not None:
            self.injection.stop()

    def loudness_db(self) -> float:
        """Loudest of the newest windows that speak for crying (decibels over the floor of the room)."""
        params = self.tracker.params
        oldest, least = self.listener.position - int(LOUD_S * RATE_HZ), params.speaks_from(self.threshold)
        loud = [one.dbfs for one in self.scored if one.end > oldest and one.scores.p_cry >= least]
        return max(loud, default=QUIETEST_FLOOR_DBFS) - self.noise_dbfs

    @property
    def noise_dbfs(self) -> float:
        """The room's own noise (dBFS), that loudness is compared with."""
        return max(self.listener.floor_dbfs, QUIETEST_FLOOR_DBFS)

    def _waiting(self) -> Iterator[AudioChunk]:
        taken_s = 0.0
        while taken_s < ROUND_S and (chunk := self.inbox.read()) is not None:
            taken_s += len(chunk.samples) / chunk.rate_hz
            yield chunk

    def _hear(self, chunk: AudioChunk) -> list[Window | Segment]:
        self.last_audio = chunk.at + len(chunk.samples) / chunk.rate_hz
        self.last_audio_monotonic = time.monotonic()
        self.fault = self.watch.feed(chunk.samples, chunk.rate_hz)
        if self.inbox.gain_db:  # after the watch: what is stuck or muted stays so, however loud
            chunk = replace(chunk, samples=amplified(chunk.samples, self.inbox.gain_db))
        return self.listener.feed(chunk)


def _sounds_in(injection: Injection | None, window: Window) -> bool:
    return injection is not None and injection.overlaps(window.start, window.end)


def joined(chunks: Iterable[AudioChunk]) -> Iterator[AudioChunk]:
    """Yields chunks that follow each other as one: to hear a chunk costs ten times as much as to join it."""
    run: list[AudioChunk] = []
    for chunk in chunks:
        if run and (chunk.start, chunk.rate_hz) != (run[-1].start + len(run[-1].samples), run[-1].rate_hz):
            yield _as_one(run)
            run = []
        run.append(chunk)
    if run:
        yield _as_one(run)


def _as_one(run: list[AudioChunk]) -> AudioChunk:
    """The wall time of the newest counts, as it does where each is heard by itself."""
    first, last = run[0], run[-1]
    if first is last:
        return first
    at = last.at - (last.start - first.start) / first.rate_hz
    return replace(first, samples=np.concatenate([chunk.samples for chunk in run]), at=at)
