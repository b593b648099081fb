"""What happens, in the words of a parent: one short sentence for each thing that is told. Pure."""

from typing import Final

from monitord.faults import Fault
from service.messages.faults import FAULTS
from service.messages.json_lines import Line

REASONS_IN_WORDS: Final = {
    "hunger": "probably hungry",
    "boredom": "probably wants company",
    "tiredness": "probably tired",
    "discomfort": "probably in discomfort",
}
"""By reason; `unsure` and `none` are not said."""

BAR_CELLS: Final = 10
"""Cells of a level bar, one for 6 dB."""
BAR_FLOOR_DBFS: Final = -60.0
"""Level of an empty bar: a quiet room through a usual microphone lies a cell or two above it."""


def event_words(line: Line) -> str | None:
    """Says one event line of `service.messages.json_lines`; None where there is nothing that a parent wants to read."""
    match line["event_type"]:
        case "started":
            return f"started crying{_percent(line['p_cry'])}"
        case "reason":
            reason = REASONS_IN_WORDS.get(str(line["reason"]))
            return None if reason is None else f"{reason}{_percent(line['reason_p'])}"
        case "escalated":
            return f"still crying, for {duration_words(_lasted_s(line))}"
        case "acknowledged":
            return "somebody is on the way"
        case "ended":
            return f"ended after {duration_words(_lasted_s(line))}"
        case "test":
            return "test alarm: this is what an alarm looks like"
        case other:
            raise AssertionError(f"no words for the event {other}")


def segment_words(line: Line) -> str:
    """Says one segment line, in brief: `cry sound of 1.3 s (98 %)`."""
    return f"cry sound of {_number(line['duration_s']):.1f} s{_percent(line['p_cry'])}"


def fault_words(fault: Fault, detail: str = "") -> str:
    """Says a fault, or that it is over; `detail` is what the source knows more, with its remedy."""
    words = FAULTS[fault].text
    return f"{words} ({printable(detail)})" if detail and fault != "ok" else words


def duration_words(duration_s: float) -> str:
    """Says `41 s`, `3 min 5 s` or `1 h 12 min`."""
    seconds = round(duration_s)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def level_words(name: str, dbfs: float, *, blocks: bool) -> str:
    """Says a level as a bar with its number: `Nursery ###....... -42 dB`; `blocks` draws it with block characters."""
    full, empty = ("█", "░") if blocks else ("#", ".")
    filled = round((dbfs - BAR_FLOOR_DBFS) / -BAR_FLOOR_DBFS * BAR_CELLS)
    filled = min(max(filled, 0), BAR_CELLS)
    return f"{name} {full * filled}{empty * (BAR_CELLS - filled)} {dbfs:3.0f} dB"


def printable(text: str) -> str:
    """Takes out what could command a terminal: names of devices, files and streams come from strangers."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _lasted_s(line: Line) -> float:
    return _number(line["t_s"]) - _number(line["onset_s"])


def _percent(p: object) -> str:
    return f" ({100 * _number(p):.0f} %)"


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)
