"""Plain words and numbers of a YAML file by the core schema of YAML 1.2 (10.3.2), where PyYAML has that of 1.1.

By 1.1 `port: 01663` is 947, a room called `no` is called false, and `19:00` is 1140. ruamel.yaml reads 1.2, too, but
takes a number with a zero in front without a word, and `1_000` and a date besides; these few lines need no dependency.
"""

import re
from typing import Final

import yaml

from service.settings.yaml_text import UNSEEN, unseen

_TAG: Final = "tag:yaml.org,2002:"
_DECIMAL: Final = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?")
"""A number that YAML 1.1 and many programs read to the base of eight."""
_PRINTED: Final = tuple("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a")
"""Quotes of printers and word processors."""
_NO_COLON: Final = re.compile(f":{UNSEEN.pattern}")
"""A colon that ends no key, for no blank follows."""


class CoreLoader(yaml.SafeLoader):
    """Builds mappings, lists, texts, numbers, true, false and None."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("merge", r"<<", "<"),  # no part of 1.2, and in use everywhere
):
    CoreLoader.add_implicit_resolver(  # PyYAML looks the pattern up by the first letter, "" for an empty value
        f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), ["" if letter == "\0" else letter for letter in _first]
    )


def _integer(loader: CoreLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    bases = {"0o": 8, "0x": 16}
    return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text, 10)


CoreLoader.add_constructor(f"{_TAG}int", _integer)


def kind_of(node: yaml.ScalarNode) -> str:
    """Returns what a plain word or a number is by the schema: `str`, `int`, `float`, `bool`, `null`, `merge`."""
    return str(node.tag).removeprefix(_TAG)


def doubtful(node: yaml.ScalarNode) -> str:
    """Says what is hardly meant as it stands there, with what to write; empty: it is clear."""
    text = node.value
    if node.style is not None:  # in quotes, or a block of text
        return ""
    if _DECIMAL.fullmatch(text) and kind_of(node) in {"int", "float"}:
        return (
            f"{text} has a zero in front, which some programs read to the base of eight; write {_plain(text)}, or"
            f" {text!r} in quotes where it is a name"
        )
    if text[:1] in _PRINTED:
        return f"{text[0]} is no quote that YAML knows; write \" or ' on both sides"
    if UNSEEN.match(text) or _NO_COLON.search(text):
        return f"holds {unseen(text)}"
    return ""


def _plain(text: str) -> str:
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    return sign + re.sub(r"^0+(?=[0-9])", "", digits)
