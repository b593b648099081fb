"""What the tests of several rooms need: a classifier whose network is no secret, and an outbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.classifier import Classifier
from service.storage.outbox import Outbox
from tests.support.sound.loudness import loudness_classifier


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Real but for the weights."""
    return loudness_classifier(tmp_path_factory.mktemp("loudness"))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An empty one."""
    with Outbox(tmp_path / "outbox.db") as box:
        yield box
