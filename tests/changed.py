"""The unit tests that belong to what has changed, a path a line: what `tests/run --fast` gives to pytest.

For each changed file, the first of these that there is, in the folder of tests that mirrors its own:
- the tests named after it: `service/capture/inbox.py` has `tests/service/capture/test_inbox.py`;
- the tests that import it;
- in `service` and `monitord`, all tests of that folder.
A changed test stands for itself; documents, locks and `pyproject.toml` have the architecture tests. It is a guess by
names, for a loop of seconds: what a change breaks elsewhere, the whole suite finds.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FLOORS: Final = ("monitord", "model", "service", "training")
WHOLE: Final = ("monitord", "service")
"""Floors in which all tests of a room are quick enough to stand in for the one that is missing."""
ARCHITECTURE: Final = Path("tests/architecture/test_architecture.py")
DOCUMENTS: Final = Path("tests/architecture/test_documents.py")
LINKS: Final = Path("tests/architecture/test_links.py")
OF_SUFFIX: Final = {".md": [ARCHITECTURE, DOCUMENTS, LINKS], ".toml": [ARCHITECTURE], ".lock": [ARCHITECTURE]}
"""What is no code has tests by its kind."""


def find_tests(changed: Path, root: Path = ROOT) -> list[Path]:
    """Returns the test files of one changed file, both seen from the root; none where it has none."""
    if changed.parts[0] == "tests" and changed.name.startswith("test_") and changed.suffix == ".py":
        return [changed] if (root / changed).exists() else []
    if changed.parts[0] not in FLOORS:
        return OF_SUFFIX.get(changed.suffix, [])
    folder = root / "tests" / changed.parent
    while not folder.is_dir():
        folder = folder.parent
    module = ".".join(changed.with_suffix("").parts)
    package, _, name = module.rpartition(".")
    imports = (f"from {module} import", f"import {module}\n", f"from {package} import {name}\n")
    tests = sorted(folder.glob("**/test_*.py"))
    named = [test for test in tests if test.stem == f"test_{name}" or test.stem.startswith(f"test_{name}_")]
    found = named or [test for test in tests if any(one in test.read_text(encoding="utf-8") for one in imports)]
    if not found and changed.parts[0] in WHOLE:
        found = sorted(folder.glob("test_*.py"))
    return [test.relative_to(root) for test in found]


def changed_files() -> set[Path]:
    """Returns what differs from the last commit, or in a clean tree what this branch has changed since `main`."""
    fresh = _git("diff", "--name-only", "HEAD") + _git("ls-files", "--others", "--exclude-standard")
    if not fresh:
        main = "main" if _git("branch", "--list", "main") else "origin/main"
        fresh = _git("diff", "--name-only", f"{main}...HEAD")
    return set(map(Path, fresh))


def main(changed: Iterable[Path]) -> None:
    """Prints the test files; says on stderr for which files there are none."""
    found = {path: find_tests(path) for path in changed}
    # The longest first: tests/run deals them out to two lanes, which then weigh about the same.
    for test in sorted({test for tests in found.values() for test in tests}, key=lambda test: -_size(test)):
        print(test)  # noqa: T201 - read by tests/run
    for path in sorted(path for path, tests in found.items() if not tests):
        print(f"    no unit test was found for {path}", file=sys.stderr)  # noqa: T201


def _size(test: Path) -> int:
    return (ROOT / test).stat().st_size


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    main(changed_files())
