"""The house itself: floors, packages, documents and locked versions are as the plan says."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions
from pathlib import Path
from typing import Any, get_args

import pytest

from monitord.faults import Fault
from service.messages.faults import FAULTS
from service.messages.texts import Texts, languages
from tests.support.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = ("monitord", "model", "service", "training")
LOCKS = sorted((ROOT / "deploy").glob("*.lock"))
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md")

MOST_FILES = 15
"""Python files in one folder, beside `__init__.py`: more are two rooms."""
MOST_LINES = 300
"""Of one file: more is two subjects."""


def _document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _paths(text: str) -> set[str]:
    """Returns what a document names in backticks and looks like a path of a file here."""
    quoted = re.findall(r"`([^`\s]+)`|\]\(([^)\s#:]+)\)", text)
    names = {(code or link).split(":")[0] for code, link in quoted}
    return {name for name in names if re.fullmatch(r"[\w./-]+\.(py|md|yaml|toml|acl|lock)", name)}


def _exists(name: str) -> bool:
    """Seen from the root, or from `service`, as the roads are told."""
    return (ROOT / name).is_file() or (ROOT / "service" / name).is_file()


def _locked(lock: Path) -> dict[str, set[str]]:
    """Returns the versions of each package in a lock file."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_floors_hold() -> None:
    """No lower floor imports an upper one, neighbours do not know each other, the ground floor is pure."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_packages_are_listed_by_name() -> None:
    """A folder with modules that nobody listed would be missing after an installation."""
    folders = {path.parent.relative_to(ROOT) for name in NAMES for path in (ROOT / name).rglob("*.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {".".join(folder.parts) for folder in folders}


@pytest.mark.parametrize("name", NAMES)
def test_no_other_distribution_owns_our_names(name: str) -> None:
    """Two distributions with a package `model` would merge in silence."""
    assert set(packages_distributions()[name]) == {"monitord"}


def test_it_cannot_be_uploaded() -> None:
    """Names so general belong into an environment of their own, never into an index."""
    assert "Private :: Do Not Upload" in metadata("monitord").get_all("Classifier", [])


def test_tests_are_one_package() -> None:
    """A folder of tests without `__init__.py` would put tests/model before `model` on the search path."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_no_folder_is_a_heap() -> None:
    """A folder with more files than a person sees at a glance has rooms of its own."""
    folders = {path.parent for name in (*NAMES, "tests") for path in (ROOT / name).rglob("*.py")}
    counts = {
        folder.relative_to(ROOT).as_posix(): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in folders
    }
    assert not {name: count for name, count in counts.items() if count > MOST_FILES}


def test_the_service_begins_with_few_files() -> None:
    """Whoever opens the folder sees rooms, and the few files that build and start."""
    assert len([path for path in (ROOT / "service").iterdir() if path.is_file() and path.name != "__init__.py"]) <= 10


def test_no_file_of_the_product_is_long() -> None:
    """A file that grows over the limit has two subjects."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for name in NAMES
        for path in (ROOT / name).rglob("*.py")
    }
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_files_that_exist(name: str) -> None:
    """A file that is moved or renamed is moved in the documents, too."""
    named = _paths(_document(name))
    assert len(named) > 20
    assert not sorted(path for path in named if not _exists(path))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_functions_that_exist(name: str) -> None:
    """`file.py:name` is a function, a class or a constant of that file."""
    named = re.findall(r"`([\w/]+\.py):(\w+)`", _document(name))
    assert len(named) > 5
    gone = [
        f"{path}:{what}"
        for path, what in named
        if not re.search(rf"^\s*(def|class) {what}\b|^{what}\b.*=", _document(path), re.MULTILINE)
    ]
    assert not gone


def test_every_room_is_in_the_architecture() -> None:
    """A new room of the service, or a new contract's layer, is told to whoever comes next."""
    text = _document("ARCHITECTURE.md")
    rooms = {path.parent.name for path in (ROOT / "service").glob("*/__init__.py")}
    assert not [room for room in sorted(rooms) if f"| `{room}/` |" not in text]
    [layers] = [
        contract["layers"]
        for contract in PROJECT["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["service"]
    ]
    assert "\n".join(f"    {layer}" for layer in layers) in text


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_word_is_known_everywhere(fault: Fault) -> None:
    """What it means, what a parent reads in each language, and the words of the page on what is wrong."""
    assert fault in FAULTS
    if fault == "ok":
        return
    page = _document("docs/when-something-is-wrong.md")
    for code in languages():
        read = Texts.load(code).language.faults[fault]
        assert read, code
        row = f"| `{fault}` | {FAULTS[fault].text} | {read} |" if code == "en" else f"| {read} | `{fault}` |"
        assert row in page, code


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_name_no_index_and_hash_every_file(lock: Path) -> None:
    """An installation asks the index of the machine, and takes the locked bytes alone."""
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    requirements = re.findall(r"^\S.*==.*$(?:\n    --hash=sha256:[0-9a-f]{64}.*)*", text, re.MULTILINE)
    assert len(requirements) > 15
    assert not [requirement for requirement in requirements if "--hash" not in requirement]


def test_every_dependency_is_locked() -> None:
    """A dependency that was added without deploy/lock would be missing on a fresh machine."""
    extras = PROJECT["project"]["optional-dependencies"]
    needed = {
        "requirements.lock": PROJECT["project"]["dependencies"],
        "requirements-test.lock": [*PROJECT["project"]["dependencies"], *extras["dev"], *extras["train"]],
        "requirements-gpu.lock": [*PROJECT["project"]["dependencies"], *extras["gpu"]],
        "requirements-ward.lock": [*PROJECT["project"]["dependencies"], *extras["ward"]],
    }
    for lock, requirements in needed.items():
        locked = _locked(ROOT / "deploy" / lock)
        names = [re.split(r"[\[<>=; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements]
        assert [name for name in names if name not in locked] == [], f"in {lock}: run deploy/lock"


def test_the_locks_agree() -> None:
    """The tests run on the versions that families get."""
    run, *others = (_locked(ROOT / "deploy" / f"requirements{kind}.lock") for kind in ("", "-test", "-gpu", "-ward"))
    for other in others:
        assert {name: other[name] for name in run} == run
