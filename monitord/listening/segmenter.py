"""Frames of sound and silence to segments of one cry sound each, 0.18 to 2.5 s. Counts frames; sees no samples.

    quiet --sound--> rising --long enough--> voiced --silence--> trailing
      ^                |                       ^  |                |   |
      +---- silence ---+                       |  +- too long: cut |   |
      |                                        +------ sound ------+   |
      +-------------------------- silence outlasts the hangover -------+

A sound that goes on after a cut is a new segment; what is too short to be a cry sound counts as quiet.
"""

from dataclasses import dataclass
from enum import Enum

from monitord.types import EndedBy


@dataclass(frozen=True, slots=True)
class SegmenterParams:
    """Acoustic: pinned by the model bundle. Changing one means re-training."""

    frame_ms: int = 20
    """Milliseconds. WebRTC's detector takes 10, 20 or 30; 20 is two log-mel hops, so segments stay on the hop grid."""
    least_frames: int = 9
    """Frames: 0.18 s, the shortest clip of the method."""
    most_frames: int = 125
    """Frames: 2.5 s, the longest clip of the method."""
    dropout_frames: int = 2
    """Frames of silence that a sound still shorter than `least_frames` may hold: 40 ms, a voiceless onset."""
    hangover_frames: int = 10
    """Frames of silence that end a segment: 0.2 s, less than the in-breath between two cry sounds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A finished segment in frames, the end exclusive."""

    start: int
    end: int
    ended_by: EndedBy


class State(Enum):
    """Where the segmenter is in its drawing."""

    QUIET = "quiet"
    RISING = "rising"
    VOICED = "voiced"
    TRAILING = "trailing"


class Segmenter:
    """Counts frames from 0. Every frame ends up in `quiet`, in `segmented` or is `held`."""

    def __init__(self, params: SegmenterParams) -> None:
        self._params = params
        self._state = State.QUIET
        self._frame = 0
        self._onset = 0
        self._last = 0  # last frame of sound
        self.quiet = 0
        """Frames that are in no segment."""
        self.segmented = 0
        """Frames that are in a finished segment."""
        self.forgotten: tuple[int, int] | None = None
        """First frame, and one past the last, of the sound that was last too short; who looks sets it to None."""

    @property
    def onset(self) -> int | None:
        """First frame of the sound that is up, or None in quiet."""
        return None if self._state is State.QUIET else self._onset

    @property
    def held(self) -> int:
        """Frames whose fate is open."""
        return 0 if self._state is State.QUIET else self._frame - self._onset

    def step(self, *, sound: bool) -> Span | None:  # noqa: C901, PLR0912 - one arm per arrow of the drawing
        """Takes the next frame; returns the segment that it finished, if any."""
        frame, self._frame = self._frame, self._frame + 1
        params = self._params
        if sound and self._state is not State.QUIET:
            self._last = frame
        match self._state, sound:
            case State.QUIET, True:
                self._state, self._onset, self._last = State.RISING, frame, frame
            case State.QUIET, False:
                self.quiet += 1
            case State.RISING, True:
                if self._frame - self._onset >= params.least_frames:
                    self._state = State.VOICED
            case State.RISING, False:
                if frame - self._last > params.dropout_frames:
                    self._forget()
            case State.VOICED, False:
                self._state = State.TRAILING
            case State.TRAILING, True:
                self._state = State.VOICED
            case State.TRAILING, False:
                if frame - self._last >= params.hangover_frames:
                    return self._close(self._last + 1, "silence")
            case _:  # voiced and sound: it goes on
                pass
        if self._state in (State.VOICED, State.TRAILING) and self._frame - self._onset >= params.most_frames:
            return self._cut()
        return None

    def flush(self, ended_by: EndedBy) -> Span | None:
        """Ends what is open, at a gap or at the end of the stream; afterwards it is quiet and nothing is held."""
        if self._state in (State.VOICED, State.TRAILING):
            return self._close(self._last + 1, ended_by)
        self._forget()
        return None

    def _cut(self) -> Span:
        goes_on = self._state is State.VOICED
        span = self._close(self._frame if goes_on else self._last + 1, "max_length")
        if goes_on:
            self._state, self._onset, self._last = State.RISING, self._frame, self._frame - 1
        return span

    def _close(self, end: int, ended_by: EndedBy) -> Span:
        span = Span(self._onset, end, ended_by)
        self.segmented += end - self._onset
        self.quiet += self._frame - end
        self._state = State.QUIET
        return span

    def _forget(self) -> None:
        if self._last >= self._onset and self._state is State.RISING:
            self.forgotten = self._onset, self._last + 1
        self.quiet += self.held
        self._state = State.QUIET
