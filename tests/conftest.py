"""What all tests share: the recordings beside the checkout, a broker, a state directory of their own, patience."""

import os

# As the daemon does: two threads of OpenBLAS that wait for each other in a loop cost six times the time of one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto

# No deadline for an example: on a slow machine the first one also pays for imports. Nor for making them.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


ONE = "port 1883, where a service of the systemd laboratory has its broker as well, and the laboratory's folder"
TOGETHER = {
    "tests/browser/test_first_evening.py": ONE,
    "tests/deploy/test_systemd_install.py": ONE,
    "tests/deploy/test_systemd_service.py": ONE,
    "tests/end_to_end/test_documents.py": ONE,
    "tests/end_to_end/test_run_demo.py": ONE,
    "tests/service/ward/test_units.py": ONE,
}
"""Files that need something of which the machine has one: where several processes run the tests, one runs these."""


class OneProcessForEachFile(LoadFileScheduling):
    """What the tests of a file share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)  # where xdist is switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneProcessForEachFile:
    """How tests are dealt out to several processes (`-n`)."""
    return OneProcessForEachFile(config, log)


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
def _recordings_are_looked_at_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a busy machine takes for it; a daemon goes on after a while."""
    monkeypatch.setattr("service.capture.recording.CHECK_S", PATIENCE_S)


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the state directory of the person who runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
