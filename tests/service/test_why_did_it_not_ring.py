"""The page that says how a trace is read: its recordings, its commands and its excerpts are true."""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Json, monitord
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "developers" / "why-did-it-not-ring.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^monitord (replay .*)$", PAGE, re.MULTILINE)
SCORE = 0.02
"""How far `p_cry` and `distress` may be off: the same network on another processor rounds differently."""


def excerpts(source: str) -> list[Json]:
    """Returns the lines that the page shows of a recording."""
    shown = [json.loads(line) for line in re.findall(r"^\{.*\}$", PAGE, re.MULTILINE)]
    return [line for line in shown if line["source"] == source]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recordings that the page makes."""
    folder = tmp_path_factory.mktemp("page")
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, env={"PYTHONPATH": str(ROOT)})
    return folder


@cache
def lines(folder: Path, source: str) -> list[Json]:
    """Runs the page's command for a recording; returns what it prints."""
    (command,) = [one for one in COMMANDS if one.endswith(f" {source}.wav")]
    *options, name = shlex.split(command)
    done = monitord(*options, folder / name)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("source", ["faint", "deep", "brief", "click"])
def test_excerpts_are_true(recordings: Path, source: str) -> None:
    """Each line that the page shows is printed; where the network was changed, the page wants new ones."""
    printed = {(line["kind"], line.get("t_s")): line for line in lines(recordings, source) if line["kind"] != "segment"}
    assert excerpts(source)
    for shown in excerpts(source):
        found = printed[shown["kind"], shown["t_s"]]
        assert list(found) == list(shown)
        scores = {"p_cry", "distress"} & set(shown)
        for name in scores:
            assert found[name] == pytest.approx(shown[name], abs=SCORE)
        unscored = dict.fromkeys(scores)
        assert found | unscored == shown | unscored


def test_not_heard_by_the_gate(recordings: Path) -> None:
    """From before the cry to the end there is no window; the gate was closed, and the level under its bound."""
    faint = [line for line in lines(recordings, "faint") if line.get("t_s", 0.0) > 20.0]
    assert {line["kind"] for line in faint} == {"gate"}
    assert {line["gate"] for line in faint} == {"closed"}
    assert all(line["dbfs"] <= line["bound"] for line in faint)


def test_doubted_by_the_network(recordings: Path) -> None:
    """The gate was open and windows were scored, all of them under the threshold."""
    windows = [line for line in lines(recordings, "deep") if line["kind"] == "window"]
    assert len(windows) >= 5
    assert {line["gate"] for line in windows} == {"sound"}
    assert all(line["p_cry"] < line["threshold"] for line in windows)
    assert {line["state"] for line in windows} == {"calm"}


def test_too_short(recordings: Path) -> None:
    """Windows are over the threshold, and there are fewer than it takes; a click is told as too short."""
    windows = [line for line in lines(recordings, "brief") if line["kind"] == "window"]
    assert any(line["p_cry"] >= line["threshold"] for line in windows)
    assert 0 < max(line["evidence"] for line in windows) < windows[0]["on"]
    assert {line["state"] for line in windows} == {"calm"}
    (click,) = [line for line in lines(recordings, "click") if line["kind"] == "too_short"]
    assert click["duration_s"] < click["least_s"] == 0.18


def test_without_a_trace_nothing_changes(recordings: Path) -> None:
    """A replay without `--trace` prints the same lines, but for those of the trace."""
    plain = [json.loads(line) for line in monitord("replay", recordings / "brief.wav").stdout.splitlines()]
    kinds = {"segment", "event", "tally"}
    assert plain == [line for line in lines(recordings, "brief") if line["kind"] in kinds]
