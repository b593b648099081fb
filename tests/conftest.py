"""What all tests share: the recordings beside the checkout, a broker, a state directory of their own, patience."""

import os

# As the daemon does: two threads of OpenBLAS that wait for each other in a loop cost six times the time of one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto

# No deadline for an example: on a slow machine the first one also pays for imports. Nor for making them.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory of the recordings and teachers; skips where they are not beside the checkout."""
    data = ROOT.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("needs the recordings and AudioSet networks in ../shared/data")
    return data


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real one, without users."""
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the state directory of the person who runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
