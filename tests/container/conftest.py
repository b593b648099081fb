"""The image of this checkout, built once, and a network for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container.containers import Network, data_folder
from tests.support.container.image import Image, monitord_image


@pytest.fixture(scope="session")
def image() -> Image:
    """As deploy/container/build makes it; some minutes, where its sources have changed since the last time."""
    return monitord_image()


@pytest.fixture
def network() -> Iterator[Network]:
    """Without anybody else's broker."""
    with Network() as made:
        yield made


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder for /data."""
    with data_folder(tmp_path) as made:
        yield made
