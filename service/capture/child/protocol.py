"""What the daemon and the processes that open sound for it say to each other: records of sound and of faults.

Sound is framed by its length, all else is a small JSON. Nothing here can name code, and the reader bounds every
length: a process that reads what strangers send is not believed more than they are.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

HEADER: Final = Struct("<cII")
"""Kind of the record; rate (hertz; 0 where there is none); length: of sound in samples, of text in bytes."""

NOTE: Final = b"n"
"""What is seen before anything is opened, or fails; text: JSON, each process has its own."""
OPENED: Final = b"o"
"""What was found; text: JSON, each process has its own."""
CHANNELS: Final = b"c"
"""How many channels take turns in the sound that follows, in place of the length; nothing follows. It holds until the
next one; before the first there is one channel, or as many as `OPENED` says."""
TRACK: Final = b"t"
"""Which of several tracks is heard; text: JSON with `track`, words for a person."""
SOUND: Final = b"s"
"""int16 samples of the machine's own byte order follow; channels, where there are several, take turns."""
LOST: Final = b"l"
"""So many samples of each channel were damaged or dropped on the way; nothing follows."""
FAILED: Final = b"f"
"""It is over; text: `Failed` as JSON. The last record."""
ENDED: Final = b"e"
"""The end of the recording or of the stream; nothing follows. The last record."""

MOST_SAMPLES: Final = 16_384
"""Longest record of sound (samples), a quarter of a pipe's 64 KiB; longer frames come in pieces."""

MOST_TEXT: Final = 16_384
"""Longest text of a record (bytes): a traceback is a tenth of that, a hundred sound devices are as long."""


@dataclass(frozen=True, slots=True)
class Failed:
    """How it ended before its end."""

    kinds: tuple[str, ...]
    """Names of the error's class and of the classes above it."""
    text: str
    """For a person; may hold the URL."""
    errno: int | None = None
    """The system's number of the error, where it has one."""


def failed(told: dict[str, object]) -> Failed:
    """Reads it; what cannot be is left out."""
    kinds, errno = told.get("kinds"), told.get("errno")
    names = tuple(map(str, kinds)) if isinstance(kinds, list) else ()
    return Failed(names, str(told.get("text")), errno if isinstance(errno, int) else None)
