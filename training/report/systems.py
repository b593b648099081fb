"""Which of the systems on a stream is ours, and what each is called where one name stands for several rules."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

PEERS: Final = ("YAMNet", "mn04")
"""How the names of those begin whom others run today: never ours."""
LONG: Final = 16
"""Letters from which on two names do not fit side by side above a picture."""

System = Mapping[str, Any]
"""JSON values of one system, as `streams` describes them."""
T = TypeVar("T")


def ours(systems: Sequence[System], name: str) -> System:
    """The system of this name, else the first that is no peer.

    Raises:
        KeyError: There are peers only.
    """
    for system in systems:
        if system["name"] == name:
            return system
    for system in systems:
        if not system["name"].startswith(PEERS):
            return system
    raise KeyError("systems: one that is no peer")


def labels(systems: Sequence[System]) -> list[str]:
    """Names, with the rule where two systems share one."""
    names = [system["name"] for system in systems]
    return [_full(system) if names.count(name) > 1 else name for system, name in zip(systems, names, strict=True)]


def value_of(values: Mapping[str, T], system: System) -> T | None:
    """What a table by system holds of one: under its name and rule, or its name alone."""
    full = _full(system)
    return values[full] if full in values else values.get(system["name"])


def columns(names: Sequence[str]) -> int:
    """How many fit side by side in a legend."""
    return 1 if max(map(len, names), default=0) > LONG else 2


def _full(system: System) -> str:
    return f"{system['name']}, {system['rule']}"
