"""What needs more than `deploy/run` installs says so, in a sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.mark.parametrize("module", ["keras", "tensorflow", "sklearn"])
def test_training_names_what_is_missing(module: str, tmp_path: Path) -> None:
    """Usage stays 2; the line installs it."""
    code = f"import sys; sys.modules[{module!r}] = None; from training.cli import main; sys.exit(main())"
    command = ["fit", "--prepared", str(tmp_path), "--weights", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"monitord-train fit: needs {module}, which a plain installation")
    assert done.stderr.splitlines()[-1].endswith("-m pip install --editable '.[train]'")


@pytest.mark.parametrize("bench", ["run", "run gpu", "soak", "load", "fuzz"])
def test_the_bench_names_what_is_missing(bench: str, tmp_path: Path) -> None:
    """With an environment that holds nothing, and with none at all."""
    (tmp_path / "tests").mkdir()
    shutil.copytree(ROOT / "tests" / "bench", tmp_path / "tests" / "bench")
    script, *arguments = bench.split()
    for environment in (False, True):
        if environment:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
        done = subprocess.run(
            [tmp_path / "tests" / "bench" / script, *arguments], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert "tests/run --quick does" in done.stderr
        assert "Traceback" not in done.stderr
