"""The words for events, reasons, faults, sounds, lengths and levels."""

from typing import get_args

import pytest

from monitord.faults import Fault
from monitord.types import REASONS, EventType
from service.messages.json_lines import Line
from service.terminal.console_text import duration_words, event_words, fault_words, level_words, segment_words
from tests.support.daemon.printed_lines import SEGMENT, event_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (event_line("started"), "started crying (95 %)"),
        (event_line("reason", reason="hunger", reason_p=0.61), "probably hungry (61 %)"),
        (event_line("reason", reason="unsure", reason_p=0.4), None),
        (event_line("ended"), "ended after 41 s"),
        (event_line("escalated", t_s=131.2), "still crying, for 2 min 0 s"),
        (event_line("acknowledged"), "somebody is on the way"),
    ],
)
def test_events_in_words(line: Line, words: str | None) -> None:
    """One short sentence each; a reason only when it is sure."""
    assert event_words(line) == words


@pytest.mark.parametrize("event_type", get_args(EventType))
def test_every_event_has_words(event_type: EventType) -> None:
    """None of the contract's types is forgotten."""
    assert event_words(event_line(event_type, reason="hunger", reason_p=0.7))


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(reason: str) -> None:
    """None of the method's reasons is forgotten."""
    assert event_words(event_line("reason", reason=reason, reason_p=0.7))


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_words(fault: Fault) -> None:
    """Each fault is said, and what the source knows beside it; a recovery is said too."""
    words = fault_words(fault, "unplugged")
    assert words == "heard again" if fault == "ok" else words.endswith("(unplugged)")


def test_segments_in_words() -> None:
    """In brief."""
    assert segment_words(SEGMENT) == "cry sound of 1.3 s (98 %)"


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.9, "1 h 0 min"),
        (4320, "1 h 12 min"),
    ],
)
def test_durations_in_words(duration_s: float, words: str) -> None:
    """Seconds, minutes, hours; never 60 of something."""
    assert duration_words(duration_s) == words


@pytest.mark.parametrize(("dbfs", "bar"), [(-96, "." * 10), (-60, "." * 10), (-30, "#####....."), (0, "#" * 10)])
def test_levels_are_bars(dbfs: float, bar: str) -> None:
    """Ten cells for 60 dB."""
    assert level_words("Nursery", dbfs, blocks=False) == f"Nursery {bar} {dbfs:3.0f} dB"
