"""A file of this machine, part by part: the links of a chain, and what lies behind the end that its header states.

FFmpeg opens one Ogg stream and refuses the next where its format is another; and it stops where a header says that the
sound is over, though a recorder that was cut short, or never knew, left all of it there.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from monitord.errors import SourceError
from service.capture.child.chained_stream import FIRST, PAGE

if TYPE_CHECKING:
    from av.container import InputContainer

    from model.decoding.frames import Reader

RAW: Final = ("wav", "w64", "aiff", "caf", "au")
"""FFmpeg's names of containers in which bare samples follow each other to the end of the file."""

BEGINNINGS: Final = (b"RIFF", b"RF64", b"FORM", b"caff", b"OggS", b"fLaC")
"""With what another recording begins, put behind the first."""

LEAST_S: Final = 0.1
"""Least sound that is looked for behind an end (seconds)."""

LEAST_BYTES: Final = 65_536
"""What may lie behind the sound without a word, where it cannot be heard (bytes): tags and indices."""

_SHORT: Final = 64 * 2**20
"""Size up to which each page of a file is looked at (bytes): some seconds of the slowest disk."""
_TAIL: Final = 131_072
"""Longest look for the last page (bytes): two of the longest."""


@dataclass(frozen=True, slots=True)
class Part:
    """What FFmpeg opens at once."""

    url: str
    start: int = 0
    """Where it begins in the file (bytes)."""
    format: str | None = None
    """FFmpeg's name; None: what it finds."""
    options: tuple[tuple[str, str], ...] = ()
    """Of the format, in addition."""


def parts_of(url: str) -> list[Part]:
    """Returns the links of a chained Ogg file; of any other the whole."""
    try:
        with open(_path(url), "rb") as file:  # noqa: PTH123 - pathlib is a megabyte
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and (starts := _links(file)):
                ends = [*starts[1:], file.seek(0, os.SEEK_END)]
                return [_cut(url, start, end) for start, end in zip(starts, ends, strict=True)]
    except OSError:
        pass  # FFmpeg says it better
    return [Part(url)]


def rest_of(url: str, part: Part, container: "InputContainer", reader: "Reader") -> Part | None:
    """Returns what lies behind the part that was heard to its end; None where nothing is left to hear.

    Raises:
        SourceError: A good deal is left, and it cannot be heard.
    """
    kind, left = container.format.name, container.size - reader.end
    if not reader.end or reader.stream is None or len(container.streams) > 1 or "mov" in kind:
        return None  # not known where the sound ends, or other things lie behind it
    a_second = reader.end / max(reader.heard_s, LEAST_S)  # bytes
    if left < LEAST_S * a_second:
        return None
    start = part.start + reader.end + (reader.end % 2 if kind in {"wav", "aiff"} else 0)  # chunks lie at even places
    with open(_path(url), "rb") as file:  # noqa: PTH123
        file.seek(start)
        head = file.read(24)
        size = file.seek(0, os.SEEK_END)
    if head.startswith(BEGINNINGS):
        return _cut(url, start, size)
    if _is_named(head, kind, left):
        return None
    codec = reader.stream.codec_context
    if kind in RAW and codec.name.startswith("pcm_"):
        form = (("sample_rate", str(codec.sample_rate)), ("ch_layout", f"{codec.layout.nb_channels} channels"))
        return _cut(url, start, size, codec.name.removeprefix("pcm_"), form)
    if left < max(LEAST_BYTES, 2 * a_second):
        return None
    raise SourceError(
        f"{_path(url)}: its sound ends after {reader.heard_s:.2f} s, before the file does: "
        f"{left} bytes behind it are damaged, or of another kind"
    )


def _is_named(head: bytes, kind: str, left: int) -> bool:
    """Whether what begins so says itself what it is: a chunk that fits into what is left (bytes), or a tag."""
    if head.startswith((b"ID3", b"TAG", b"APETAGEX")):
        return True
    if not (head[:4].isascii() and head[:4].decode().isprintable()):
        return False
    if kind == "w64":
        return int.from_bytes(head[16:24], "little") <= left
    if kind == "caf":
        return int.from_bytes(head[4:12], "big") <= left
    return int.from_bytes(head[4:8], "big" if kind == "aiff" else "little") <= left


def _path(url: str) -> str:
    return url.removeprefix("file:")


def _cut(url: str, start: int, end: int, kind: str | None = None, options: tuple[tuple[str, str], ...] = ()) -> Part:
    return Part(f"subfile,,start,{start},end,{end},,:{url}", start, kind, options)


def _links(file: BinaryIO) -> list[int]:
    """Returns where each link begins (bytes); none where there is one, or no Ogg at all."""
    firsts = list(itertools.takewhile(lambda page: page[1], _pages(file)))
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    last = tail.rfind(b"OggS")
    # A chain ends with another stream than it began with, unless it is one recording again and again.
    same = last < 0 or tail[last + 14 : last + 18] in {serial for _, _, serial in firsts}
    if not firsts or (same and size > _SHORT):
        return []
    starts, before = [], False
    for start, begins, _ in _pages(file):
        if begins and not before:  # all streams of a link begin before any of them goes on
            starts.append(start)
        before = begins
    return starts


def _pages(file: BinaryIO) -> Iterator[tuple[int, bool, bytes]]:
    """Yields each Ogg page: where it begins (bytes), whether a stream begins with it, and which."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(PAGE + 255)
        if len(head) < PAGE or not (start or head.startswith(b"OggS")):
            return  # the end, or no Ogg
        if not head.startswith(b"OggS\0"):  # damaged: the next page is somewhere
            found = head.find(b"OggS", 1)
            start += found if found > 0 else len(head) - 3
            continue
        yield start, bool(head[5] & FIRST), head[14:18]
        start += PAGE + head[26] + sum(head[PAGE : PAGE + head[26]])
