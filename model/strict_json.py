"""Frozen dataclasses to JSON and back: a reader that guesses nothing, and a writer for people."""

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from monitord.errors import BundleError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_MOST_EXACT: Final = 2**53
"""From here on not every whole number is a float; no parameter is near it."""


def dump_json(value: "DataclassInstance") -> str:
    """Writes a dataclass as JSON that a person can read; the same value gives the same bytes.

    Raises:
        ValueError: A number is NaN or infinite.
        TypeError: It holds what JSON cannot say.
    """
    return as_json(asdict(value))


def as_json(value: object) -> str:
    """Writes values of JSON as `dump_json` does."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load_json(text: str, where: str) -> JsonValue:
    """Parses JSON; unlike Python's own reader it takes no key twice and no NaN.

    Raises:
        BundleError: It is no JSON.
    """
    try:
        loaded: JsonValue = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        # Neither half a surrogate pair, which is no text and could not be shown, nor 1e999, which is infinite.
        json.dumps(loaded, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: no JSON: {error}") from error
    return loaded


def from_json(kind: type[T], value: JsonValue, where: str) -> T:
    """Builds a dataclass from what `load_json` gave; every key must be there, even one that has a default.

    Raises:
        BundleError: A key is unknown or missing, or a value has the wrong type or range. It names `where` and the key.
    """
    try:
        # As JSON again: only there does strict mode take a list for a tuple and an object for a dataclass.
        built = TypeAdapter(kind).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise BundleError(f"{where}{place}: {first['msg']}, found {first['input']!r:.80}") from error
    _same(value, asdict(built), where)
    return built


def _same(found: Any, built: Any, where: str) -> None:  # noqa: ANN401 - JSON; it has the shape of what was built of it
    """Refuses what validation lets pass: unknown keys, keys left to their defaults, whole numbers a float rounds."""
    if isinstance(built, dict):
        said = [f"unknown key {key}" for key in sorted(found.keys() - built.keys())]
        said += [f"missing key {key}" for key in built if key not in found]
        if said:
            raise BundleError(f"{where}: {', '.join(said)}; this version of monitord expects {', '.join(built)}")
        for key, item in built.items():
            _same(found[key], item, f"{where}.{key}")
    elif isinstance(built, tuple | list):
        for i, item in enumerate(built):
            _same(found[i], item, f"{where}[{i}]")
    elif isinstance(built, float) and isinstance(found, int) and abs(found) >= _MOST_EXACT:
        raise BundleError(f"{where}: found {found!r:.80}, expected a number that is exact: less than 2**53")


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"key {', '.join(map(repr, twice))} stands twice")
    return dict(pairs)


def _no_constant(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is no JSON number")
