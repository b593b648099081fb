"""The words of errors, taken from the code: what Python raises, what scripts die with, what the log says of a stream.

What a person fills in stands as `...`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from service.capture.recording import _REFUSED as _UNREADABLE
from service.mqtt.errors import _NOT_FOR_US, _REFUSED
from service.settings.errors import _KINDS
from tests.support.paths import ROOT

_ERRORS = frozenset({"ConfigError", "SourceError", "AwayError", "BundleError"})

_OF_KEYS = re.compile(r"service/(config|settings/\w+|\w+/settings|notify/push|messages/texts|capture/streams/bare)\.py")
"""Where a ValueError, too, is what is wrong with a key of the configuration."""

_MADE_ELSEWHERE = (
    "service/settings/errors.py",
    "service/settings/hosts.py",
    "service/settings/yaml_core.py",
    "service/settings/yaml_text.py",
)
"""What makes the words that others raise: each sentence in there is a part of an error."""

_WHILE_IT_RUNS = (
    "service/capture/streams/errors.py",
    "service/capture/streams/evidence.py",
    "service/mqtt/errors.py",
    "service/notify/answers.py",
    "service/notify/mail.py",
    "service/notify/trust.py",
    "service/notify/web.py",
)
"""What makes the words that the log has of a stream, a broker that cannot be reached, and a phone that was not told."""

_SENTENCE = 4
"""Words from which a text is part of a sentence, and no name or format."""

_LATER = (
    "service/archive/",
    "service/ward/",
    "service/pipeline/replay.py",
    "service/pipeline/recordings.py",
    "service/bundle_commands.py",
    "model/published/",
    "model/cluster/ray_tasks.py",
    "model/adaptation/",
)
"""Not of a home: archives, wards and training."""

_SCRIPTS = ("*-lib.sh", "run", "install", "uninstall")


def start_errors() -> Iterator[tuple[str, str]]:
    """Yields where each error that ends a start or a command is raised, as `file:line`, and its words."""
    for words in _KINDS.values():
        yield "service/settings/errors.py", words
    for words in (*_REFUSED.values(), *_NOT_FOR_US.values()):
        yield "service/mqtt/errors.py", f"the broker refuses {words}"
    for words in _UNREADABLE.values():
        yield "service/capture/recording.py", words
    for floor in ("service", "model"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if not where.startswith(_LATER):
                yield from _raised(path, where)
    for where in _MADE_ELSEWHERE:
        yield from _sentences(where)
    for name in _SCRIPTS:
        for script in sorted((ROOT / "deploy").glob(name)):
            yield from _died(script)


def running_errors() -> Iterator[tuple[str, str]]:
    """Yields where each sentence about a stream, a broker or a phone is made, as `file:line`, and its words."""
    for where in _WHILE_IT_RUNS:
        yield from _sentences(where)


def _sentences(where: str) -> Iterator[tuple[str, str]]:
    """Every text of a file that is part of a sentence, but for docstrings."""
    tree = ast.parse((ROOT / where).read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and id(node) not in parts | said):
            words = re.sub(r"\{\w+\}", "...", _words(node, {}))
            if len(words.split()) >= _SENTENCE and "\\" not in words:  # else a pattern
                yield f"{where}:{node.lineno}", words


def _raised(path: Path, where: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        made = node.exc if isinstance(node, ast.Raise) else node.value if isinstance(node, ast.Return) else None
        if not isinstance(made, ast.Call):
            continue
        called, arguments = made.func, made.args
        errors = _ERRORS | {"ValueError"} if _OF_KEYS.fullmatch(where) else _ERRORS
        if isinstance(called, ast.Name) and called.id in errors and arguments:
            words = _words(arguments[0], constants).partition("\n")[0]
            if words.strip(". "):
                yield f"{where}:{made.lineno}", words


def _words(said: ast.expr, constants: dict[str, str]) -> str:
    """The text of a string, an f-string, or a constant that is filled in; empty where the words are made elsewhere."""
    match said:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(values):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "..." for one in values)
        case ast.Call(ast.Attribute(ast.Name(name), "format")):
            return re.sub(r"\{\w+\}", "...", constants[name]).replace("{{", "{").replace("}}", "}")
    return ""


def _died(script: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.search(r'\b(?:die |apt_words=)"((?:\$\([^)]*\)|[^"])*)"', line):
            words, nested = found[1], 1
            while nested:
                words, nested = re.subn(r"\$\{[^{}]*\}|\$\([^)]*\)|\$[\w*]+", "...", words)
            if words.strip(". "):
                yield f"{script.relative_to(ROOT)}:{number}", words
