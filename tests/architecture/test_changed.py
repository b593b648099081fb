"""Which unit tests belong to a changed file: what `tests/run --fast` runs."""

from pathlib import Path

import pytest

from tests.changed import find_tests
from tests.support.paths import ROOT

NAMED_AND_OTHERS = {
    "tests/service/capture/test_inbox.py": "from service.capture.inbox import Inbox\n",
    "tests/service/capture/test_file.py": "from service.capture.file import FileSource\n",
    "tests/service/capture/test_file_away.py": "",
    "tests/service/settings/test_config.py": "",
    "tests/model/test_fetch.py": "from model import fetch, npz\nfrom model.npz import read\n",
    "tests/model/test_slow.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with nothing but tests."""
    for name, text in NAMED_AND_OTHERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("service/capture/inbox.py", ["service/capture/test_inbox.py"]),  # its name
        ("service/capture/file.py", ["service/capture/test_file.py", "service/capture/test_file_away.py"]),
        ("service/config.py", ["service/settings/test_config.py"]),  # in a room below
        ("model/npz.py", ["model/test_fetch.py"]),  # who imports it
        ("model/export.py", []),  # nobody: all tests of that floor take minutes
        (
            "service/capture/child/process.py",  # nobody: all of the room above
            ["service/capture/test_file.py", "service/capture/test_file_away.py", "service/capture/test_inbox.py"],
        ),
        ("tests/model/test_slow.py", ["model/test_slow.py"]),  # a test is its own
        ("tests/model/test_gone.py", []),
        ("README.md", [f"architecture/test_{what}.py" for what in ("architecture", "documents", "links")]),
        ("pyproject.toml", ["architecture/test_architecture.py"]),
        ("deploy/run", []),
    ],
)
def test_each_file_finds_its_tests(root: Path, changed: str, expected: list[str]) -> None:
    """By name first, then by import, then by room."""
    assert find_tests(Path(changed), root) == [Path("tests", name) for name in expected]


def test_the_rules_fit_this_repository() -> None:
    """Every room of the service has tests that any change in it finds."""
    rooms = {path.parent for path in (ROOT / "service").glob("*/*.py")}
    assert not [room.name for room in rooms if not find_tests((room / "__init__.py").relative_to(ROOT))]
