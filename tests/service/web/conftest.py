"""A page that is served, and a device of each role."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.web.roles import Role
from tests.support.web.served_page import ServedPage


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """Served for all tests of a file."""
    folder: Path = tmp_path_factory.mktemp("page")
    with ServedPage(folder) as served:
        yield served


@pytest.fixture(scope="module")
def tokens(page: ServedPage) -> dict[Role | None, str | None]:
    """A token of each role; None of whoever is not paired."""
    return {None: None, **{role: page.paired(role) for role in Role}}
