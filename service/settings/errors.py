"""What is wrong with a configuration, said to the person who edits it: place, mistake, what is allowed."""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from service.settings.yaml_lines import KeyPath, YamlFile

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS = {
    "string_type": "must be a text; put it in quotes",
    "invalid_key": "must be a text; put it in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number, with a point, such as 0.6",
    "bool_type": "must be true or false (yes, no, on and off are texts)",
    "dict_type": "must hold keys of its own, indented below it",
    "model_type": "must hold keys of its own, indented below it",
    "path_type": "must be a path",
    "is_instance_of": "must be a path",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long (at most 64 characters)",
    "too_short": "must hold at least one entry",
    "missing": "is missing",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}
"""Pydantic's name of a mistake: our words for it."""


def refusals(file: YamlFile, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Returns one line for each mistake, in the order of the file; no value of a `stream` is repeated in them."""
    found = []
    for detail in error.errors(include_url=False):
        where: KeyPath = tuple(str(part) for part in detail["loc"] if part != "[key]")
        found.append((file.line(where), file.refusal(where, _message(detail, where, model))))
    return [text for _, text in sorted(found, key=lambda pair: pair[0])]


def allowed_keys(model: type[BaseModel], where: KeyPath) -> list[str]:
    """Returns the keys that may stand directly under `where`; none where any id may."""
    for part in where:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        inner = next((kind for kind in _models(annotation)), None)
        if inner is not None:
            model = inner
    return sorted(model.model_fields)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)


def _message(detail: "ErrorDetails", where: KeyPath, model: type[BaseModel]) -> str:
    kind, value = detail["type"], detail["input"]
    match "empty" if value is None else kind:
        case "empty":
            said = "is empty; give it a value or remove the key"
        case "extra_forbidden":
            allowed = allowed_keys(model, where[:-1])
            said = f"unknown key{_near(where[-1], allowed)}; allowed are {', '.join(allowed)}"
        case "literal_error":
            allowed = re.findall(r"'([^']+)'", detail["ctx"]["expected"])
            said = f"{value!r} is not allowed{_near(str(value), allowed)}; allowed are {', '.join(allowed)}"
        case "string_pattern_mismatch":
            suggestion = re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_") or "baby_room"
            said = f"{value!r} is no id: use small letters a to z, digits and _ only, such as {suggestion!r}"
        case "greater_than_equal" | "less_than_equal" if where[-1] == "port":
            said = f"{value!r} is no port; allowed are 1 to 65535"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            said = f"{value!r} is out of bounds: {detail['msg'].removeprefix('Input ')}"
        case "value_error":
            said = str(detail["ctx"]["error"])
        case _:
            said = _KINDS.get(kind, detail["msg"])
    return said


def _near(word: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(allowed), n=1)
    return f"; did you mean {close[0]!r}" if close else ""
