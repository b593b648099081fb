"""The words of the pages: each that is said is there, in every language, with the same gaps; and what all weighs."""

import gzip
import json
import re
from http import HTTPStatus
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from monitord.intensity import HARD_FROM
from service.alerts.test_alarm import Why
from service.health.daemon_faults import Problem
from service.messages.corrections import Outcome
from service.messages.texts import languages
from service.web.pages import FOLDER, WORDS, Pages

TABLE = json.loads((FOLDER / WORDS).read_text(encoding="utf-8"))
SCRIPTS = [path for path in FOLDER.rglob("*.js") if path.parent.name != "vendor"]
SERVED = json.loads(Pages()._pages[WORDS].body)["en"]
"""With the sentences that phones are told, as browsers get it."""
MOST_BYTES = 100_000
"""Compressed: all that a phone loads for every page there is."""


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_each_word_is_there_in_each_language() -> None:
    """No language is forgotten, and no gap."""
    for key, texts in TABLE.items():
        assert sorted(texts) == languages(), key
        assert len({frozenset(gaps(text)) for text in texts.values()}) == 1, key


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_what_a_page_says_is_in_the_table(path: Path) -> None:
    """Each `say("key")`, and each beginning of a key that is put together."""
    text = path.read_text(encoding="utf-8")
    chosen = [key for pair in re.findall(r'say\([^()`]*\? "([\w.]+)" : "([\w.]+)"\)', text) for key in pair]
    for key in [*re.findall(r'say\("([\w.]+)"', text), *chosen]:
        assert key in TABLE, key
    for beginning in re.findall(r"say\(`([\w.]+)\$", text):
        assert any(key.startswith(beginning) for key in SERVED), beginning


def test_what_the_daemon_says_in_a_word_has_words_here() -> None:
    """Of each refusal, problem, failed test and correction, as of each fault and reason."""
    raised = "".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.rglob("*.py"))
    statuses = {HTTPStatus[name] for name in re.findall(r"RefusedError\(\s*HTTPStatus\.(\w+)", raised)}
    assert statuses
    said = {
        "refused": {str(int(status)) for status in statuses} | {"0"},
        "problem": set(get_args(Problem)),
        "test_why": set(get_args(Why)),
        "outcome": set(get_args(Outcome)) - {"", "learnt", "none"},  # told in numbers, or nothing to tell
    }
    for kind, words in said.items():
        assert {key.partition(".")[2] for key in TABLE if key.startswith(f"{kind}.")} - {"other"} == words


def test_no_word_is_left_over() -> None:
    """What no page says is deleted."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    beginnings = tuple(re.findall(r"`([\w.]+)\$\{", text))
    assert [key for key in TABLE if f'"{key}"' not in text and not key.startswith(beginnings)] == []


def test_a_page_and_a_phone_call_the_same_cry_hard() -> None:
    """One bound, in two languages of programs."""
    assert f"const HARD = {HARD_FROM};" in (FOLDER / "parents" / "room.js").read_text(encoding="utf-8")


def test_all_pages_together_are_light() -> None:
    """A phone on a weak Wi-Fi has them at once."""
    assert sum(len(page.compressed) for page in Pages()._pages.values()) < MOST_BYTES
    assert all(len(gzip.decompress(page.compressed)) == len(page.body) for page in Pages()._pages.values())
