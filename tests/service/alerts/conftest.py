"""A house that cries, and the time in it."""

from pathlib import Path

import pytest

from model.classifier import Classifier
from tests.support.daemon.household_daemon import Clock, House


@pytest.fixture
def house(classifier: Classifier, tmp_path: Path) -> House:
    """Two rooms."""
    return House(classifier, tmp_path, sources=("nursery", "bedroom"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Moves on by hand."""
    return Clock(monkeypatch)
