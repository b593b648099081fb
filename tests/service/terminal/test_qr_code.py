"""The QR code on a terminal."""

import os
from pathlib import Path

import pytest
import segno

from service.terminal.qr_code import COLOURS, HALVES, RESET, is_terminal, qr_code

LINK = "https://192.168.1.20:8443/pair#abcdefghijklmnopqrstuvwxyz0123456789"


def test_says_both_colours_and_draws_every_module() -> None:
    """Dark on light on each line, whatever the terminal's colours are, with the quiet zone that cameras need."""
    modules = {drawn: pair for pair, drawn in HALVES.items()}
    drawn: list[list[int]] = []
    for line in qr_code(LINK).split("\n"):
        assert line.startswith(COLOURS)
        assert line.endswith(RESET)
        pairs = [modules[one] for one in line.removeprefix(COLOURS).removesuffix(RESET)]
        drawn += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    wanted = [list(row) for row in segno.make(LINK, error="l", micro=False).matrix_iter(border=4)]
    assert drawn[: len(wanted)] == wanted
    assert not any(map(any, drawn[len(wanted) :]))  # an odd number of rows: below the last one it is light


def test_a_file_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that knows no colours."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    with os.fdopen(ours), os.fdopen(theirs, "w") as terminal, (tmp_path / "log").open("w") as file:
        assert is_terminal(terminal)
        assert not is_terminal(file)
        monkeypatch.setenv("TERM", "dumb")
        assert not is_terminal(terminal)
