"""Results whose figures have no page of their own, as plain tables: nothing that was measured is left out."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from training.report.parts import Section, Table, measured
from training.results.number_text import NONE, spoken
from training.results.result_files import Kind, Result

TITLES: Final[dict[Kind, tuple[str, str, str]]] = {
    "evaluate": (
        "Hearing, window by window",
        "Cry against the rest in single windows of one second, on recordings that training never saw.",
        "monitord-train evaluate --prepared PREPARED",
    ),
    "households": (
        "Hearing, in homes of several kinds",
        "Sounds as many and as loud as a family has them. False alarms an hour are of all hours; a day's are added up.",
        "monitord-train streams --households --prepared PREPARED --out RESULTS/households.json",
    ),
    "adapt": (
        "What a home teaches",
        "A cat, a laughing baby or a squeaking door that is taken for a cry, before and after the family says so.",
        "monitord-train adapt --prepared PREPARED --out RESULTS/adapt.json",
    ),
    "family": (
        "For one family",
        "What a bundle gains when it is adapted to a family's own labelled cries, on cries that it was not shown.",
        "monitord-train fit --from BUNDLE --manifest OURS --out OUR_BUNDLE",
    ),
}


def section(kind: Kind, results: Sequence[Result]) -> Section:
    """The figures as they stand in the results' files."""
    title, lead, command = TITLES[kind]
    return Section(kind, title, lead, kind, command, [measured(result, list(_tables(result))) for result in results])


def _tables(result: Result) -> Iterator[Table]:
    """Lists of records become tables of their own, all else one table of names and values."""
    plain: list[list[str]] = []
    for name, value in _flat("", result.figures):
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            header = list(dict.fromkeys(key for row in value for key in row))
            yield Table(
                spoken(name), [spoken(key) for key in header], [[_text(row.get(k)) for k in header] for row in value]
            )
        else:
            plain.append([spoken(name), _text(value)])
    if plain:
        yield Table("Figures", ["", "value"], plain)


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}, {key}" if prefix else key, inner)
    else:
        yield prefix, value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " to ".join(map(_text, value)) if len(value) == 2 else ", ".join(map(_text, value))  # noqa: PLR2004 - an interval
    if isinstance(value, dict):
        return ", ".join(f"{spoken(key)} {_text(inner)}" for key, inner in value.items())
    return NONE if value is None else str(value)
