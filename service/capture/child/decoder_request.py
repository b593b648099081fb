"""What the decoder is asked for, and what it says that it found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What to decode. It goes through a pipe: command lines can be read by everybody, and URLs hold passwords."""

    url: str
    """As FFmpeg takes it."""
    name: str
    """What a person calls it, for messages; without passwords."""
    options: dict[str, str]
    """FFmpeg's, with the protocols it may use among them."""
    open_s: float | None = None
    """Longest time to connect, and again to find out what comes (seconds); None: no limit of FFmpeg's own."""
    read_s: float | None = None
    """Longest silence (seconds); None: no limit of FFmpeg's own."""
    again: bool = False
    """Whether it starts over at its end."""
    damage: int = 0
    """Damaged packets in a row that are skipped; one more is the end."""
    recording: bool = False
    """Whether `url` is a file of this machine, which lies there whole: its time stamps tell how long a hole is, each
    link of a chain is opened by itself, and what lies behind the stated length is heard, too."""
    track: int | str | None = None
    """Number (from 1) or title of the audio track to hear; None: see `model.decoding.tracks`."""
    language: str | None = None
    """Language of the audio track to hear."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What FFmpeg found."""

    format: str
    """FFmpeg's name of the container."""
    ends: bool
    """Whether it has a length: a recording, not a live stream."""
