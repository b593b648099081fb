"""Every link of the documents leads to a file, and where it names one to a heading of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "deploy").rglob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
        *(ROOT / "training").rglob("*.md"),
        *(ROOT / "model" / "bundles").rglob("*.md"),
    }
)
INDEX = ROOT / "docs" / "README.md"
QUESTIONS = ROOT / "docs" / "faq.md"
LEAST_QUESTIONS = 20


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files and anchors that a page links to; not the web."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", _prose(page))):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


def _anchors(page: Path) -> set[str]:
    """What the headings are called in an address, by the rule of the places that show Markdown."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(r"^#+ +(.*)$", _prose(page), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).strip().replace(" ", "-")
        anchors.add(slug if slug not in found else f"{slug}-{found[slug]}")
        found[slug] = found.get(slug, 0) + 1
    return anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A page that moves takes its links with it."""
    broken = [
        f"{path}#{anchor}"
        for path, anchor in _links(page)
        if not path.exists() or (anchor and anchor not in _anchors(path))
    ]
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    """What the index does not name, nobody finds."""
    named = {path for path, _ in _links(INDEX)}
    assert [page.name for page in (ROOT / "docs").rglob("*.md") if page not in named | {INDEX}] == []


def test_every_question_is_one_click_away() -> None:
    """A parent finds the answer from the index, without searching the page."""
    asked = set(re.findall(r"^## (.*)$", QUESTIONS.read_text(encoding="utf-8"), re.MULTILINE))
    linked = dict(re.findall(r"\[([^]]+)\]\(faq\.md#([^)]+)\)", INDEX.read_text(encoding="utf-8")))
    assert set(linked) == asked
    assert set(linked.values()) <= _anchors(QUESTIONS)
    assert len(asked) >= LEAST_QUESTIONS
