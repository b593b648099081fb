"""A YAML file as plain data, together with the line on which each key stands."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from monitord.errors import ConfigError

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
        ConfigError: There is no such file, it cannot be read, it is no YAML, it is too large, or a key stands twice in
            a mapping.
    """
    try:
        with path.open("rb") as opened:
            text = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration: {error.strerror}") from error
    if len(text) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes: no configuration")
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        walk = iter(()) if node is None else _walk(node, (), lines, set(), itertools.count())
        doubles = list(walk)
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax(path, error)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no YAML text: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply: no configuration") from error
    except _NO_VALUE as error:
        # PyYAML's own answer to a date of month 13, or to `!!int x`; it does not say where.
        raise ConfigError(
            f"{path}: holds a date, a number or a tag that is none ({error}); put texts in quotes"
        ) from error
    finally:
        if loader is not None:
            loader.dispose()
    file = YamlFile(path, data, lines)
    if doubles:
        raise ConfigError("\n".join(file.refusal(*double) for double in doubles))
    return file


def _walk(
    node: yaml.Node, where: KeyPath, lines: dict[KeyPath, int], parents: set[int], entries: Iterator[int]
) -> Iterator[tuple[KeyPath, str]]:
    """Fills `lines` and yields the refusals of keys that stand twice. `parents` ends an alias to its own parent."""
    if id(node) in parents:
        return
    if next(entries) > MOST_ENTRIES:
        raise yaml.YAMLError(f"more than {MOST_ENTRIES} values, with all that its aliases stand for")
    inside = parents | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*where, str(position))] = item.start_mark.line + 1
            yield from _walk(item, (*where, str(position)), lines, inside, entries)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            here, line = (*where, key.value), key.start_mark.line + 1
            if here in lines:
                yield here, f"stands twice, again on line {line}; keep one of the two"
                continue
            lines[here] = line
            yield from _walk(value, here, lines, inside, entries)


_NO_VALUE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What PyYAML's readers of single values raise."""


def _syntax(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    hint = "; indent with spaces, YAML takes no tabs" if "'\\t'" in (error.problem or "") else ""
    context = f" {error.context}" if error.context else ""
    return f"{place}: is no valid YAML: {error.problem}{context}{hint}"
