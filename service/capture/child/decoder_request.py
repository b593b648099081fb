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
    stream: bool = False
    """Whether it comes over a network: all below is for these."""
    instead: dict[str, str] | None = None
    """FFmpeg's options, in place of those of the same name, with which a camera is asked that refuses the first."""
    late_s: float = 0.0
    """For how long sound is waited for that starts later than the rest (seconds)."""
    bare: tuple[str, int, int] | None = None
    """As `Bare`: what the sound is that says nothing of itself; None: it says so, or the web server does."""
    ask_first: bool = False
    """Whether the web server is asked before FFmpeg is: it was bare sound before."""
    look: bool = False
    """Whether to go there again where FFmpeg fails, and tell what is there."""
    verify: bool = False
    """Whether the other side's certificate is verified, by the options `ca_file` and `verifyhost`."""
    proxy: str | None = None
    """On the way there, with a password if it has one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What FFmpeg found."""

    format: str
    """FFmpeg's name of the container."""
    ends: bool
    """Whether it has a length: a recording, not a live stream."""
    bare: bool = False
    """Whether it is bare sound, as the web server's answer told."""
