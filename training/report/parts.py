"""What a page is made of: sections with tables and pictures, each said to be of real or of synthetic data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from training.results.result_files import Kind, Result


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that says more than its text."""

    text: str
    share: float | None = None
    """0 to 1: how strongly it is shaded."""
    mark: Literal["", "kept", "broken", "best"] = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; the first cell of each row names it."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""
    """Under the table."""
    wide: bool = False
    """Whether it takes the page's whole width."""
    folded: bool = False
    """Whether it is opened only on request: what a picture above it shows already."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with words for those who do not see it."""

    svg: str
    """A whole `<svg>` element that refers to nothing outside itself."""
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What one result came to."""

    data: str
    synthetic: bool
    command: str
    blocks: Sequence[Table | Picture]
    words: str = ""
    """What the figures say, in a sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """One subject of the page."""

    anchor: str
    title: str
    lead: str
    """What is measured and how to read it."""
    kind: Kind | None = None
    """The result that it is made from."""
    missing: str = ""
    """The command that measures it, where nobody has."""
    measured: list[Measured] = field(default_factory=list)


def measured(result: Result, blocks: Sequence[Table | Picture], words: str = "") -> Measured:
    """What a result came to, with where it comes from."""
    return Measured(result.data, result.synthetic, result.command, blocks, words)
