"""Frozen dataclasses to JSON and back, refusing what they do not know: how a manifest is read and written."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from monitord.errors import BundleError

T = TypeVar("T")

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON can say."""

_KINDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}

_MOST_EXACT: Final = 2**53
"""From here on not every whole number is a float; no parameter is near it."""


def to_json(value: object) -> Json:
    """Turns a dataclass, or what its fields may hold, into what JSON can say.

    Raises:
        TypeError: A value that no manifest can hold.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} cannot stand in a manifest")


def dump_json(value: object) -> str:
    """Writes a dataclass as JSON that a person can read; the same value gives the same bytes.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    return json.dumps(to_json(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load_json(text: str, where: str) -> Json:
    """Parses JSON; unlike Python's own reader it takes no key twice and no NaN.

    Raises:
        BundleError: It is no JSON.
    """

    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        names = [name for name, _ in pairs]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise BundleError(f"{where}: key {', '.join(twice)} stands twice")
        return dict(pairs)

    def refuse(constant: str) -> Json:
        raise BundleError(f"{where}: found {constant}, which is no JSON number")

    try:
        # Any: the reader's own type; it holds only what Json lists.
        loaded: Any = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
        # Half a surrogate pair is JSON, but no text: it could be neither shown nor told to anybody.
        json.dumps(loaded, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: no JSON: {error}") from error
    return loaded  # type: ignore[no-any-return]


def from_json(kind: type[T], value: Json, where: str) -> T:
    """Builds a dataclass from JSON.

    Args:
        kind: The dataclass.
        value: What the reader found.
        where: Path of keys so far, for the error.

    Raises:
        BundleError: A key is unknown or missing, or a value has the wrong type or range. It names the key.
    """
    built: T = _parse(kind, value, where)
    return built


def _parse(kind: Any, value: Json, where: str) -> Any:  # noqa: ANN401, PLR0911 - a return per kind of type hint
    # Any: type hints are values of many classes, and what comes out is what the hint says.
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return value  # the only union that a manifest knows is Json: anything
    if is_dataclass(kind):
        return _parse_dataclass(kind, value, where)
    if origin is Literal:
        if value not in arguments:
            raise _wrong(where, value, f"one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        return _parse_tuple(arguments, value, where)
    if origin is Mapping and isinstance(value, dict):
        return {key: _parse(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int and abs(value) < _MOST_EXACT:
        return float(value)
    if type(value) is not kind:
        raise _wrong(where, value, _KINDS.get(kind, "an object"))
    return value


def _parse_dataclass(kind: Any, value: Json, where: str) -> Any:  # noqa: ANN401 - as above
    if not isinstance(value, dict):
        raise _wrong(where, value, "an object")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    unknown = sorted(set(value) - set(names))
    missing = [name for name in names if name not in value]
    if unknown or missing:
        found = [f"unknown key {name}" for name in unknown] + [f"missing key {name}" for name in missing]
        raise BundleError(f"{where}: {', '.join(found)}; this version of monitord expects {', '.join(names)}")
    parsed = {name: _parse(hints[name], value[name], f"{where}.{name}") for name in names}
    try:
        return kind(**parsed)
    except ValueError as error:
        raise BundleError(f"{where}: {error}") from error


def _parse_tuple(arguments: tuple[Any, ...], value: Json, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(where, value, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...]
        arguments = (arguments[0],) * len(value)
    if len(value) != len(arguments):
        raise _wrong(where, value, f"a list of {len(arguments)}")
    return tuple(
        _parse(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(arguments, value, strict=True))
    )


def _wrong(where: str, value: Json, expected: str) -> BundleError:
    return BundleError(f"{where}: found {json.dumps(value)[:80]}, expected {expected}")
