"""A QR code of an address, as text: two modules in each character, black on white on any terminal, dark or light."""

import os
from itertools import zip_longest
from typing import Final, TextIO

COLOURS: Final = "\x1b[38;5;16;48;5;231m"
"""Black on white, both said outright: a terminal's own colours may be the other way round, and its first sixteen any.
Of xterm's 256 these two are fixed, and older terminals know them, too, which do not know 24 bits."""
RESET: Final = "\x1b[0m"
HALVES: Final = {(0, 0): " ", (1, 0): "\u2580", (0, 1): "\u2584", (1, 1): "\u2588"}
"""Which of the two modules of a character, upper and lower, are dark -> the character."""


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees colours there, and no file or log is filled with their codes."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def qr_code(text: str) -> str:
    """Returns lines of half blocks with their quiet zone, which a phone's camera reads from a screen."""
    import segno  # noqa: PLC0415 - only where there is a page

    rows = iter([*segno.make(text, error="l", micro=False).matrix_iter(border=4)])
    lines = (
        "".join(HALVES[bool(upper), bool(lower)] for upper, lower in zip_longest(above, below, fillvalue=0))
        for above, below in zip_longest(rows, rows, fillvalue=())
    )
    return "\n".join(f"{COLOURS}{line}{RESET}" for line in lines)
