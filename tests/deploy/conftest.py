"""A small copy of the checkout, in which the real scripts run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scripts import install_programs, run_script

TELLS = 'for word in "$@"; do echo "<$word>"; done'
"""Stands where `monitord` is installed: says with which words it was called."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the scripts need, in a path with a space."""
    root = tmp_path / "my checkout"
    root.mkdir()
    for folder in ("deploy", ".ci"):
        shutil.copytree(ROOT / folder, root / folder)
    (root / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "run", root / "tests" / "run")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.fixture
def lib(checkout: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs shell code with the functions of `deploy/install-lib.sh`."""

    def run(code: str, **more: str) -> subprocess.CompletedProcess[str]:
        return run_script(["bash", "-euo", "pipefail", "-c", f'. "{checkout}/deploy/install-lib.sh"; {code}'], **more)

    return run


@pytest.fixture
def installed(checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """The checkout with a finished environment."""
    if not (shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") and shutil.which("mosquitto_sub")):
        pytest.skip("needs mosquitto and mosquitto-clients, which deploy/run would install")
    (install_programs(checkout, monitord=TELLS) / "python").symlink_to(sys.executable)
    assert lib('mark_installed run "$root/deploy/requirements.lock"').returncode == 0
    return checkout
