"""What the decoder's process and the daemon say to each other: a request in, records of sound and of trouble out.

Sound is framed by its length, all else is a small JSON. Nothing here can name code, and the reader bounds every
length: the process that decodes what strangers send is not believed more than they are.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

HEADER: Final = Struct("<cII")
"""Kind of the record; rate (hertz; 0 where there is none); length: of sound in samples, of text in bytes."""

OPENED: Final = b"o"
"""FFmpeg knows what it is; text: `Opened` as JSON."""
SOUND: Final = b"s"
"""int16 mono samples of the machine's own byte order follow."""
LOST: Final = b"l"
"""So many samples were damaged on the way; nothing follows."""
FAILED: Final = b"f"
"""It is over; text: `Failed` as JSON. The last record."""
ENDED: Final = b"e"
"""The end of the recording or of the stream; nothing follows. The last record."""

MOST_SAMPLES: Final = 16_384
"""Longest record of sound (samples), a quarter of a pipe's 64 KiB; longer frames come in pieces."""

MOST_TEXT: Final = 16_384
"""Longest text of a record (bytes): a traceback is a tenth of that."""


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


@dataclass(frozen=True, slots=True)
class Opened:
    """What FFmpeg found."""

    format: str
    """FFmpeg's name of the container."""
    ends: bool
    """Whether it has a length: a recording, not a live stream."""


@dataclass(frozen=True, slots=True)
class Failed:
    """How it ended before its end."""

    kinds: tuple[str, ...]
    """Names of the error's class and of the classes above it."""
    text: str
    """For a person; may hold the URL."""
    errno: int | None = None
    """The system's number of the error, where it has one."""
