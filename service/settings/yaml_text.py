"""The bytes of a YAML file as text: which encodings are read, and what only looks like a blank."""

import codecs
import re
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order mark, encoding: YAML 1.2.2, 5.2."""

UNSEEN: Final = re.compile("[\u00a0\u2000-\u200b\u3000\ufeff]")
"""What looks like a blank, or like nothing, and is no blank to YAML: web pages and word processors put it there."""


def decoded(path: Path, content: bytes) -> str:
    """Returns the text of the file.

    Raises:
        ConfigError: It is neither UTF-8, nor UTF-16 or UTF-32 with a mark.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    if not mark and b"\0" in content[:4]:
        raise ConfigError(f"{path}: is no YAML text: it looks like UTF-16; save it as UTF-8")
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: is no YAML text: {_no_text(content, error, encoding)}") from error
    return text


def unseen(text: str) -> str:
    """Says which character of the text only looks like a blank; empty: none does."""
    found = UNSEEN.search(text)
    return f"a character that only looks like a blank (U+{ord(found[0]):04X}); type a plain space" if found else ""


def _no_text(content: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    if encoding != "utf-8":
        return f"it is no whole {encoding.upper()}; save it as UTF-8"
    found = content[error.start : error.start + 1]
    # Windows' and the old European encoding agree on all letters.
    letter = found.decode("latin-1")
    said = f"the byte 0x{found.hex()}" + (f" ({letter} in Latin-1)" if letter.isalpha() else "")
    return f"{said} is no UTF-8; save it as UTF-8"
