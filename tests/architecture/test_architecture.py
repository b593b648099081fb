"""The house itself: floors, packages and locked versions are as the plan says."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = ("monitord", "model", "service", "training")
LOCKS = sorted((ROOT / "deploy").glob("*.lock"))


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
    }
    for lock, requirements in needed.items():
        locked = _locked(ROOT / "deploy" / lock)
        names = [re.split(r"[\[<>=; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements]
        assert [name for name in names if name not in locked] == [], f"in {lock}: run deploy/lock"


def test_the_locks_agree() -> None:
    """The tests run on the versions that families get."""
    run, tests, gpu = (_locked(ROOT / "deploy" / f"requirements{kind}.lock") for kind in ("", "-test", "-gpu"))
    assert {name: tests[name] for name in run} == run
    assert {name: gpu[name] for name in run} == run
