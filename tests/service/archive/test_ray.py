"""`monitord archive --engine ray`: the same rows by tasks on Ray, whatever is lost meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.archive.archive import WORK
from service.archive.parts import PARTS
from service.cli import CONFIG_EXIT, main
from tests.support.daemon.daemon import ROOT, crying_room, monitord, quiet_room
from tests.support.sound.matching import wait_for
from tests.support.ward.ray_environment import ray_environment

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

LISTED = """
import sys
from service.cli import main
main(sys.argv[1:])
print("ray" in sys.modules, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some parts of recordings, among them a cry and what is none."""
    folder = tmp_path_factory.mktemp("archive")
    first = quiet_room(folder / "000.wav", 0.5)
    for number in range(1, PARTS - 2):
        (folder / f"{number:03}.wav").hardlink_to(first)
    crying_room(folder / "cry.wav")
    (folder / "notes.txt").write_text("feed at nine\n" * 100)
    return folder


@pytest.fixture(scope="module")
def pooled(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Its rows, by processes of this machine."""
    out = tmp_path_factory.mktemp("pooled") / "rows.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", LISTED, "archive", str(archive), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "False"  # Ray is loaded only where it is asked for
    return out.read_bytes()


def test_without_ray_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine is an extra; nothing is heard without it, and nothing is left behind."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "")  # set by the run, and put back after it
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    quiet_room(tmp_path / "quiet.wav", 0.5)
    arguments = ["archive", str(tmp_path), "--out", str(tmp_path / "rows.jsonl")]
    assert main([*arguments, "--engine", "ray"]) == CONFIG_EXIT
    assert "install --editable '.[ward]'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["quiet.wav"]


@pytest.mark.ward
def test_the_rows_are_the_same(archive: Path, pooled: bytes, tmp_path: Path) -> None:
    """Who does the work changes no byte."""
    out = tmp_path / "rows.jsonl"
    done = monitord("archive", archive, "--out", out, "--engine", "ray", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == pooled


@pytest.mark.ward
def test_a_killed_run_goes_on_elsewhere(archive: Path, pooled: bytes, tmp_path: Path) -> None:
    """After kill -9 the finished parts stand, and another engine does the rest."""
    out = tmp_path / "rows.jsonl"
    work = out.with_name(out.name + WORK)
    arguments = ["archive", str(archive), "--out", str(out), "--engine", "ray", "--workers", "1"]
    with subprocess.Popen([sys.executable, "-m", "service", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        wait_for(lambda: any(work.glob("*.jsonl")), "a part")
        run.kill()
    assert not out.exists()
    again = monitord("archive", archive, "--out", out)
    assert again.returncode == 0, again.stderr
    assert out.read_bytes() == pooled


def tasks(work: str, **environment: str) -> str:
    """What comes of one job on Ray, or the last words of why not; the tests' own process stays without Ray."""
    code = f"""
import os, shlex, sys
from types import ModuleType
from model.cluster.ray_tasks import ray_tasks
nowhere = sys.modules["nowhere"] = ModuleType("nowhere")
exec("def work(job): pass", vars(nowhere))
print(*ray_tasks({work}, ["1"], 1), os.environ.get("RAY_AUTH_MODE"))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    return (done.stdout if done.returncode == 0 else done.stderr).splitlines()[-1]


@pytest.mark.ward
@pytest.mark.parametrize("address", ["", "local"])
def test_a_ray_of_its_own_is_nobody_elses(address: str) -> None:
    """However it is asked for: whoever reaches its ports needs the token."""
    assert tasks("shlex.quote", RAY_ADDRESS=address) == "0 token"


@pytest.mark.ward
def test_a_cluster_that_does_not_answer_is_said() -> None:
    """In words, with its address."""
    assert "ConfigError: no Ray at RAY_ADDRESS=127.0.0.1:1: " in tasks("shlex.quote", RAY_ADDRESS="127.0.0.1:1")


@pytest.mark.ward
def test_a_machine_without_the_code_is_said() -> None:
    """As one on which monitord is missing, or is another."""
    said = tasks("nowhere.work")
    assert "ConfigError: a machine of the cluster cannot load nowhere: " in said
    assert "No module named 'nowhere'; put the same checkout" in said


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator["Cluster"]:
    """A head that works nothing, on this machine."""
    with ray_environment(tmp_path):
        from ray.cluster_utils import Cluster  # noqa: PLC0415 - reads the environment when it is imported

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        yield made
        made.shutdown()


@pytest.mark.ward
def test_a_cluster_without_a_core_is_said(cluster: "Cluster", archive: Path, tmp_path: Path) -> None:
    """It may get some, so that the run waits; but not without a word."""
    command = [
        sys.executable,
        "-m",
        "service",
        "archive",
        str(archive),
        "--out",
        str(tmp_path / "rows"),
        "--engine",
        "ray",
    ]
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    said = tmp_path / "said"
    with said.open("w") as stderr, subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stderr) as run:
        wait_for(lambda: "the Ray cluster has no core" in said.read_text(), "a word")
        run.kill()


@pytest.mark.ward
def test_a_lost_machine_costs_no_row(cluster: "Cluster", archive: Path, pooled: bytes, tmp_path: Path) -> None:
    """Of two machines one is killed in the middle of its work: the other does it, and every row is there once."""
    lost, _ = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)
    out = tmp_path / "rows.jsonl"
    work = out.with_name(out.name + WORK)
    arguments = ["archive", str(archive), "--out", str(out), "--engine", "ray"]
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    command = [sys.executable, "-m", "service", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: any(work.glob("*.jsonl")), "a part")
        os.kill(lost.all_processes["raylet"][0].process.pid, signal.SIGKILL)
        _, said = run.communicate()
    assert run.returncode == 0, said
    assert out.read_bytes() == pooled
