"""Who writes to the terminal: one line for each thing that happens, and a live level while nothing does.

Everything for a person goes to one stream; JSON lines, where they are asked for, to another. All methods may be called
from any thread.
"""

import contextlib
import errno
import json
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final, TextIO

from monitord.faults import Fault
from service.messages.faults import FAULTS
from service.messages.json_lines import Line
from service.terminal.console_text import event_words, fault_words, level_words, printable, segment_words
from service.terminal.qr_code import is_terminal

_log = logging.getLogger(__name__)

_COLOURS: Final = {"alarm": "\x1b[1;31m", "good": "\x1b[32m", "warning": "\x1b[33m", "dim": "\x1b[2m"}
"""ECMA-48, "Select Graphic Rendition": bold red, green, yellow, faint."""
_PLAIN: Final = "\x1b[0m"
_ERASE: Final = "\r\x1b[K"
"""Back to the start of the line, and erase it."""
_GONE: Final = {errno.EPIPE, errno.EBADF, errno.ECONNRESET, errno.ENXIO}
"""Nobody reads any more, and nobody will. All else may pass, such as a full disk under a file that is written to."""
WAIT_S: Final = 0.5
"""Longest wait for a terminal or a pipe that takes nothing just now (seconds): stopped with Ctrl-S, a pager, the log of
a container that hangs. No room is heard meanwhile. For who reads late, a pipe holds 64 KiB, hundreds of events."""


class Console:
    """What a person sees under `monitord run`.

    Args:
        human: For people: standard output, or standard error beside JSON.
        names: What people call each source, by id.
        json_lines: For scripts: segments and events as JSON go there, and not in words to `human`. None: no JSON.
    """

    def __init__(self, human: TextIO, names: Mapping[str, str], json_lines: TextIO | None = None) -> None:
        self._human, self._json = human, json_lines
        self._names = {source: printable(name) for source, name in names.items()}
        self._width = max(map(len, self._names.values()), default=0)
        self.lock = threading.RLock()
        """Held while anything is written. A warning of our own comes back through `log`."""
        self.is_terminal = is_terminal(human)
        """Whether a person sees what is drawn, such as a QR code."""
        self._colour = self.is_terminal and not os.environ.get("NO_COLOR")
        self._live = self.is_terminal and json_lines is None
        self._blocks = _can_write("█░", human)
        self._levels: dict[str, float] = {}  # dBFS by source
        self._faulty: set[str] = set()  # sources whose level would look like health
        self._drawn = False  # whether a level line stands on the terminal's last line
        self._lost: set[int] = set()  # ids of streams whose reader has gone
        self._refused: dict[int, int] = {}  # lines by id of a stream that takes none just now

    def banner(self, text: str) -> None:
        """Shows the first screen."""
        self._say(text)

    def line(self, line: Line) -> None:
        """Shows a segment or an event, as `replay` prints it."""
        if self._json is not None:
            self._write(self._json, json.dumps(line) + "\n")
            return
        if line["kind"] == "segment":
            self._about(str(line["source"]), segment_words(line), "dim")
        elif (words := event_words(line)) is not None:
            colour = {"started": "alarm", "escalated": "alarm", "ended": "good"}.get(str(line["event_type"]), "")
            self._about(str(line["source"]), words, colour)

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """Redraws the live line, on a terminal; elsewhere a level is no news."""
        del floor_dbfs
        if self._live:
            with self.lock:
                self._levels[source] = dbfs
                self._redraw()

    def fault(self, source: str, fault: Fault, detail: str = "") -> None:
        """Tells that a source has a fault, or with `ok` that it is over; call it once for each change."""
        with self.lock:
            (self._faulty.discard if FAULTS[fault].heard else self._faulty.add)(source)
            self._about(source, fault_words(fault, detail), "good" if fault == "ok" else "warning")

    def note(self, text: str) -> None:
        """Tells something about the whole daemon, such as that the broker is away."""
        self._say(f"{time.strftime('%H:%M:%S')}  {printable(text)}")

    def log(self, text: str) -> None:
        """Writes a log line to standard error without tearing the live line."""
        with self.lock:
            self._erase()
            self._write(sys.stderr, text + "\n")
            self._redraw()

    def close(self) -> None:
        """Takes the live line away; what comes after it starts on a clean line."""
        with self.lock:
            self._levels.clear()
            self._erase()
            for stream in (self._human, self._json):
                if stream is not None and id(stream) in self._refused:
                    self._flush_or_forget(stream)

    def _about(self, source: str, words: str, colour: str) -> None:
        name = self._names.get(source, source)
        self._say(f"{time.strftime('%H:%M:%S')}  {name:<{self._width}}  {self._paint(words, colour)}")

    def _say(self, text: str) -> None:
        with self.lock:
            self._erase()
            self._write(self._human, text + "\n")
            self._redraw()

    def _paint(self, words: str, colour: str) -> str:
        return f"{_COLOURS[colour]}{words}{_PLAIN}" if self._colour and colour else words

    def _redraw(self) -> None:
        if not self._levels:
            return
        parts = [self._level(source, dbfs) for source, dbfs in self._levels.items()]
        # One cell stays free: a full line would wrap, and could not be erased.
        text = "   ".join(parts)[: _columns(self._human) - 1]
        self._write(self._human, _ERASE + self._paint(text, "dim"))
        self._drawn = True

    def _level(self, source: str, dbfs: float) -> str:
        name = self._names.get(source, source)
        return f"{name} NOT HEARD" if source in self._faulty else level_words(name, dbfs, blocks=self._blocks)

    def _erase(self) -> None:
        if self._drawn:
            self._write(self._human, _ERASE)
            self._drawn = False

    def _write(self, stream: TextIO, text: str) -> None:
        """Writes at once. A reader that has gone (a closed pipe) is no reason to stop listening for a baby.

        Neither is one that pauses, whose lines are left out meanwhile, nor a disk that is full: of the lines that it
        refuses the first 8 KiB or so wait in the stream's own buffer and are whole when they come, the others are lost.
        """
        with self.lock:
            if id(stream) in self._lost:
                return
            try:
                if not _takes(stream, 0.0 if id(stream) in self._refused else WAIT_S):
                    raise BlockingIOError(errno.EAGAIN, "whoever reads it pauses")
                stream.write(text)
                stream.flush()
            except OSError as error:
                if error.errno in _GONE:
                    self._forget(stream)
                    _log.warning("nobody reads what is printed any more (%s); the daemon goes on without", error)
                    return
                before = self._refused.get(id(stream), 0)
                self._refused[id(stream)] = before + 1
                if not before:
                    _log.warning("what is printed is not taken (%s); the daemon goes on, and tries each line", error)
            else:
                if refused := self._refused.pop(id(stream), 0):
                    _log.warning("what is printed is taken again; %d lines were late or are lost", refused)

    def _flush_or_forget(self, stream: TextIO) -> None:
        try:
            stream.flush()
        except OSError:
            self._forget(stream)

    def _forget(self, stream: TextIO) -> None:
        """Lets nothing more reach the stream: what is buffered would fail again at exit, and change its status."""
        self._lost.add(id(stream))
        with contextlib.suppress(OSError):  # a descriptor that is none is no more trouble
            # Python documentation, "Note on SIGPIPE".
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


class ConsoleHandler(logging.Handler):
    """Sends log records through a console, so that log and live line share a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__()

    def createLock(self) -> None:  # noqa: N802 - the name of logging.Handler
        """Takes the console's: with two, who logs, and who prints and has to log of that, would wait for each other."""
        self.lock = self._console.lock

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        try:
            self._console.log(self.format(record))
        except Exception:  # noqa: BLE001 - the contract of logging.Handler: report it, never raise into the caller
            self.handleError(record)


def _can_write(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _takes(stream: TextIO, timeout_s: float) -> bool:
    """Whether a line can be written without waiting, now or after so long at most (seconds)."""
    look = select.poll()
    try:
        look.register(stream.fileno(), select.POLLOUT)
    except (OSError, ValueError):  # it has no file, or is closed: writing to it does not wait
        return True
    return bool(look.poll(1e3 * timeout_s))


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80  # of a terminal that does not say: the VT100's
