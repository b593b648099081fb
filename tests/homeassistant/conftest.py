"""The family, for the tests of what it installs."""

from collections.abc import Iterator

import pytest

from tests.support.homeassistant.family import Family
from tests.support.homeassistant.family import family as one_family


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """The family with the cry alert installed."""
    with one_family(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def quiet_phones(family: Family) -> None:
    """Nothing was told yet."""
    family.monitor.heard.clear()
    for phone in family.phones:
        phone.forget()
