"""The test command: how long it says that it takes, what it runs, in how many processes, and what a failure does.

Each test runs the real script in a small copy of the checkout, with programs that stand in for the checks.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scripts import install_programs, run_script

OPTIONAL = "not homeassistant and not browser and not container and not arm and not install and not ward"
"""For pytest: what only its own option runs."""


def test_the_test_command_explains_itself() -> None:
    """--help installs nothing."""
    done = run_script([str(ROOT / "tests" / "run"), "--help"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: tests/run [--fast | --quick")


@pytest.mark.parametrize("words", [[], ["-k", "a name"]])
def test_the_test_command_runs_from_anywhere_and_says_how_long(
    checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]], words: list[str]
) -> None:
    """Without a terminal, from another folder: the time first, then each check in the checkout; four processes."""
    tells = 'echo "${0##*/} $* ($PWD)"'
    install_programs(checkout, ruff=tells, mypy=tells, lint_imports=tells, python=tells)
    assert lib('mark_installed test "$root/deploy/requirements-test.lock"').returncode == 0
    done = run_script([str(checkout / "tests" / "run"), "--quick", *words], cwd="/", CI="true")
    assert done.returncode == 0, done.stderr
    left_out = f"-m pytest -m not e2e and {OPTIONAL}"
    asked = "-k a name" if words else "-n 4 --dist loadfile"
    expected = ["ruff format --check", "ruff check", "mypy ", "lint-imports ", f"python {left_out} {asked}"]
    assert done.stdout.splitlines() == [f"{line} ({checkout})" for line in expected]
    first = done.stderr.splitlines()[0]
    assert first.startswith("==> what pytest is asked for takes" if words else "==> --quick takes 7 minutes")


@pytest.mark.parametrize("fails_in", ["not e2e", "e2e"])
def test_without_arguments_all_but_home_assistant_runs(
    checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]], fails_in: str
) -> None:
    """The end-to-end tests beside the others, each lane in several processes; a failure of either is the status."""
    fails = f'echo "$*"; case $* in *"-m {fails_in}"*) exit 1 ;; esac'
    install_programs(checkout, ruff=":", mypy=":", lint_imports=":", python=fails)
    assert lib('mark_installed test "$root/deploy/requirements-test.lock"').returncode == 0
    (checkout / "tests" / "test_one.py").write_text("pytestmark = pytest.mark.e2e\n")
    done = run_script([str(checkout / "tests" / "run"), "--yes"], CI="true")
    quick, *e2e = done.stdout.splitlines()
    assert quick.startswith(f"-m pytest -m not e2e and {OPTIONAL} -n ")
    if "WITHOUT the end-to-end tests" in done.stderr:  # their Debian packages are missing
        assert (done.returncode, e2e) == (int(fails_in == "not e2e"), [])
        return
    assert done.returncode == 1
    (words,) = e2e
    assert words.startswith(f"-m pytest -m e2e and {OPTIONAL} -n ")
    assert words.endswith(" tests/test_one.py")


@pytest.mark.parametrize("holds", [True, False])
def test_the_fast_loop_runs_what_belongs_to_a_change(checkout: Path, *, holds: bool) -> None:
    """The checks, and the one test of the one file that is new; what fails is told, and is the exit status."""
    ours = f'exec {shlex.quote(sys.executable)} "$@"'
    install_programs(checkout, ruff=":", mypy=":", lint_imports=":", pytest=":", python=ours)
    shutil.copy(ROOT / "tests" / "changed.py", checkout / "tests")
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    for path, text in (
        ("service/new.py", ""),
        ("tests/service/test_new.py", f"def test_new() -> None:\n    assert {holds}\n"),
        ("tests/service/test_old.py", "def test_old() -> None:\n    assert False\n"),
        (".git/info/exclude", "tests/service/test_old.py\n.venv\n"),
    ):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text)
    subprocess.run(["git", "-C", checkout, "add", "deploy", ".ci", "pyproject.toml"], check=True)
    subprocess.run(
        ["git", "-C", checkout, "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "Begin"], check=True
    )
    done = run_script([str(checkout / "tests" / "run"), "--fast"])
    assert done.returncode == (0 if holds else 1), done.stderr
    assert ("1 passed" if holds else "1 failed") in done.stdout
    assert f"1 test files: {'passed' if holds else 'FAILED'}" in done.stderr


@pytest.mark.parametrize("option", ["browser", "container", "arm", "install"])
def test_an_option_adds_its_tests(
    checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]], option: str
) -> None:
    """All others that need an option stay left out."""
    install_programs(checkout, ruff=":", mypy=":", lint_imports=":", python='echo "$*"')
    assert lib('mark_installed test "$root/deploy/requirements-test.lock"').returncode == 0
    (checkout / "fakes").mkdir()
    # Nothing is to be installed on this machine.
    (checkout / "fakes" / "dpkg-query").write_text("#!/bin/sh\necho installed\n")
    (checkout / "fakes" / "dpkg-query").chmod(0o755)
    path = f"{checkout / 'fakes'}:{os.environ['PATH']}"
    done = run_script([str(checkout / "tests" / "run"), f"--{option}", "-k", "a name"], CI="true", PATH=path)
    left_out = [words for words in OPTIONAL.split(" and ") if words != f"not {option}"]
    assert done.stdout.splitlines() == [f"-m pytest -m {' and '.join(left_out)} -k a name"]
