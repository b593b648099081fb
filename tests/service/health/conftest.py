"""A room, and what is told of it."""

import pytest

from tests.support.daemon.watched_rooms import Room, Told


@pytest.fixture
def room() -> Room:
    """It has not been heard yet."""
    return Room()


@pytest.fixture
def told() -> Told:
    """Nothing so far."""
    return Told()
