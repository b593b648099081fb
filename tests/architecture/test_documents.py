"""What the documents have people type: each command is there, and each configuration is read.

Whether the commands work is tried by `tests/end_to_end/test_documents.py`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.cli import _parser
from service.config import Config, load_config
from service.messages.commands import _NODE_COMMANDS, _OF_SOURCE
from tests.support.documents import (
    COMMANDS,
    DOCUMENTS,
    ELSEWHERE,
    MOSQUITTO,
    NOT_RUN,
    README,
    SHOWN,
    SYNOPSIS,
    TYPED,
    Block,
    blocks,
    inline,
)
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import authority
from tests.support.start_errors import running_errors, start_errors

MOST_WORDS = 1_200
"""Of README.md, tables and commands included: some five minutes of reading."""

MANY_ERRORS = 100
"""At least so many errors end a start: fewer, and they are not found any more."""
PIECE = 12
"""Characters of an error's words from which a piece of them must stand on the page as it is."""

MANY_LINES = 15
"""At least so many sentences name a line of configuration."""

SCREENS = (
    *(ROOT / "docs" / f"{name}.md" for name in ("family-page", "faq", "home-assistant", "phones-and-alarms")),
    ROOT / "docs" / "when-something-is-wrong.md",
    README,
)
"""Documents that quote, in italics, what a parent sees."""
SHOWS = (
    *sorted((ROOT / "service").rglob("*.json")),
    *sorted((ROOT / "service").rglob("*.yaml")),
    *sorted((ROOT / "service").rglob("*.py")),
    *sorted((ROOT / "deploy" / "homeassistant").glob("*.yaml")),
    ROOT / "deploy" / "install",
)
"""Where what a parent sees is written."""
OF_OTHERS = {
    "do not disturb",
    "override do not disturb",
    "persistent connection",
    "reserve ip",
    "static lease",
    "mosquitto broker",
    "discovery prefix",
    "subscribe to topic",
    "that was the cat",
    "who went",
    "nursery: crying. since 19:02.",
}
"""Quoted, too: what phones, routers, Home Assistant and ntfy show, and what a family says."""


def _fences() -> list[Block]:
    return [block for document in DOCUMENTS for block in blocks(document)]


def test_every_command_of_the_documents_is_run() -> None:
    """Two documents are followed to the letter; what stands in another one has a test elsewhere, and that is there."""
    assert [str(block) for block in _fences() if block.language not in (*TYPED, *SHOWN)] == []
    assert {block.document for block in _fences() if block.language == SYNOPSIS} == {COMMANDS}
    commands = [block for block in _fences() if block.language in TYPED]
    typed = {command for block in commands for command in block.commands}
    others = [block for block in commands if block.document not in (README, MOSQUITTO)]
    unrun = {line for block in others for line in block.commands} - set(ELSEWHERE)
    assert [line for line in unrun if line.split(" ")[0] not in NOT_RUN] == []
    assert [command for command in ELSEWHERE if command not in typed] == []
    assert [test for test in ELSEWHERE.values() if not (ROOT / test).is_file()] == []
    # A block that is indented would be a command that nobody runs.
    for document in DOCUMENTS:
        prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"^\n {4}\S", prose, re.MULTILINE), document


def test_every_command_in_a_sentence_is_one() -> None:
    """`monitord ...` is a command line that monitord takes; `deploy/...` and `tests/...` are there."""
    said = [words for document in DOCUMENTS for words in inline(document)]
    typed = [command for block in _fences() if block.language in (*TYPED, SYNOPSIS) for command in block.commands]
    known = [words for words in said + typed if words.startswith(("monitord ", "deploy/monitord "))]
    assert len(known) > 10
    for words in known:
        # The list of commands shows what may be left out, and what may be chosen.
        for alternative in words.replace("...", "").split("  ")[0].split(" | "):
            line = re.sub(r"\[[^\]]*\]", "", alternative.removeprefix("deploy/").removeprefix("monitord"))
            parts = [part.partition("|")[0] for part in line.replace("bundle show", "bundle show ").split()]
            if len(parts) == 1:
                with pytest.raises(SystemExit) as end:
                    _parser().parse_args([*parts, "--help"])
                assert end.value.code == 0, words
            else:
                _parser().parse_args(parts)
    for words in said:
        program = re.split("[ :]", words.removeprefix("sudo "))[0]
        if program.startswith(("deploy/", "tests/")):
            assert (ROOT / program).exists(), words
        if module := re.match(r"python -m (tests\.[\w.]+)", words):
            assert (ROOT / module[1].replace(".", "/")).with_suffix(".py").is_file(), words


def test_every_configuration_of_the_documents_is_read(tmp_path: Path) -> None:
    """By the daemon's own eyes, with the files that it names; options of an app: tests/homeassistant_app."""
    configurations = [block for block in _fences() if block.language == "yaml" and block.section != "Options"]
    assert len(configurations) >= 3
    for block in configurations:
        text = re.sub(r"/(srv|etc/monitord)/", f"{tmp_path}/", block.text)
        for name in re.findall(r"(?:_file|\bfile): ([^,}\s]+)", text):
            (tmp_path / name).write_text("ntfys://ntfy.sh/a-long-word\n")
            (tmp_path / name).chmod(0o600)
        (tmp_path / "monitord.yaml").write_text(text)
        assert load_config(tmp_path / "monitord.yaml").rooms, block


def test_every_configuration_in_a_sentence_is_read(tmp_path: Path) -> None:
    """A line such as `nursery: {page: true}`, in the place where it belongs."""
    said = [words for document in DOCUMENTS for words in inline(document)]
    lines = [words for words in said if re.fullmatch(r"[a-z_]+: \{.*\}", words) and "..." not in words]
    assert len(lines) > MANY_LINES
    there, _ = authority(tmp_path)
    for line in lines:
        # Any file that it names is there.
        text = re.sub(r"(_file|\bfile): (F|FILE|[\w.]+|/[^,}]+)(?=[,}])", rf"\1: {there}", line)
        key = text.partition(":")[0]
        if "webhook" in text or "url" in text:
            text = f"notify: {{channels: {{{text}}}}}"
        elif key not in Config.model_fields:
            text = f"sources: {{{text}}}"
        (tmp_path / "monitord.yaml").write_text(text)
        assert load_config(tmp_path / "monitord.yaml"), line


def test_every_command_over_mqtt_is_in_its_table() -> None:
    """With its topic; what it takes stands beside it."""
    _, _, table = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8").partition("## Commands\n")
    rows = [row.split("|")[1] for row in table.partition("\n## ")[0].splitlines() if row.startswith("| `")]
    topics = {topic for row in rows for topic in re.findall("`([^`]+)`", row)}
    assert topics == {*(f"<source>/{name}/set" for name in _OF_SOURCE), *(f"{name}/set" for name in _NODE_COMMANDS)}


def test_the_readme_is_short() -> None:
    """A parent reads it to its end; the rest has a page of its own in docs."""
    assert len(README.read_text(encoding="utf-8").split()) < MOST_WORDS


@pytest.mark.parametrize(("said", "many"), [(start_errors, MANY_ERRORS), (running_errors, MANY_LINES)])
def test_every_error_is_on_the_page(said: Callable[[], Iterator[tuple[str, str]]], many: int) -> None:
    """Whoever searches for the words on their screen finds them, and what helps.

    Those that end a start; and those of a stream, a broker and a phone that was not told while it runs, which stand in
    the log or in a proof.
    """
    page = (ROOT / "docs" / "when-something-is-wrong.md").read_text(encoding="utf-8")
    text = " ".join(page.replace("`", "").split())
    errors = list(said())
    assert len(errors) > many
    assert [f"{where}: {words}" for where, words in errors if not _found(words, text)] == []


def test_what_a_screen_is_said_to_show_it_shows() -> None:
    """A parent searches the page for the words on the screen, and the screen for the words on the page."""
    shown = " ".join(" ".join(path.read_text(encoding="utf-8") for path in SHOWS).split()).casefold()
    quoted = {(page.name, words) for page in SCREENS for words in _italics(page) if " " in words}
    assert len(quoted) > MANY_LINES
    wrong = [
        (page, words)
        for page, words in sorted(quoted)
        if words not in OF_OTHERS and not all(piece.strip() in shown for piece in words.split("..."))
    ]
    assert wrong == []


def _italics(page: Path) -> set[str]:
    prose = re.sub(r"^```.*?^```$|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"(?<![*\w])\*([^*|\n]+(?:\n[^*|\n]+)?)\*(?![*\w])", prose)
    return {" ".join(words.split()).casefold() for words in found}


def _found(words: str, text: str) -> bool:
    """Whether the text holds all that is said whatever the house: what is filled in stands as `...`."""
    said = [piece.strip(" :;,.()") for piece in " ".join(words.replace("`", "").split()).split("...")]
    whole = [piece for piece in said if len(piece) >= PIECE] or [max(said, key=len)]
    return all(piece in text for piece in whole)
