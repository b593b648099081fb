"""Which of several audio tracks is heard: the one that was asked for, else the one marked default, if it has sound.

It lives without NumPy, as all that runs in the decoder's process.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitord.errors import SourceError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

LOOK_S: Final = 3.0
"""Sound of each track that is looked at where nothing else decides (seconds): longer than a breath, and what is heard
of a live stream with several tracks is late by it at its start only."""

EMPTY_RANGE: Final = 2
"""Largest less smallest sample of a track that holds nothing (steps of int16): its last bit alone moves."""

FAR_QUIETER: Final = 31.6
"""Peak of the loudest track over that of one that counts as silent beside it (ratio): 30 dB, noise beside a room."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the family asked for; nothing: the track is found by itself."""

    track: int | str | None = None
    """Its number among the audio tracks, from 1, or (a part of) its title."""
    language: str | None = None
    """As the file writes it, `eng`; `en` means that, too."""


ANY: Final = Wanted()
"""Whichever track has the sound."""


class Heard:
    """What was heard of one track while it was looked at."""

    def __init__(self, number: int, stream: "AudioStream") -> None:
        self.stream = stream
        self.number = number
        """From 1."""
        self.seconds = 0.0
        self._low = self._high = 0

    def feed(self, raw: bytes, rate_hz: int, channels: int) -> None:
        """Takes int16 samples."""
        samples = array("h", raw)
        if samples:
            self._low, self._high = min(self._low, *samples), max(self._high, *samples)
            self.seconds += len(samples) / channels / rate_hz

    @property
    def empty(self) -> bool:
        """Whether nothing moves but the last bit; so does a track of which nothing came."""
        return self._high - self._low <= EMPTY_RANGE

    @property
    def peak(self) -> int:
        """Largest magnitude (steps of int16)."""
        return max(self._high, -self._low)

    @property
    def marked(self) -> bool:
        """Whether the file says that this one is to be played."""
        from av.stream import Disposition  # noqa: PLC0415 - FFmpeg, which only the decoder's process loads

        return bool(self.stream.disposition & Disposition.default)


def candidates(streams: Sequence["AudioStream"], wanted: Wanted, name: str) -> list[Heard]:
    """Returns the tracks that may be heard, at least one.

    Raises:
        SourceError: There is none as wanted; it lists those that there are.
    """
    tracks = [Heard(number, stream) for number, stream in enumerate(streams, 1)]
    found = tracks
    if wanted.language is not None:
        found = [track for track in found if _speaks(track.stream, wanted.language.lower())]
    if isinstance(wanted.track, int):
        found = [track for track in found if track.number == wanted.track]
    elif wanted.track is not None:
        title = wanted.track.lower()
        exact = [track for track in found if _title(track.stream).lower() == title]
        found = exact or [track for track in found if title in _title(track.stream).lower()]
    if not found:
        asked = [f"track {wanted.track!r}"] if wanted.track is not None else []
        asked += [f"language {wanted.language!r}"] if wanted.language is not None else []
        there = "; ".join(describe(track.stream, track.number, len(tracks)) for track in tracks)
        raise SourceError(f"{name}: has no audio of {' and '.join(asked)}; there is {there}")
    return found


def settled(tracks: Sequence[Heard], *, over: bool) -> Heard | None:
    """Returns the track to hear, or None where more has to be heard to know.

    Args:
        tracks: That may be heard, with what was heard of them so far.
        over: Whether nothing more will come.
    """
    if len(tracks) == 1:
        return tracks[0]
    marked = [track for track in tracks if track.marked]
    if len(marked) == 1 and not marked[0].empty:
        return marked[0]
    if not over and max(track.seconds for track in tracks) < LOOK_S:
        return None
    # Where several are marked, the first of them; where all that are marked hold nothing, the first of the others.
    choice = [track for track in marked if not track.empty] or [track for track in tracks if not track.empty]
    loudest = max((track.peak for track in choice), default=0)
    return next((track for track in choice if track.peak * FAR_QUIETER >= loudest), (marked or list(tracks))[0])


def describe(stream: "AudioStream", number: int, count: int) -> str:
    """Says which one it is: `track 2 of 3 (eng, Room)`."""
    words = ", ".join(filter(None, (_language(stream), _title(stream))))
    return f"track {number} of {count}" + (f" ({words})" if words else "")


def _language(stream: "AudioStream") -> str:
    language = str(stream.metadata.get("language", ""))
    return "" if language == "und" else language


def _title(stream: "AudioStream") -> str:
    title = str(stream.metadata.get("title") or stream.metadata.get("handler_name") or "")
    return "" if title in {"SoundHandler", "Core Media Audio"} else title[:60]  # what muxers write by themselves


def _speaks(stream: "AudioStream", language: str) -> bool:
    said = _language(stream).lower()
    return bool(said) and (said.startswith(language) or language.startswith(said))
