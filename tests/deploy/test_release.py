"""A release is one thing: version, changelog, tag and the Home Assistant app say the same, or nothing is released."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scripts import run_script

APP = Path("deploy/homeassistant-app/monitord/config.yaml")
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Something for later.

## [1.2.3] - 2026-12-24

### Added

- A star.

### Fixed

- A sheep.

## [1.2.2] - 2026-12-01

### Fixed

- An ox.
"""


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the real script in a checkout of version 1.2.3; what differs there is said by file."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "release", tmp_path / "deploy")
    app = tmp_path / APP
    app.parent.mkdir(parents=True)
    files = {
        "pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "CHANGELOG.md": CHANGELOG,
        str(APP): "version: 1.2.3\n",
    }

    def run(*arguments: str, **different: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name).write_text(different.get(Path(name).stem, text))
        return run_script([str(tmp_path / "deploy" / "release"), *arguments])

    return run


def test_this_checkout_agrees_with_itself() -> None:
    """One version in pyproject.toml, CHANGELOG.md and the app; what is printed are its notes."""
    done = run_script([str(ROOT / "deploy" / "release")])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("### ")


def test_the_version_stands_in_one_place() -> None:
    """The code asks the installation for it; no file of it has the number."""
    (version,) = re.findall(r'(?m)^version = "(.*)"$', (ROOT / "pyproject.toml").read_text())
    code = [path for room in ("service", "model", "monitord", "training") for path in (ROOT / room).rglob("*.py")]
    assert len(code) > 100
    said = re.compile(rf'["\']{re.escape(version)}["\']')
    assert [str(path) for path in code if said.search(path.read_text())] == []


@pytest.mark.parametrize("arguments", [[], ["v1.2.3"]])
def test_the_notes_are_its_section(
    release: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str]
) -> None:
    """Neither what is not released yet, nor what was new before."""
    done = release(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n\n") == ["### Added", "- A star.", "### Fixed", "- A sheep.", ""]


@pytest.mark.parametrize(
    ("arguments", "different", "words"),
    [
        (
            [],
            {"pyproject": 'version = "1.3.0"\n'},
            "says version 1.3.0, and the newest section of CHANGELOG.md is [1.2.3]",
        ),
        ([], {"config": 'version: "1.2.2"\n'}, f"says version 1.2.3, and {APP} says 1.2.2"),
        ([], {"CHANGELOG": CHANGELOG.replace("## [Unreleased]\n", "")}, "does not begin with a section [Unreleased]"),
        (["v1.2.4"], {}, "the tag v1.2.4 is not v1.2.3"),
        (["v1.2.3"], {"CHANGELOG": CHANGELOG.replace(" - 2026-12-24", "")}, "the section [1.2.3] needs its date"),
    ],
)
def test_what_does_not_agree_is_named(
    release: Callable[..., subprocess.CompletedProcess[str]],
    arguments: list[str],
    different: dict[str, str],
    words: str,
) -> None:
    """In one sentence with both words, and no notes are printed."""
    done = release(*arguments, **different)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert words in line
