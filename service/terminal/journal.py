"""Who writes to systemd's journal: the same as the console on a terminal, in records with fields to search for.

`journalctl -u monitord MONITORD_EVENT=started` lists the nights.
"""

import logging
from collections.abc import Mapping
from typing import Final, Protocol

from monitord.faults import Fault
from service.messages.json_lines import Line
from service.terminal.console_text import event_words, fault_words, printable, segment_words

DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL = 7, 6, 5, 4, 3, 2
"""Priorities, syslog(3)."""
IDENTIFIER: Final = "monitord"
"""`journalctl -t monitord`."""


class Screen(Protocol):
    """Who shows a person, or a script, what happens: a terminal, the journal, or what a host of the daemon has."""

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees what is drawn, such as a QR code."""

    def banner(self, text: str) -> None:
        """What it listens to, and where it tells it: the first that is shown."""

    def line(self, line: Line) -> None:
        """A segment or an event, as `replay` prints it, with the id that MQTT carries."""

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """The level of a source, once a second."""

    def fault(self, source: str, fault: Fault, detail: str = "") -> None:
        """A source has another fault, or with `ok` none any more."""

    def note(self, text: str) -> None:
        """Something about the whole daemon."""

    def close(self) -> None:
        """Nothing more is shown; called by who opened it."""


class Send(Protocol):
    """Takes one record, as `systemd.journal.send`."""

    def __call__(self, MESSAGE: str, **fields: object) -> object:  # noqa: N803 - the journal's name of it
        """Writes it."""


class JournalScreen:
    """What stands in the journal under `monitord run`. All methods may be called from any thread.

    Args:
        send: Writes one record.
        names: What people call each source, by id.
    """

    is_terminal = False

    def __init__(self, send: Send, names: Mapping[str, str]) -> None:
        self._send, self._names = send, names

    def banner(self, text: str) -> None:
        """Says in one record that it begins; the first screen is for terminals."""
        del text
        self._say(INFO, f"begins to listen to {', '.join(self._names.values())}")

    def line(self, line: Line) -> None:
        """Writes a segment or an event, with the id that MQTT carries."""
        fields = {
            "MONITORD_SOURCE": line["source"],
            "MONITORD_ID": line.get("id"),
            "MONITORD_EPISODE": line.get("episode"),
        }
        if line["kind"] == "segment":
            self._about(DEBUG, str(line["source"]), segment_words(line), fields | {"MONITORD_EVENT": "segment"})
            return
        event_type = str(line["event_type"])
        fields |= {"MONITORD_EVENT": event_type, "MONITORD_REASON": line["reason"], "MONITORD_P_CRY": line["p_cry"]}
        words = event_words(line) or f"reason {line['reason']}"
        self._about(NOTICE if event_type in {"started", "escalated"} else INFO, str(line["source"]), words, fields)

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """Writes nothing: a level is no news."""

    def fault(self, source: str, fault: Fault, detail: str = "") -> None:
        """Writes that a source has a fault, or with `ok` that it is over."""
        fields = {"MONITORD_SOURCE": source, "MONITORD_FAULT": fault}
        self._about(NOTICE if fault == "ok" else WARNING, source, fault_words(fault, detail), fields)

    def note(self, text: str) -> None:
        """Writes something about the whole daemon."""
        self._say(INFO, text)

    def close(self) -> None:
        """Has nothing to close."""

    def _about(self, priority: int, source: str, words: str, fields: Mapping[str, object]) -> None:
        self._say(priority, f"{self._names.get(source, source)}: {words}", **fields)

    def _say(self, priority: int, text: str, **fields: object) -> None:
        given = {key: str(value) for key, value in fields.items() if value is not None}
        self._send(printable(text), PRIORITY=str(priority), SYSLOG_IDENTIFIER=IDENTIFIER, **given)


class JournalLog(logging.Handler):
    """Sends log records to the journal, with their priority and place; a message of several lines stays one record.

    systemd-python's own handler also writes each record's raw arguments, which nobody has looked at for secrets.

    Args:
        send: Writes one record.
    """

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        try:
            self._send(
                self.format(record),
                PRIORITY=str(_priority(record.levelno)),
                SYSLOG_IDENTIFIER=IDENTIFIER,
                LOGGER=record.name,
                THREAD_NAME=str(record.threadName),
                CODE_FILE=record.pathname,
                CODE_LINE=record.lineno,
                CODE_FUNC=record.funcName,
            )
        except Exception:  # noqa: BLE001 - the contract of logging.Handler: report it, never raise into the caller
            self.handleError(record)


def _priority(level: int) -> int:
    for least, priority in ((logging.CRITICAL, CRITICAL), (logging.ERROR, ERROR), (logging.WARNING, WARNING)):
        if level >= least:
            return priority
    return INFO if level >= logging.INFO else DEBUG
