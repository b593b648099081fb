"""Whom a bundle's data ask to be named, in full: kept in `attributions.md`, carried in every model card."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Final

from model.manifest import DataSet

FILE: Final = "attributions.md"
"""Beside this module. Its second headings are names of data; under each, paragraphs and a list."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is owed to one set of data."""

    title: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...]
    """Projects or authors with their works."""


def text() -> str:
    """The file as it stands: Markdown."""
    return (resources.files("training.data") / FILE).read_text(encoding="utf-8")


def sections() -> list[Attribution]:
    """The file's second headings with what stands under them, in its order."""
    out = []
    for part in text().split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        blocks = [" ".join(block.split("\n")) for block in body.strip().split("\n\n") if not block.startswith("- ")]
        items = [line.removeprefix("- ") for line in body.split("\n") if line.startswith("- ")]
        out.append(Attribution(title, tuple(blocks), tuple(items)))
    return out


def owed(data: Iterable[DataSet]) -> bool:
    """Whether a bundle learnt from any of these data; `prepare` takes them all together, so all are owed then."""
    titles = {section.title for section in sections()}
    return any(dataset.name in titles for dataset in data)
