"""Cross-validation of the paper's recipe: both protocols, finished folds, tables, and what it refuses."""

import argparse
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitord.errors import ConfigError
from monitord.types import REASONS
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.training.reason_clips import reason_clips
from training.commands import crossval as command
from training.data.clips import ClipSet, save_clips
from training.evaluate import crossval as module
from training.evaluate.crossval import _majority, crossval
from training.evaluate.crossval_tables import markdown
from training.learn.initial_weights import InitialWeights, load_initial_weights
from training.learn.paper_training import PaperParams
from training.results.result_files import read_results

# Keras' own, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ONCE = PaperParams(epochs=1, learning_rate=1e-3, batch=8)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny start."""
    return make_dead_bundle(tmp_path_factory.mktemp("crossval") / "bundle").directory


@pytest.fixture(scope="module")
def start(bundle: Path) -> InitialWeights:
    """The same."""
    return load_initial_weights(bundle)


@pytest.fixture(scope="module")
def done(start: InitialWeights, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Two folds of each protocol, and the folder of the work."""
    work = tmp_path_factory.mktemp("work") / "folds"
    return crossval(reason_clips(24), start, ONCE, n_folds=2, work=work), work


def test_both_protocols_stand_beside_chance(done: tuple[dict[str, Any], Path]) -> None:
    """One report: random and grouped, each with the model, the majority and shuffled labels, of every clip once."""
    figures, _ = done
    assert (figures["folds"], figures["groups"]) == (2, 6)
    assert figures["clips"] == dict.fromkeys(REASONS, 6)
    for protocol in ("random", "grouped"):
        one = figures[protocol]
        assert len(one["fold_accuracy"]) == 2
        assert one["labels"] == [i % 4 for i in range(24)]
        np.testing.assert_allclose(np.sum(one["probabilities"], axis=1), 1.0, atol=1e-3)
        said = np.argmax(one["probabilities"], axis=1)
        assert one["model"]["accuracy"] == pytest.approx((said == one["labels"]).mean(), abs=1e-4)
        for name in ("model", "majority", "shuffled_labels"):
            assert np.sum(one[name]["confusion"]) == 24
            assert "accuracy_95" in one[name]
    json.dumps(figures)  # JSON values throughout


def test_a_finished_fold_is_not_trained_again(
    done: tuple[dict[str, Any], Path], start: InitialWeights, tmp_path: Path
) -> None:
    """A stop loses one fold at most: the others are read, and what comes out is the same."""
    figures, work = done
    names = {path.name for path in work.iterdir()}
    assert names == {"task.json"} | {
        f"{p}-{n}.{e}" for p in ("random", "grouped") for n in (1, 2) for e in ("npz", "csv")
    }
    stopped = tmp_path / "stopped"
    shutil.copytree(work, stopped)
    (stopped / "grouped-2.npz").unlink()
    before = (stopped / "random-1.npz").stat().st_mtime_ns
    again = crossval(reason_clips(24), start, ONCE, n_folds=2, work=stopped)
    assert (stopped / "random-1.npz").stat().st_mtime_ns == before
    assert again["random"] == figures["random"]
    np.testing.assert_allclose(again["grouped"]["probabilities"], figures["grouped"]["probabilities"], atol=2e-3)


def test_other_work_is_not_mixed_in(done: tuple[dict[str, Any], Path], start: InitialWeights) -> None:
    """Other clips, other epochs or another start in the same folder are refused by name."""
    _, work = done
    with pytest.raises(ConfigError, match=r"not the same: epochs"):
        crossval(reason_clips(24), start, replace(ONCE, epochs=2), n_folds=2, work=work)
    with pytest.raises(ConfigError, match=r"not the same: clips"):
        crossval(reason_clips(28), start, ONCE, n_folds=2, work=work)


def test_a_damaged_fold_is_named(done: tuple[dict[str, Any], Path], start: InitialWeights, tmp_path: Path) -> None:
    """It is not trained over in silence: somebody may want to know."""
    broken = tmp_path / "broken"
    shutil.copytree(done[1], broken)
    (broken / "random-2.npz").write_bytes(b"half a fold")
    with pytest.raises(ConfigError, match=r"random-2\.npz"):
        crossval(reason_clips(24), start, ONCE, n_folds=2, work=broken)


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        (reason_clips(12, reasons=1), "the same reason"),
        (reason_clips(24, babies=3), "5 groups, found 3"),
        (reason_clips(4), "5 groups|5 clips"),
    ],
    ids=["one reason", "few babies", "few clips"],
)
def test_what_cannot_be_folded_is_refused_before_any_work(clips: ClipSet, said: str, start: InitialWeights) -> None:
    """One reason only, fewer babies than folds, fewer clips than folds."""
    with pytest.raises(ConfigError, match=said):
        crossval(clips, start, ONCE)


def test_the_majority_is_that_of_the_training_clips() -> None:
    """It says what was commonest among the others, with their shares as its probabilities."""
    labels = np.array([0, 0, 0, 1])
    told = _majority(labels, [(np.array([0, 3]), np.array([1, 2])), (np.array([1, 2]), np.array([0, 3]))])
    np.testing.assert_allclose(told[1], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(told[3], [1, 0, 0, 0])


def test_shuffled_labels_know_nothing(start: InitialWeights) -> None:
    """What is taught shuffled labels stays near chance although the labels themselves can be learnt."""
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 4
    embedding = np.eye(4)[labels].astype(np.float32) + 0.1 * rng.standard_normal((200, 4)).astype(np.float32)
    halves = [(np.arange(100), np.arange(100, 200)), (np.arange(100, 200), np.arange(100))]
    honest = module._frozen(embedding, labels, halves)
    shuffled = rng.permutation(labels)
    chance = module._frozen(embedding, shuffled, halves)
    assert (honest.argmax(axis=1) == labels).mean() > 0.95
    assert (chance.argmax(axis=1) == shuffled).mean() < 0.45
    assert start.bundle is not None


def test_the_tables_hold_every_figure_twice(done: tuple[dict[str, Any], Path]) -> None:
    """Folds, chance, reasons and confusions of both protocols, as markdown whose rows are as long as their heads."""
    figures, _ = done
    text = markdown(figures, "tones", synthetic=False)
    assert text.startswith("# tones, 2-fold")
    assert "SYNTHETIC" not in text
    assert text.count("| random |") == 4  # by fold, and three beside chance
    assert text.count("| grouped |") == 4
    assert text.count("| hunger |") == 3  # by reason, and a confusion for each protocol
    blocks = re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE)
    assert len(blocks) == 5
    for block in blocks:
        assert len({line.count("|") for line in block.strip().splitlines()}) == 1, block
    assert "the paper" not in text.split("## Beside")[0].split("\n| random")[1]  # two folds are not the paper's five
    five = markdown(figures | {"folds": 5}, "tones", synthetic=True)
    assert "| 0.963 |" in five  # (.965 + .954 + .960 + .959 + .977) / 5 = .963
    assert five.startswith("# SYNTHETIC: tones")


def test_the_command_prints_and_writes(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a folder of clips to tables on stdout and one result file that says synthetic."""
    save_clips(reason_clips(16, synthetic=True), tmp_path / "clips")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = f"--clips {tmp_path / 'clips'} --from {bundle} --epochs 1 --folds 2 --out {tmp_path / 'results' / 'c.json'}"
    assert command.run(parser.parse_args(given.split())) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# SYNTHETIC: tones")
    assert "fold" in err
    (result,) = read_results(tmp_path / "results")
    assert (result.kind, result.data, result.synthetic) == ("crossval", "tones", True)
    assert result.command == "monitord-train crossval --clips CLIPS --from START --epochs 1 --folds 2"
    assert result.figures["grouped"]["model"]["accuracy"] >= 0.0
    with pytest.raises(ConfigError, match="--epochs"):
        command.run(parser.parse_args([*given.split(), "--epochs", "0"]))
