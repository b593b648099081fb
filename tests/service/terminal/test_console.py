"""What a person sees while it runs: plain lines, JSON, and the terminal's behaviour on a real pseudo-terminal."""

import io
import json
import logging
import os
import re
import resource
import select
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from service.terminal.console import Console, ConsoleHandler
from service.terminal.screen import logging_to
from tests.support.daemon.printed_lines import SEGMENT, event_line
from tests.support.patience import PATIENCE_S

NAMES = {"nursery": "Nursery", "bed": "Bed"}
CLOCK = r"\d\d:\d\d:\d\d"


def test_without_a_terminal_there_are_plain_lines_only() -> None:
    """No level, no colour, no carriage return: a log file or the journal stays readable."""
    out = io.StringIO()
    console = Console(out, NAMES)
    console.level("nursery", -40, -60)
    console.line(event_line("started"))
    console.line(SEGMENT)
    console.line(event_line("reason", reason="unsure"))
    console.fault("bed", "stalled", "no sound for 7 s")
    console.fault("bed", "ok")
    console.note("the broker is away")
    console.close()
    expected = [
        r"Nursery  started crying \(95 %\)",
        r"Bed      cry sound of 1\.3 s \(98 %\)",
        r"Bed      NOT HEARD: no sound arrives \(no sound for 7 s\)",
        r"Bed      heard again",
        r"the broker is away",
    ]
    lines = out.getvalue().splitlines()
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(f"{CLOCK}  {pattern}", line)


def test_json_is_for_scripts_alone() -> None:
    """Segments and events are JSON lines on one stream; banner, faults and notes are words on the other."""
    human, script = io.StringIO(), io.StringIO()
    console = Console(human, NAMES, script)
    console.banner("hello")
    console.line(event_line("started"))
    console.line(SEGMENT)
    console.level("nursery", -40, -60)
    console.fault("bed", "flat")
    assert [json.loads(line) for line in script.getvalue().splitlines()] == [event_line("started"), SEGMENT]
    assert human.getvalue().startswith("hello\n")
    assert "crying" not in human.getvalue()
    assert "stuck" in human.getvalue()


class Terminal:
    """A pseudo-terminal: a stream to write to, and what it has shown."""

    def __init__(self, encoding: str) -> None:
        self._master, slave = os.openpty()
        self.stream: TextIO = os.fdopen(slave, "w", encoding=encoding)

    def shown(self, end: str) -> str:
        """Returns what came since the last call, up to `end`; the kernel hands it over when it likes."""
        text = ""
        while not text.endswith(end):
            assert select.select([self._master], [], [], PATIENCE_S)[0], f"{end!r} did not come after {text!r}"
            text += os.read(self._master, 65_536).decode().replace("\r\n", "\n")
        return text

    def close(self) -> None:
        """Closes both sides."""
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """An open one, without colour."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    opened = Terminal("utf-8")
    yield opened
    opened.close()


def test_the_level_is_one_live_line(terminal: Terminal) -> None:
    """It is redrawn in place, makes room for an event, and comes back after it."""
    console = Console(terminal.stream, NAMES)
    console.level("nursery", -30, -60)
    console.level("bed", -60, -60)
    both = "Nursery █████░░░░░ -30 dB   Bed ░░░░░░░░░░ -60 dB"
    assert terminal.shown(both) == f"\r\x1b[KNursery █████░░░░░ -30 dB\r\x1b[K{both}"
    console.fault("bed", "stalled")
    assert re.fullmatch(
        rf"\r\x1b\[K{CLOCK}  Bed      NOT HEARD: no sound arrives\n"
        r"\r\x1b\[KNursery █████░░░░░ -30 dB   Bed NOT HEARD",
        terminal.shown("Bed NOT HEARD"),
    )
    console.close()
    assert terminal.shown("\x1b[K") == "\r\x1b[K"


@pytest.mark.parametrize(
    ("no_colour", "term", "coloured"), [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)]
)
def test_colour_is_a_choice(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, no_colour: str, term: str, *, coloured: bool
) -> None:
    """NO_COLOR and a dumb terminal switch it off."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_colour)
    Console(terminal.stream, NAMES).line(event_line("started"))
    assert ("\x1b[1;31mstarted" in terminal.shown("\n")) == coloured


def test_a_log_line_does_not_tear_the_live_line(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    """The live line is erased before the record goes to standard error, and drawn again after it."""
    console = Console(terminal.stream, NAMES)
    console.level("bed", -60, -60)
    level = "Bed ░░░░░░░░░░ -60 dB"
    terminal.shown(level)
    ConsoleHandler(console).emit(logging.LogRecord("x", logging.WARNING, "x.py", 1, "broker %s", ("away",), None))
    assert capsys.readouterr().err == "broker away\n"
    assert terminal.shown(level) == f"\r\x1b[K\r\x1b[K{level}"


def test_an_encoding_without_blocks_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in an old locale is drawn with characters that it has."""
    monkeypatch.setenv("TERM", "xterm")
    old = Terminal("latin-1")
    monkeypatch.setenv("NO_COLOR", "1")
    Console(old.stream, NAMES).level("bed", -30, -60)
    assert old.shown("dB").endswith("Bed #####..... -30 dB")
    old.close()


def test_a_reader_that_has_gone_does_not_stop_the_monitor(caplog: pytest.LogCaptureFixture) -> None:
    """A closed pipe is said once in the log; everything else goes on."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        console = Console(sys.stderr, NAMES, stream)
        console.line(SEGMENT)
        console.line(SEGMENT)
    assert caplog.text.count("nobody reads what is printed") == 1


def test_a_file_on_a_full_disk_gets_the_lines_that_come_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said once, and again with a count; every line that is in the file is whole, and the newest one is there."""
    path = tmp_path / "lines"
    with path.open("w", encoding="utf-8") as stream, caplog.at_level(logging.INFO):
        console = Console(sys.stderr, NAMES, stream)
        console.line(SEGMENT)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write past the limit fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
        try:
            for number in range(200):
                console.line({**SEGMENT, "t_s": number})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        console.line({**SEGMENT, "t_s": "newest"})
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "what is printed is not taken",
        "what is printed is taken again; 200 lines were late or are lost",
    ]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == SEGMENT
    assert [line["t_s"] for line in lines[1:-1]] == list(range(len(lines) - 2))
    assert lines[-1]["t_s"] == "newest"


def test_a_disk_that_stays_full_does_not_change_the_end() -> None:
    """What could not be printed is given up: the exit status is that of the daemon."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 - a device
        console = Console(full, NAMES)
        console.note("one")
        console.close()
        console.note("two")


def test_a_closed_standard_output_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """`>&-`: its descriptor is none, or belongs to somebody else by now."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w", encoding="utf-8", closefd=False)
    os.close(writer)
    Console(stream, NAMES).note("one")
    stream.close()
    os.close(writer)  # by now a way to nowhere
    assert caplog.text.count("nobody reads what is printed") == 1


def test_a_terminal_that_is_stopped_does_not_stop_the_monitor(
    terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl-S on it is said once in the log, and what it missed is counted; after Ctrl-Q it shows what comes."""
    console = Console(terminal.stream, NAMES)
    termios.tcflow(terminal.stream, termios.TCOOFF)
    prints = threading.Thread(target=lambda: [console.note("missed") for _ in range(20)], daemon=True)
    prints.start()
    prints.join(PATIENCE_S)
    assert not prints.is_alive()
    termios.tcflow(terminal.stream, termios.TCOON)
    console.note("shown")
    assert "missed" not in terminal.shown("shown\n")
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "what is printed is not taken",
        "what is printed is taken again; 20 lines were late or are lost",
    ]


def test_a_script_that_pauses_holds_up_nobody() -> None:
    """What its pipe holds it reads later, whole; the rest is left out."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        console = Console(sys.stderr, NAMES, stream)
        prints = threading.Thread(
            target=lambda: [console.line({**SEGMENT, "t_s": n}) for n in range(2_000)], daemon=True
        )
        prints.start()
        prints.join(PATIENCE_S)
        assert not prints.is_alive()
    with os.fdopen(reader, encoding="utf-8") as stream:
        read = [json.loads(line)["t_s"] for line in stream]
    assert 0 < len(read) < 2_000
    assert read == list(range(len(read)))


def test_who_prints_and_who_logs_never_wait_for_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """A pager is left while one thread prints into it and another logs: the first has to log, too, that it has gone."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as pager:
        console = Console(pager, NAMES)
        handler = ConsoleHandler(console)
        prints = threading.Thread(target=console.note, args=("x" * 1_000_000,), daemon=True)
        logs = threading.Thread(target=logging.getLogger("other").warning, args=("the broker is away",), daemon=True)
        with logging_to(handler):
            prints.start()
            assert os.read(reader, 1)  # the pipe holds less than is printed: it waits for the pager from now on
            logs.start()
            logs.join(0.2)  # by then it waits, too; where not, this proves less, and does not fail
            os.close(reader)
            for thread in (prints, logs):
                thread.join(PATIENCE_S)
                assert not thread.is_alive()
    assert "nobody reads what is printed" in caplog.text
