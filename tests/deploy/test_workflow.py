"""What continuous integration runs: each Python that pyproject.toml takes, on both architectures; then a release."""

import re
import tomllib
from itertools import product
from typing import Any

import yaml

from tests.support.paths import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "test.yml"
MACHINES = ("ubuntu-24.04", "ubuntu-24.04-arm")


def _jobs() -> dict[str, Any]:
    """Any: values of YAML."""
    jobs: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return jobs


def _runs() -> set[tuple[str, str, str]]:
    """Returns (machine, Python, part) of each run of the tests, by the rules of a matrix."""
    matrix = _jobs()["test"]["strategy"]["matrix"]
    names = ("machine", "python", "part")
    crossed = [dict(zip(names, values, strict=True)) for values in product(*(matrix[name] for name in names))]
    kept = [run for run in crossed if not any(out.items() <= run.items() for out in matrix["exclude"])]
    return {(run["machine"], run["python"], run["part"]) for run in (*kept, *matrix["include"])}


def test_each_python_is_tested_on_each_architecture() -> None:
    """The oldest and the newest wholly, those between by the quick part at least."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest, end = (int(minor) for minor in re.fullmatch(r">=3\.(\d+),<3\.(\d+)", wanted).groups())  # type: ignore[union-attr]
    assert {(machine, python) for machine, python, _ in _runs()} == {
        (machine, f"3.{minor}") for machine in MACHINES for minor in range(oldest, end)
    }
    whole = {(machine, python) for machine, python, part in _runs() if not part}
    assert whole == {(machine, f"3.{minor}") for machine in MACHINES for minor in (oldest, end - 1)}


def test_what_it_runs_is_there() -> None:
    """Each script of this checkout that a step names."""
    steps = [step["run"] for job in _jobs().values() for step in job["steps"] if "run" in step]
    scripts = {word for run in steps for word in re.findall(r"(?:^|\s)((?:\.ci|deploy|tests)/[\w/-]+)", run)}
    assert {".ci/run", "deploy/release"} <= scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_only_what_passed_is_released() -> None:
    """Each job but the tests waits for them, by way of another job or not, and none of them runs without a tag."""
    jobs = _jobs()
    needs = {name: job.get("needs") for name, job in jobs.items()}
    for name in needs:
        road = [name]
        while (before := needs[road[-1]]) is not None:
            road.append(before)
        assert road[-1] == "test"
        assert name == "test" or "ref_type == 'tag'" in "".join(str(jobs[one].get("if", "")) for one in road)
