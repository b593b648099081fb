"""A live Ogg stream whose links are alike in nothing: a station that goes on in another codec, rate or channels.

FFmpeg refuses the second link where its format is another. So it opens each by itself: the stream is read as bytes,
through FFmpeg's own protocols, and cut where a link begins.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.container import InputContainer

PAGE: Final = 27
"""Head of an Ogg page (bytes; RFC 3533, section 6): then a table of as many bytes as its last one says."""

FIRST: Final = 2
"""In a page's sixth byte: a stream begins here."""


class Link:
    """One link, as a file to read from its beginning to its end.

    Args:
        pages: Of the whole stream; the first page of the next link is given back by `after`.
        first: Its first page.
    """

    def __init__(self, pages: Iterator[bytes], first: bytes) -> None:
        self.after: bytes | None = None
        """First page of the next link, once this one is over; None where nothing follows."""
        self._pages = pages
        self._come = first
        self._begins = True  # all streams of a link begin before any of them goes on
        self._over = False

    def read(self, n: int) -> bytes:
        """Returns at most n bytes, none at the end."""
        while not self._come and not self._over:
            page = next(self._pages, None)
            begins = page is not None and bool(page[5] & FIRST)
            if page is None or (begins and not self._begins):
                self.after, self._over = page, True
            else:
                self._come, self._begins = page, begins
        given, self._come = self._come[:n], self._come[n:]
        return given


def links(container: "InputContainer") -> Iterator[Link]:
    """Yields the links of a stream that was opened as bytes (FFmpeg's format `data`); read each to its end."""
    pages = _pages(container)
    page = next(pages, None)
    while page is not None:
        link = Link(pages, page)
        yield link
        while link.read(PAGE * 1024):  # what was not wanted of it
            pass
        page = link.after


def _pages(container: "InputContainer") -> Iterator[bytes]:
    come = b""
    for packet in container.demux(container.streams[0]):
        come += bytes(packet)
        while (start := come.find(b"OggS")) >= 0 and len(come) >= start + PAGE:
            table = come[start + PAGE : start + PAGE + come[start + PAGE - 1]]
            end = start + PAGE + len(table) + sum(table)
            if len(table) < come[start + PAGE - 1] or len(come) < end:
                break
            yield come[start:end]
            come = come[end:]
