"""What the fault matrix found, and its table."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.messages.faults import FAULTS
from tests.bench.markdown import markdown


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; times in seconds, None where it never came."""

    kind: str
    provoked: str
    fault: str
    fault_s: float | None
    offline_s: float | None
    well_s: float | None

    @property
    def times(self) -> tuple[float | None, ...]:
        """In the order of the table."""
        return self.fault_s, self.offline_s, self.well_s


def table(lines: Sequence[Line]) -> str:
    """Writes them as Markdown."""
    head = ("source", "how it is broken", "fault", "seen (s)", "offline (s)", "heard again (s)", "a parent reads")
    rows = [
        (
            line.kind,
            line.provoked,
            line.fault or "none",
            *map(_number, line.times),
            _words(line.fault),
        )
        for line in lines
    ]
    return markdown([head, *rows])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _words(fault: str) -> str:
    words = {str(fault): meaning.text for fault, meaning in FAULTS.items()}
    return words.get(fault, "the whole monitor is unavailable" if fault else "nothing: it is heard")
