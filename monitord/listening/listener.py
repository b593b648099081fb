"""Hears one source: chunks go in; windows and segments fall out, in the order of the stream.

Offline is online with one big chunk: the same samples in any chunk sizes give the same windows and segments.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from monitord.listening.gate import SILENCE_DBFS, Gate, GateParams, frame_dbfs
from monitord.listening.look import Look, Opening, TooShort
from monitord.listening.recent import Recent
from monitord.listening.segmenter import Segmenter, SegmenterParams, Span
from monitord.listening.vad import Vad, VadParams
from monitord.listening.windows import WINDOW_SAMPLES, WindowParams, is_due
from monitord.pcm import Resampler, position_16k
from monitord.tally import Tally
from monitord.types import RATE_HZ, AudioChunk, EndedBy, Pcm, Segment, Window

AT_ONCE: Final = 50
"""Frames that are taken together, at most: a second. Longer chunks are heard in parts: they need no more memory."""


@dataclass(frozen=True, slots=True)
class ListenerParams:
    """Everything acoustic in a listener: it travels in the bundle's manifest."""

    gate: GateParams = field(default_factory=GateParams)
    vad: VadParams = field(default_factory=VadParams)
    segmenter: SegmenterParams = field(default_factory=SegmenterParams)
    windows: WindowParams = field(default_factory=WindowParams)


class Listener:
    """Hears one source from its first sample on."""

    def __init__(self, source: str, params: ListenerParams) -> None:
        self.source = source
        self._params = params
        self._frame = RATE_HZ * params.segmenter.frame_ms // 1000  # samples
        self._keep = max(WINDOW_SAMPLES, params.segmenter.most_frames * self._frame) + self._frame
        self._gate = Gate(params.gate, params.segmenter.frame_ms / 1000.0)
        self._position = 0  # all that is heard or lost so far (samples at 16 kHz)
        self._lost = self._quiet = self._segmented = 0  # before this run of samples without a hole (samples at 16 kHz)
        self._rate_hz = RATE_HZ
        self._next = 0  # index of the next sample if none is missing (samples at _rate_hz)
        self._at = 0.0  # wall time of sample 0 of the axis, renewed by every chunk (Unix seconds)
        self.dbfs = SILENCE_DBFS
        """Level of the newest frame (dBFS)."""
        self.looks: list[Look | TooShort] | None = None
        """What became of each frame since somebody last emptied it, in the order of the stream; None: kept nowhere."""
        self._pending: Pcm = np.empty(0, np.int16)  # less than a frame
        self._begin(0, RATE_HZ)

    @property
    def floor_dbfs(self) -> float:
        """Noise floor of the room (dBFS)."""
        return self._gate.floor_dbfs

    @property
    def position(self) -> int:
        """Index one past the last sample that was heard to the end (samples at 16 kHz)."""
        return self._base + self._frames * self._frame

    @property
    def least_samples(self) -> int:
        """Shortest segment (samples at 16 kHz)."""
        return self._params.segmenter.least_frames * self._frame

    def at(self, position: int) -> float:
        """Wall time of a sample of the recent past (Unix seconds)."""
        return self._at + position / RATE_HZ

    def tally(self) -> Tally:
        """Counts of this listener (samples at 16 kHz); `captured` is what was handed to it, `lost` the gaps between."""
        run, frame = self._segmenter, self._frame
        return Tally(
            captured=self._position,
            lost=self._lost,
            quiet=self._quiet + run.quiet * frame,
            segmented=self._segmented + run.segmented * frame,
            held=run.held * frame + len(self._pending) + self._resampler.held,
        )

    def feed(self, chunk: AudioChunk) -> list[Window | Segment]:
        """Hears a chunk. A start that jumps closes what is open with `gap` and counts the hole as lost."""
        out: list[Window | Segment] = []
        start = position_16k(chunk.start, chunk.rate_hz)
        # Compared at the source's own rate: a hole may be smaller than a sample at 16 kHz, and the resampler counts it.
        if (chunk.start, chunk.rate_hz) != (self._next, self._rate_hz):
            out += self.flush("gap")
            lost = start - self._position
            if lost < 0:
                raise ValueError(f"{chunk.source}: a chunk starts {-lost} samples before the last one ended")
            self._lost += lost
            self._quiet += self._segmenter.quiet * self._frame
            self._segmented += self._segmenter.segmented * self._frame
            self._begin(chunk.start, chunk.rate_hz)
        self._at = chunk.at - chunk.start / chunk.rate_hz
        self._next = chunk.start + len(chunk.samples)
        self._position = position_16k(self._next, chunk.rate_hz)
        return out + self._hear(self._resampler.feed(chunk.samples))

    def flush(self, ended_by: EndedBy = "flush") -> list[Window | Segment]:
        """Ends what is open, at a gap or at the end of the stream."""
        out = self._hear(self._resampler.flush())
        span = self._segmenter.flush(ended_by)
        if self.looks is not None:
            self._keep_forgotten(self.looks)
        if span is not None:
            if self._last_window <= span.start:
                out.append(self._window(span.start))
            out.append(self._segment(span))
        # Less than a frame is left: too short to be heard.
        self._quiet += len(self._pending)
        self._pending = self._pending[:0]
        return out

    def _begin(self, start: int, rate_hz: int) -> None:
        """Begins a run of samples without a hole; the floor of the room is kept."""
        self._rate_hz = rate_hz
        self._base = position_16k(start, rate_hz)
        self._resampler = Resampler(rate_hz, start)
        self._segmenter = Segmenter(self._params.segmenter)
        self._vad = Vad(self._params.vad)
        self._frames = 0  # frames heard since _base
        self._last_window = 0  # frame at which the last window ended
        self._onset = 0  # frame at which the energy rose
        self._last_loud = -self._keep  # last frame over the gate: none yet
        self._recent = Recent(self._keep, AT_ONCE * self._frame)

    def _hear(self, samples: Pcm) -> list[Window | Segment]:
        out: list[Window | Segment] = []
        pending = np.concatenate([self._pending, samples]) if len(self._pending) else samples
        n = len(pending) // self._frame
        frames, self._pending = pending[: n * self._frame].reshape(n, self._frame), pending[n * self._frame :]
        for i in range(0, n, AT_ONCE):
            some = frames[i : i + AT_ONCE]
            self._recent.append(some.ravel())
            for frame, dbfs in zip(some, frame_dbfs(some).tolist(), strict=True):
                out += self._hear_frame(frame, dbfs)
        return out

    def _hear_frame(self, frame: Pcm, dbfs: float) -> list[Window | Segment]:
        self.dbfs = dbfs
        params = self._params
        loud = self._gate.is_sound(dbfs)
        index, self._frames = self._frames, self._frames + 1
        if loud:
            if index - self._last_loud > params.segmenter.hangover_frames:
                self._onset = index
            self._last_loud = index
        span = self._segmenter.step(sound=loud and self._vad.is_voice(frame))
        out: list[Window | Segment] = []
        if self.looks is not None:
            self._look(self.looks, index)
        if is_due(index, params.windows):
            if index - self._last_loud <= params.segmenter.hangover_frames:
                out.append(self._window(self._onset))
            elif self._gate.noisy:
                out.append(self._window(index + 1 - params.windows.hop_frames))
        if span is not None:
            out.append(self._segment(span))
        return out

    def _look(self, looks: list[Look | TooShort], index: int) -> None:
        """Keeps what became of the newest frame."""
        gate, params, end = self._gate, self._params, self.position
        sounding = index - self._last_loud <= params.segmenter.hangover_frames
        opening: Opening = "sound" if sounding else "noisy" if gate.noisy else "closed"
        windowed = opening != "closed" and is_due(index, params.windows)
        looks.append(
            Look(end - self._frame, end, self.dbfs, gate.floor_dbfs, gate.bound_dbfs, opening, windowed=windowed)
        )
        self._keep_forgotten(looks)

    def _keep_forgotten(self, looks: list[Look | TooShort]) -> None:
        if self._segmenter.forgotten is not None:
            start, end = self._segmenter.forgotten
            looks.append(TooShort(self._base + start * self._frame, self._base + end * self._frame, self.position))
            self._segmenter.forgotten = None

    def _window(self, onset_frame: int) -> Window:
        """Cuts the window that ends with the newest frame."""
        self._last_window = self._frames
        end = self._frames * self._frame
        samples = self._recent.cut(end - WINDOW_SAMPLES, end)
        start = self._base + end - WINDOW_SAMPLES
        return Window(self.source, start, samples, self.at(start), self._base + onset_frame * self._frame)

    def _segment(self, span: Span) -> Segment:
        samples = self._recent.cut(span.start * self._frame, span.end * self._frame)
        start = self._base + span.start * self._frame
        return Segment(self.source, start, samples, self.at(start), span.ended_by, self.position)
