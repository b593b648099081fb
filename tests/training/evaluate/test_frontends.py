"""The front ends' table: each network through its own front end, the same windows for all, and who is chosen."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.frontend import FRONTENDS
from model.strict_json import dump_json
from model.vggish import Architecture, build_classifier
from monitord.errors import ConfigError
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from training.commands.judge import frontends as command
from training.data.prepared import Prepared
from training.evaluate import window_auc
from training.evaluate.frontends import choose, frontend_figures, markdown
from training.learn.pretrain import TRAINED, Trained
from training.results.result_files import read_results

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"  # Keras' own, under NumPy 2
)
TINY = Architecture(width=0.125, dense=(8, 8))


@pytest.fixture(autouse=True)
def _fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interval from 20 samples is as good for a test."""
    monkeypatch.setattr(window_auc, "RESAMPLES", 20)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A held-out cry, a dog and rain, and ten families' cries with a reason."""
    cry = synthetic_cry()
    takes = [
        Take("cry", cry[:40_000], is_cry=True, p_cry=0.9, held_out=True),
        Take("dog", tone(800, 1.5), is_cry=False, held_out=True),
        Take("rain", noise(1.5, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True),
    ]
    for i in range(10):
        reason = ("hunger", "tiredness")[i % 2]
        takes.append(Take(f"r{i}", cry[i * 16_000 :][:20_000], is_cry=True, p_cry=0.9, reason=reason))
    made = prepared_from(tmp_path_factory.mktemp("prepared"), takes)
    tags = np.zeros((len(made.windows), 1048), np.float16)
    object.__setattr__(made.windows, "tags", tags)
    return made


def trained(folder: Path, frontend: str, architecture: Architecture = TINY) -> Path:
    """Random weights that say which front end they belong to."""
    folder.mkdir(parents=True)
    build_classifier(architecture).save_weights(folder / "pretrained.weights.h5")
    (folder / TRAINED).write_text(dump_json(Trained(architecture, FRONTENDS[frontend])))
    return folder / "pretrained.weights.h5"


def row(name: str, clean: float, mixed: float, half: float = 0.01) -> dict[str, Any]:
    interval = {"cry_auc_95": [clean - half, clean + half], "cry_auc_at_0_db_95": [mixed - half, mixed + half]}
    return {"frontend": name, "cry_auc": clean, "cry_auc_at_0_db": mixed, "reasons": None} | interval


def test_the_best_hearing_is_chosen() -> None:
    """By the mean of clean and mixed; the sentence says whether it is more than luck."""
    name, why = choose([row("paper", 0.98, 0.90), row("plain", 0.97, 0.95)])
    assert name == "plain"
    assert "mean area 0.9600" in why
    assert "beyond its own interval at 0 dB" in why
    assert "so hardly" in choose([row("paper", 0.98, 0.90), row("plain", 0.979, 0.899)])[1]


def test_the_table_of_two_networks(
    sounds: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is loaded, heard and judged by both protocols; the command prints it and leaves it for `report`."""
    monkeypatch.setattr("training.data.prepared.load_prepared", lambda _: sounds)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = [f"{name}={trained(tmp_path / name, name)}" for name in ("paper", "plain")]
    out = tmp_path / "results" / "frontends.json"
    assert command.run(parser.parse_args(["--prepared", "x", "--weights", *given, "--out", str(out)])) == 0
    [result] = read_results(out.parent)
    assert [one["frontend"] for one in result.figures["rows"]] == ["paper", "plain"]
    assert result.figures["chosen"] in {"paper", "plain"}
    assert result.figures["reason_recordings"] == 10
    for one in result.figures["rows"]:
        assert 0.0 <= one["cry_auc"] <= 1.0
        assert set(one["reasons"]) == {"random", "grouped"}
        assert set(one["reasons"]["grouped"]) == {"uar", "uar_95", "macro_f1"}
    assert result.figures["rows"][0]["cry_auc"] != result.figures["rows"][1]["cry_auc"]
    printed = capsys.readouterr().out
    assert printed.strip() == markdown(result.figures)
    assert "| plain |" in printed


def test_wrong_weights_are_refused(sounds: Prepared, tmp_path: Path) -> None:
    """An unknown name, another front end than the name says, other layers, no file: each says what to do."""
    paper = trained(tmp_path / "paper", "paper")
    with pytest.raises(ConfigError, match="unknown front end"):
        frontend_figures(sounds, {"loud": paper})
    with pytest.raises(ConfigError, match="was trained with"):
        frontend_figures(sounds, {"plain": paper})
    wide = trained(tmp_path / "wide", "plain", Architecture(width=0.25, dense=(8, 8)))
    with pytest.raises(ConfigError, match="differ in their layers"):
        frontend_figures(sounds, {"paper": paper, "plain": wide})
    with pytest.raises(ConfigError, match="pretrain"):
        frontend_figures(sounds, {"paper": tmp_path / "nowhere" / "x.h5"})


@pytest.mark.parametrize("weights", [["paper"], ["=x"], ["paper=a", "paper=b"]])
def test_weights_go_by_name(weights: list[str]) -> None:
    """Each front end once, with its file."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(ConfigError, match="expected NAME=FILE"):
        command.run(parser.parse_args(["--prepared", "x", "--weights", *weights]))
