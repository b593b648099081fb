"""`monitord-train streams`: what is printed is what is written for the report."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.training.halves import both_halves
from tests.support.training.prepared import on_disk, prepared_from
from training.commands.judge import streams as command
from training.results.result_files import Result, read_results
from training.streams import figures, households, mixing
from training.streams.households import Household
from training.streams.mixing import StreamParams

SHORT = StreamParams(length_s=20.0, cry_every_s=(6.0, 8.0), cry_dbfs=(-20.0, -20.0), bed_dbfs=(-70.0, -60.0))
"""In place of an hour."""


def run(tmp_path: Path, *more: str) -> Result:
    """Runs the command over an hour of each kind with the bundle that is shipped; the only result that it leaves."""
    on_disk(prepared_from(tmp_path / "prepared", both_halves()))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    out = tmp_path / "results" / "streams.json"
    out.parent.mkdir()
    typed = ["--prepared", f"{tmp_path / 'prepared'}", "--hours", "1", "--out", f"{out}", *more]
    assert command.run(parser.parse_args(typed)) == 0
    (result,) = read_results(out.parent)
    return result


def test_ours_without_the_peers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both rows of ours and its curve, over four streams; the peers' absence is said."""
    monkeypatch.setattr(mixing, "StreamParams", partial(replace, SHORT))
    result = run(tmp_path)
    printed = capsys.readouterr()
    assert printed.out.strip() == figures.markdown(result.figures)
    assert "YAMNet and mn04 are left out" in printed.err
    assert (result.kind, result.command) == ("streams", "monitord-train streams --prepared PREPARED --hours 1")
    assert [system["name"] for system in result.figures["systems"]] == ["vggish-compact"] * 2
    assert [one["name"] for one in result.figures["curves"]] == ["vggish-compact"]
    own = next(row for row in result.figures["thresholds"] if row["threshold"] == 0.6)
    assert own["found"] == result.figures["systems"][1]["found"]
    assert result.figures["episodes"] == sum(row["episodes"] for row in result.figures["by_snr"]) > 3


def test_homes_are_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each kind, under a kind of result of their own."""
    monkeypatch.setattr(households, "HOUSEHOLDS", {"flat": Household(replace(SHORT, every_s=5.0), 24.0)})
    result = run(tmp_path, "--households")
    assert capsys.readouterr().out.strip() == households.markdown(result.figures)
    assert result.kind == "households"
    assert result.command == "monitord-train streams --households --prepared PREPARED --hours 1"
    assert [(row["household"], row["sounds_a_minute"]) for row in result.figures["homes"]] == [("flat", 12.0)]
