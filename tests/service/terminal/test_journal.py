"""What stands in the journal: a sentence, a priority, and fields to search for."""

import logging
from typing import Any

from service.terminal.journal import JournalLog, JournalScreen


class Journal:
    """Takes records, as systemd-python does."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def __call__(self, MESSAGE: str, **fields: object) -> object:  # noqa: N803 - the journal's name of it
        """Writes one."""
        assert all(isinstance(value, str) or key == "CODE_LINE" for key, value in fields.items()), fields
        self.records.append({"MESSAGE": MESSAGE, **fields})
        return None


EVENT = {
    "kind": "event",
    "event_type": "started",
    "source": "nursery",
    "t_s": 3.0,
    "onset_s": 1.5,
    "episode": "nursery-20261122T190200Z-1",
    "p_cry": 0.97,
    "reason": "none",
    "reason_p": 0.0,
    "latency_ms": 1500,
    "id": "abc",
}


def test_an_event_can_be_searched_for() -> None:
    """Source, kind, episode and id are fields; `started` is a notice."""
    journal = Journal()
    JournalScreen(journal, {"nursery": "Nursery"}).line(EVENT)
    [record] = journal.records
    assert record["MESSAGE"] == "Nursery: started crying (97 %)"
    assert record["PRIORITY"] == "5"
    assert record["MONITORD_SOURCE"] == "nursery"
    assert record["MONITORD_EVENT"] == "started"
    assert record["MONITORD_EPISODE"] == "nursery-20261122T190200Z-1"
    assert record["MONITORD_ID"] == "abc"


def test_a_segment_is_a_detail() -> None:
    """A cry sound has the priority of a detail; without an episode it has no such field."""
    journal = Journal()
    line = {"kind": "segment", "source": "nursery", "t_s": 1.0, "duration_s": 1.3, "p_cry": 0.9, "reason": "unsure"}
    JournalScreen(journal, {"nursery": "Nursery"}).line(line)
    [record] = journal.records
    assert (record["PRIORITY"], record["MONITORD_EVENT"]) == ("7", "segment")
    assert "MONITORD_EPISODE" not in record


def test_a_fault_is_a_warning_and_its_end_a_notice() -> None:
    """The kind of the fault is a field; what a device calls itself cannot add lines."""
    journal = Journal()
    screen = JournalScreen(journal, {"nursery": "Nursery"})
    screen.fault("nursery", "stalled", "two\nlines")
    screen.fault("nursery", "ok")
    begun, over = journal.records
    assert (begun["PRIORITY"], begun["MONITORD_FAULT"]) == ("4", "stalled")
    assert begun["MESSAGE"] == "Nursery: NOT HEARD: no sound arrives (two?lines)"
    assert (over["PRIORITY"], over["MONITORD_FAULT"]) == ("5", "ok")


def test_no_first_screen_and_no_levels() -> None:
    """What lives on a terminal is not written down; that it begins is."""
    journal = Journal()
    screen = JournalScreen(journal, {"nursery": "Nursery", "bedroom": "Bedroom"})
    screen.banner("monitord 0.1.0. Ctrl-C ends it.")
    screen.level("nursery", -40.0, -60.0)
    screen.close()
    assert [record["MESSAGE"] for record in journal.records] == ["begins to listen to Nursery, Bedroom"]


def test_a_log_record_keeps_priority_and_place() -> None:
    """With the logger, thread and line; its raw arguments are not written, whatever stands in them."""
    journal = Journal()
    handler = JournalLog(journal)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        handler.emit(logging.LogRecord("service.x", level, "x.py", 7, "said %s", ("secret",), None, "f"))
    assert [record["PRIORITY"] for record in journal.records] == ["7", "6", "4", "3", "2"]
    record = journal.records[0]
    assert (record["MESSAGE"], record["LOGGER"], record["CODE_LINE"]) == ("said secret", "service.x", 7)
    assert "CODE_ARGS" not in record
