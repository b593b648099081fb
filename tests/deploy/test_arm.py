"""On a Raspberry Pi 4's processor, with its wheels at the locked versions, the same sound gives the same events."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.debian.arm_root import arm_root, run_on_arm
from tests.support.paths import ROOT
from tests.support.sound.sounds import cry_in_room, write_wav

pytestmark = pytest.mark.arm

EMULATED = """\
import sys
from service.capture import recording
from service.capture.child import decoder
decoder.START_S = recording.SILENCE_S = 900.0  # seconds: an emulated processor is a hundred times slower
from service.cli import main
sys.exit(main())
"""

DIFFERENCE = 1e-4
"""Of two probabilities: the last of the four decimals that are told."""


def test_a_raspberry_pi_hears_the_same(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The lines of `replay` agree in everything, and in numbers to four decimals."""
    if os.geteuid() != 0 or shutil.which("qemu-aarch64-static") is None:
        pytest.skip("needs root and the package qemu-user-static")
    assert pytestconfig.cache is not None
    root = arm_root(pytestconfig.cache.mkdir("arm-debian"))
    recording = write_wav(tmp_path / "cry.wav", cry_in_room())
    shutil.copy(recording, root / "cry.wav")
    there = run_on_arm(root, "-c", EMULATED, "replay", "/cry.wav")
    assert there.returncode == 0, there.stderr
    command = [sys.executable, "-m", "service", "replay", recording]
    here = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    mine, others = ([_flat(json.loads(line)) for line in done.stdout.splitlines()] for done in (here, there))
    assert any(line.get("event_type") == "started" for line in mine)
    assert others == [pytest.approx(line, abs=DIFFERENCE) for line in mine]


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """The reasons beside the rest, so that each number is compared. Any: values of JSON."""
    return line | line.pop("reasons", {})
