"""The daemon stays light: what a fresh interpreter has loaded, and how many threads it has, after it heard a file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.models.model_bundles import make_bundle
from tests.support.sound.sounds import noise, write_wav

pytest.importorskip("tensorflow")  # makes the bundle

HEAR = """
import json, os, sys
from service.cli import main
assert main(["replay", *sys.argv[1:]]) == 0
import service.app
heavy = {"scipy", "sklearn", "tensorflow", "keras", "onnxruntime", "tqdm"} & set(sys.modules)
heavy |= {"aiohttp", "segno", "prometheus_client"} & set(sys.modules)  # only where there is a page
print(json.dumps({"heavy": sorted(heavy), "threads": len(os.listdir("/proc/self/task"))}))
"""


def test_a_replay_loads_little_and_says_nothing_else(tmp_path: Path) -> None:
    """No framework, no SciPy, one thread when the file is over, and on standard error not a word."""
    bundle = make_bundle(tmp_path / "tiny").directory
    wav = write_wav(tmp_path / "room.wav", noise(3.0, rms_dbfs=-30.0))
    # Nothing but what main() decides for itself.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "OMP_"))}
    heard = subprocess.run(
        [sys.executable, "-c", HEAR, str(wav), "--bundle", str(bundle)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (heard.returncode, heard.stderr) == (0, "")
    *_, last = heard.stdout.splitlines()
    assert json.loads(last) == {"heavy": [], "threads": 1}
