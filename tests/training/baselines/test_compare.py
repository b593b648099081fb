"""The comparison: every method on the same folds, finished folds kept, and refusals that say what to mend."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from monitord.errors import ConfigError
from tests.support.training.reason_clips import reason_clips
from training import cli
from training.baselines.choice import KEYS, choose
from training.baselines.compare import compare, table
from training.baselines.majority import Majority
from training.baselines.method import Answer
from training.baselines.mfcc_gmm import MfccGmm
from training.data.clips import ClipSet, save_clips
from training.results.result_files import read_results

CLIPS = reason_clips(24)  # 6 babies, 6 of each reason


class Recorded(Majority):
    """The majority class, which writes down what it was asked and may fail at a given question."""

    def __init__(self, clips: ClipSet, fails_at: int | None = None) -> None:
        super().__init__(clips)
        self.asked: list[tuple[list[int], list[int]]]
        object.__setattr__(self, "asked", [])
        object.__setattr__(self, "fails_at", fails_at)

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Majority`."""
        if len(self.asked) == self.__dict__["fails_at"]:
            raise KeyboardInterrupt
        self.asked.append((train.tolist(), test.tolist()))
        return super().fit_predict(train, test, seed)


def test_figures_of_every_method_by_both_protocols() -> None:
    """One that learns is right, the majority is not; everything the report reads is there and is JSON."""
    found = compare(CLIPS, [Majority(CLIPS), MfccGmm(CLIPS)], n_folds=3)
    assert json.loads(json.dumps(found)) == found
    assert (found["folds"], found["groups"], sum(found["clips"].values())) == (3, 6, 24)
    majority, gmm = found["methods"]
    assert set(gmm) == {"name", "features", "classifier", "weights", "paper_says", "random", "grouped"}
    assert majority["random"]["unweighted_average_recall"] <= 0.25
    for protocol in ("random", "grouped"):
        assert gmm[protocol]["accuracy"] == 1.0
        assert np.sum(gmm[protocol]["confusion"]) == 24
    assert gmm["paper_says"] == "70.0 % of 5 classes"
    assert (majority["weights"], gmm["weights"]) == (0, 4 * 8 * (40 + 40 + 1))


def test_all_methods_get_the_same_folds() -> None:
    """Each clip is tested once by each protocol, by the same folds for all; grouped, no baby is on both sides."""
    first, second = Recorded(CLIPS), Recorded(CLIPS)
    compare(CLIPS, [first, second], n_folds=3)
    assert first.asked == second.asked
    assert len(first.asked) == 2 * 3
    for protocol in (first.asked[:3], first.asked[3:]):
        assert sorted(row for _, test in protocol for row in test) == list(range(24))
    for train, test in first.asked[3:]:
        babies = [{CLIPS.clips[row].baby for row in side} for side in (train, test)]
        assert not babies[0] & babies[1]


def test_finished_folds_are_kept(tmp_path: Path) -> None:
    """A run that was stopped at its fourth fold asks for the last two alone when it runs again, to the same figures."""
    with pytest.raises(KeyboardInterrupt):
        compare(CLIPS, [Recorded(CLIPS, fails_at=4)], n_folds=3, work=tmp_path)
    again = Recorded(CLIPS)
    found = compare(CLIPS, [again], n_folds=3, work=tmp_path)
    assert len(again.asked) == 2
    assert found == compare(CLIPS, [Majority(CLIPS)], n_folds=3)
    assert len(list(tmp_path.iterdir())) == 6


def test_kept_folds_are_those_of_the_same_sounds_and_labels(tmp_path: Path) -> None:
    """One sample or one label another, or other folds, and everything is trained anew."""
    compare(CLIPS, [Majority(CLIPS)], n_folds=3, work=tmp_path)
    louder = [sound + np.int16(row == 0) for row, sound in enumerate(CLIPS.sounds)]
    relabelled = [replace(clip, label="hunger") if row == 1 else clip for row, clip in enumerate(CLIPS.clips)]
    for other, n_folds in ((replace(CLIPS, sounds=louder), 3), (replace(CLIPS, clips=relabelled), 3), (CLIPS, 2)):
        method = Recorded(other)
        compare(other, [method], n_folds=n_folds, work=tmp_path)
        assert len(method.asked) == 2 * n_folds


def test_a_damaged_kept_fold_is_named(tmp_path: Path) -> None:
    """Half a file is no answer: the operator reads which one to delete."""
    compare(CLIPS, [Majority(CLIPS)], n_folds=3, work=tmp_path)
    damaged = next(tmp_path.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:50])
    with pytest.raises(ConfigError, match=f"{damaged.name}.*delete it"):
        compare(CLIPS, [Majority(CLIPS)], n_folds=3, work=tmp_path)


def test_a_work_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is named, before hours were spent in vain."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file.*cannot be written"):
        compare(CLIPS, [Majority(CLIPS)], n_folds=3, work=tmp_path / "file")


def test_a_fold_that_would_learn_one_reason_is_refused() -> None:
    """One baby has all the clips of the second reason: tested on it, nobody could have learnt it."""
    few = reason_clips(12, babies=12, reasons=1)
    labels = [replace(clip, label="boredom", baby="x") if row >= 9 else clip for row, clip in enumerate(few.clips)]
    with pytest.raises(ConfigError, match=r"grouped.*train on hunger alone"):
        compare(replace(few, clips=labels), [Majority(few)], n_folds=3)


@pytest.mark.parametrize("synthetic", [True, False])
def test_the_table_says_what_it_is_of(synthetic: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """Both protocols side by side with intervals; synthetic clips are called so."""
    shown = table("tones", compare(CLIPS, [MfccGmm(CLIPS)], n_folds=3), synthetic=synthetic)
    assert ("SYNTHETIC" in shown) == synthetic
    caption, _, head, _, row = shown.splitlines()
    assert "24" in caption
    assert "6 groups, 3 folds" in caption
    assert head.index("accuracy, random") < head.index("accuracy, grouped") < head.index("UAR, random")
    assert "| MFCC + GMM |" in row
    assert row.count("1.000 (1.000 to 1.000)") == 6
    assert row.endswith("| 70.0 % of 5 classes |")
    assert row.count("|") == head.count("|")


def test_which_methods_run() -> None:
    """All of them in the order of the table, the teacher where there is one; else those that were asked for."""
    assert [method.key for method in choose(CLIPS)] == [key for key in KEYS if key != "teacher"]
    assert [method.key for method in choose(CLIPS, only=["vggish", "majority"])] == ["majority", "vggish"]
    few = {method.key: method.settings for method in choose(CLIPS, epochs=3)}
    assert few["capsules"] == "epochs=3"
    assert few["vggish"].startswith("epochs=3 ")


def test_the_teacher_hears_the_clips(shared_data: Path) -> None:
    """Where the teachers are, a regression on what mn04 hears tells four pitches apart."""
    (method,) = choose(CLIPS, only=["teacher"], teachers=shared_data / "teachers")
    (row,) = compare(CLIPS, [method], n_folds=3)["methods"]
    assert row["grouped"]["accuracy"] > 0.9
    assert row["weights"] == (384 + 1) * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"only": ["svm"]}, r"--only svm: no such method.*mfcc-gmm"),
        ({"only": ["teacher"]}, r"needs --teachers"),
        ({"teachers": Path("nowhere")}, r"nowhere/mn04_as.onnx: no such teacher"),
        ({"epochs": 0}, r"--epochs 0: expected at least 1"),
    ],
)
def test_refusals(arguments: dict[str, object], message: str) -> None:
    """Each names what was given and what is allowed, before anything is trained."""
    with pytest.raises(ConfigError, match=message):
        choose(CLIPS, **arguments)  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """From clips on disk to a table on stdout and figures for the report, with a command without paths."""
    save_clips(reason_clips(24, synthetic=True), tmp_path / "clips")
    out = tmp_path / "report" / "compare.json"
    words = ["compare", "--clips", str(tmp_path / "clips"), "--only", "majority", "mfcc-gmm", "--folds", "3"]
    monkeypatch.setattr(sys, "argv", ["monitord-train", *words, "--work", str(tmp_path / "work"), "--out", str(out)])
    assert cli.main() == 0
    shown = capsys.readouterr()
    assert "SYNTHETIC" in shown.out
    assert "MFCC + GMM" in shown.out
    (result,) = read_results(out.parent)
    assert (result.kind, result.data, result.synthetic) == ("compare", "tones", True)
    assert result.command == "monitord-train compare --clips CLIPS --only majority mfcc-gmm --folds 3"
    assert [row["name"] for row in result.figures["methods"]] == ["majority class", "MFCC + GMM"]


def test_the_command_says_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """More folds than babies: exit status 2 and one line that says how many there can be."""
    save_clips(CLIPS, tmp_path)
    words = ["compare", "--clips", str(tmp_path), "--only", "majority", "--folds", "7"]
    monkeypatch.setattr(sys, "argv", ["monitord-train", *words])
    assert cli.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("monitord-train compare: 7 folds")
    assert "6" in said
