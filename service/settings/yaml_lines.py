"""A YAML file as plain data, together with the line on which each key stands."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from monitord.errors import ConfigError
from service.settings.yaml_core import CoreLoader, doubtful, kind_of
from service.settings.yaml_text import decoded, unseen

MOST_BYTES: Final = 1_000_000
"""Largest file (bytes): a house of a hundred rooms takes a fiftieth of it."""

MOST_ENTRIES: Final = 10_000
"""Values in a file, each alias counted as all that it stands for: a page of aliases of aliases can stand for more than
any memory holds."""

KeyPath = tuple[str, ...]
"""Keys and list positions, as written, from the top of the file down to a value."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What a file says, and where it says it."""

    path: Path
    data: object
    """Mappings, lists, texts, numbers, true, false and None."""
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Line of each key (counted from 1)."""

    def line(self, where: KeyPath) -> int:
        """Returns the line of the key, or of the nearest key above it that the file has."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.lines:
                return self.lines[where[:length]]
        return 1

    def refusal(self, where: KeyPath, message: str) -> str:
        """Returns `file:line: key.path: message`."""
        keys = ".".join(where)
        return f"{self.path}:{self.line(where)}: {keys}: {message}" if keys else f"{self.path}: {message}"


def read_yaml(path: Path) -> YamlFile:
    """Reads one document.

    Raises:
        ConfigError: There is no such file, it cannot be read, it is no YAML, it is too large, a key stands twice in a
            mapping or is no text, or a number has a zero in front.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes: no configuration")
    text, loader = decoded(path, content), None
    try:
        loader = CoreLoader(text)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        refused = [] if node is None else list(_Walk(lines).over(node, (), frozenset()))
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax(path, text, error)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no YAML text: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply: no configuration") from error
    except _NO_VALUE as error:
        # PyYAML's own answer to `!!int x`; it does not say where.
        raise ConfigError(
            f"{path}: holds a number or a tag that cannot be read ({error}); put texts in quotes"
        ) from error
    finally:
        if loader is not None:
            loader.dispose()
    file = YamlFile(path, data, lines)
    if refused:
        raise ConfigError("\n".join(file.refusal(*one) for one in refused))
    return file


@dataclass(frozen=True, slots=True)
class _Walk:
    """Fills `lines`, and yields what is refused whatever the keys mean."""

    lines: dict[KeyPath, int]
    entries: Iterator[int] = field(default_factory=itertools.count)

    def over(self, node: yaml.Node, where: KeyPath, parents: frozenset[int]) -> Iterator[tuple[KeyPath, str]]:
        """`parents` ends an alias to its own parent."""
        if id(node) in parents:
            return
        if next(self.entries) > MOST_ENTRIES:
            raise yaml.YAMLError(f"more than {MOST_ENTRIES} values, with all that its aliases stand for")
        inside = parents | {id(node)}
        if isinstance(node, yaml.ScalarNode):
            if words := doubtful(node):
                yield where, words
        elif isinstance(node, yaml.SequenceNode):
            for position, item in enumerate(node.value):
                self.lines[(*where, str(position))] = item.start_mark.line + 1
                yield from self.over(item, (*where, str(position)), inside)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    yield from self._entry(key, value, where, inside)

    def _entry(
        self, key: yaml.ScalarNode, value: yaml.Node, where: KeyPath, parents: frozenset[int]
    ) -> Iterator[tuple[KeyPath, str]]:
        here, line = (*where, key.value), key.start_mark.line + 1
        if here in self.lines:
            yield here, f"stands twice, again on line {line}; keep one of the two"
            return
        self.lines[here] = line
        if kind_of(key) not in {"str", "merge"}:
            yield here, f"must be a text; put it in quotes, {key.value!r}"
        elif words := doubtful(key):
            yield here, words
        yield from self.over(value, here, parents)


_NO_VALUE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What PyYAML's readers of single values raise."""


def _syntax(path: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    hint = "; indent with spaces, YAML takes no tabs" if "'\\t'" in (error.problem or "") else ""
    if mark and (words := unseen("".join(text.splitlines()[mark.line : mark.line + 1]))):
        hint = f"; the line holds {words}"
    context = f" {error.context}" if error.context else ""
    return f"{place}: is no valid YAML: {error.problem}{context}{hint}"
