"""Fine-tuning for one family: it helps where the family's labels can be heard, and refuses where they cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.bundle import Bundle, load_bundle
from model.frontend import patches
from model.litert import LiteRtRuntime
from monitord.errors import BundleError, ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.synthetic.synthetic_cry import Burst, cry
from tests.support.models.model_bundles import make_bundle, make_dead_bundle
from tests.support.sound.sounds import pcm
from training.data.clips import Clip, ClipSet
from training.learn.reason_head import balanced
from training.recipes.fine_tuning import adapt
from training.recipes.fine_tuning_gain import compare, is_better
from training.recipes.fine_tuning_head import Cries, among, cross_validate, fit_head, log_loss
from training.recipes.litert_head import replace_head
from training.recipes.unsure_threshold import NEVER, unsure_below

WIDTH = 12


def cries(reason: list[int], *, noise: float = 0.3, offset: float = 0.0, seed: int = 1) -> Cries:
    """One recording a cry, three windows each; the first four dimensions say the reason."""
    rng = np.random.default_rng(seed)
    label = np.array(reason)
    cry_of = np.repeat(np.arange(len(label)), 3)
    embedding = np.eye(4, WIDTH)[label[cry_of]] + noise * rng.standard_normal((len(cry_of), WIDTH))
    weight = rng.uniform(0.1, 1.0, len(cry_of))
    shipped = offset * np.eye(4)[(label[cry_of] + 1) % 4]  # sure of another reason
    return Cries(embedding, shipped, weight, cry_of, label, np.arange(len(label)))


def test_without_evidence_the_head_is_the_shipped_one() -> None:
    """Labels that nothing in the sound tells of: a strong ridge is chosen, and next to nothing is added."""
    data = cries([i % 4 for i in range(40)], noise=0.0)
    nothing = replace(data, embedding=np.random.default_rng(2).standard_normal((120, WIDTH)))
    head = fit_head(nothing)
    assert head.ridge >= 1.0
    np.testing.assert_allclose(nothing.pool(head.logits(nothing)), 0.25, atol=0.1)


def test_evidence_overrules_the_shipped_head() -> None:
    """A shipped head that is sure of the wrong reason is corrected by what the family says."""
    data = cries([i % 4 for i in range(40)], offset=2.0)
    shipped, told = data.pool(data.offset), cross_validate(data)
    assert (shipped.argmax(axis=1) == data.label).mean() == 0.0
    assert (told.argmax(axis=1) == data.label).mean() > 0.9


def test_no_head_sees_the_recording_it_is_judged_on() -> None:
    """Another label for one recording leaves its own held-back probabilities as they are, wherever folds stay."""
    data = cries([0, 1] * 10, noise=1.0)
    twice = replace(data, group=data.group // 2)
    before = cross_validate(twice)
    # Both cries of a recording change places: the folds see the same recordings with the same labels.
    label = twice.label.copy()
    label[:2] = label[1::-1]
    after = cross_validate(replace(twice, label=label))
    np.testing.assert_array_equal(before[:2], after[:2])


def test_a_reason_never_labelled_becomes_rare_and_not_impossible() -> None:
    """Two of four reasons: the other two keep a little, and nobody is judged by having guessed that."""
    data = cries([0, 1] * 10)
    told = cross_validate(data)
    assert 0.0 < told[:, 2:].max() < 0.25
    np.testing.assert_allclose(among(told, data.label)[:, 2:], 0.0)
    np.testing.assert_allclose(log_loss(np.full((20, 4), 0.25), data.label), np.log(2))


def test_pooling_by_hand() -> None:
    """Windows weigh by their probability of being a cry."""
    data = Cries(
        np.zeros((3, WIDTH)),
        np.zeros((3, 4)),
        np.array([0.9, 0.1, 0.5]),
        np.array([0, 0, 1]),
        np.array([0, 1]),
        np.arange(2),
    )
    logits = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.25] * 4]))
    np.testing.assert_allclose(data.pool(logits), [[0.64, 0.16, 0.1, 0.1], [0.25] * 4])


def test_even_weights_by_hand() -> None:
    """Three of one reason and one of another: 4 / (2 * 3) and 4 / (2 * 1)."""
    np.testing.assert_allclose(balanced(np.array([1, 1, 1, 3])), [2 / 3, 2 / 3, 2 / 3, 2])


def test_the_gain_by_hand() -> None:
    """From even odds to 0.8 on the right one: ln 0.8 - ln 0.5 nats; from one reason for all to all right: 0.5."""
    data = replace(cries([0, 1] * 8), offset=np.tile([0.1, 0.0, 0.0, 0.0], (48, 1)))
    right = np.eye(4)[data.label] * 0.7 + 0.1
    right[:, 2:] = 0.0
    gain = compare(data, right / right.sum(axis=1, keepdims=True), (0.5, 0.5))["gain"]
    shipped = among(data.pool(data.offset), data.label)
    by_hand = np.log(0.8 / 0.9) - np.log(shipped[[0, 1], [0, 1]]).mean()
    assert gain["log_loss"] == pytest.approx(by_hand, abs=1e-3)
    assert gain["unweighted_average_recall"] == 0.5
    assert is_better({"grouped": {"gain": gain}})


def test_unsure_below_by_hand() -> None:
    """Right only when sure: the threshold lies over the ones that are wrong; with too few told there is none."""
    sure, wrong = [0.8, 0.1, 0.05, 0.05], [0.45, 0.4, 0.1, 0.05]
    told = np.array([sure] * 10 + [wrong] * 20, np.float32)
    label = np.array([0] * 10 + [1] * 20)
    assert unsure_below(told, label, data="x", least_told=10)[0] == 0.5
    threshold, why = unsure_below(told, label, data="x", least_told=11)
    assert threshold == NEVER
    assert why.startswith("x: at no threshold")


# --- a family from formulas, through the real network ---


def bout(reason: str, rng: np.random.Generator) -> tuple[Burst, ...]:
    """Hunger: short, low, clean; discomfort: long, high, harsh."""
    if reason == "hunger":
        return tuple(Burst(rng.uniform(0.5, 0.65), rng.uniform(360, 400), 0.02, 1.0, 0.4) for _ in range(2))
    return tuple(Burst(rng.uniform(1.0, 1.2), rng.uniform(500, 550), 0.9, 1.0, 0.4) for _ in range(2))


def family(reasons: list[str], heard_as: list[str]) -> ClipSet:
    """A recording for each of `heard_as`, labelled as `reasons`: each one clip with windows a quarter second apart."""
    clips, sounds, of, ends = [], [], [], []
    for i, (label, heard) in enumerate(zip(reasons, heard_as, strict=True)):
        cut = pcm(cry(bout(heard, np.random.default_rng(i)), seed=i), -12)[:40_000]
        sounds.append(np.concatenate([np.zeros(WINDOW_SAMPLES, np.int16), cut]))
        clips.append(Clip(Path(f"r{i}.wav"), label, "ours", f"r{i}", "", "private", 0, len(cut), {}))
        own = np.arange(WINDOW_SAMPLES + 8_000, len(sounds[-1]), 4_000)
        of.append(np.full(len(own), i))
        ends.append(own)
    return ClipSet(
        "our cries", synthetic=True, clips=clips, sounds=sounds, clip=np.concatenate(of), end=np.concatenate(ends)
    )


ALTERNATING = ["hunger", "discomfort"] * 8


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The bundle that comes with the project."""
    return load_bundle()


def outputs(bundle: Bundle, clips: ClipSet) -> tuple[NDArray[np.float32], ...]:
    return LiteRtRuntime(bundle).forward(patches(list(clips.windows()), bundle.manifest.frontend))


def test_it_helps_a_family_whose_reasons_can_be_heard(shipped: Bundle, tmp_path: Path) -> None:
    """The adapted bundle tells held-back recordings apart, and is the shipped one in all but the reasons."""
    clips = family(ALTERNATING, ALTERNATING)
    adapted = adapt(shipped, clips, tmp_path / "ours")
    grouped = adapted.figures["grouped"]
    assert adapted.refusal == ""
    assert grouped["adapted"]["unweighted_average_recall"] > 0.9
    assert grouped["gain"]["log_loss_95"][0] > 0
    assert grouped["shuffled_labels"]["unweighted_average_recall"] < 0.8
    assert adapted.figures["recordings"] == {"hunger": 8, "discomfort": 8}
    assert "Synthetic" in adapted.table
    assert "| adapted |" in adapted.table

    new = load_bundle(tmp_path / "ours")
    assert adapted.bundle is not None
    assert new.id == adapted.bundle.id
    before, after = outputs(shipped, clips), outputs(new, clips)
    np.testing.assert_array_equal(before[0], after[0])  # cry logits
    np.testing.assert_array_equal(before[2], after[2])  # embedding
    said = after[1].argmax(axis=1)
    assert (said == clips.labels[clips.clip]).mean() > 0.9
    old = shipped.manifest
    assert new.manifest.calibration.cry_scale == old.calibration.cry_scale
    assert new.manifest.calibration.cry_bias == old.calibration.cry_bias
    assert replace(new.manifest.tracker, unsure_below=0.5) == replace(old.tracker, unsure_below=0.5)
    assert new.manifest.tracker.unsure_below < NEVER
    assert "our cries" in new.manifest.rests_on["tracker.unsure_below"]
    assert new.manifest.data[-1].licence == "private"
    assert "family" in new.manifest.metrics["random"]  # type: ignore[operator]
    weights = new.weights()
    in_keras = before[2] @ weights["reasons/kernel"] + weights["reasons/bias"]
    np.testing.assert_allclose(after[1], in_keras, atol=0.02)  # float16 in the file for Keras
    assert "## Adapted to a family" in (tmp_path / "ours" / "MODEL_CARD.md").read_text()


def test_labels_that_nobody_can_hear_are_refused(shipped: Bundle, tmp_path: Path) -> None:
    """One sound under two names: no bundle, the figures and the remedy; with `anyway` it is written nevertheless."""
    clips = family(ALTERNATING, ["hunger"] * 16)
    adapted = adapt(shipped, clips, tmp_path / "ours")
    assert adapted.bundle is None
    assert not (tmp_path / "ours").exists()
    assert "--anyway" in adapted.refusal
    assert "Gain, grouped" in adapted.table
    forced = adapt(shipped, clips, tmp_path / "ours", anyway=True)
    assert forced.bundle is not None
    assert forced.bundle.manifest.tracker.unsure_below == NEVER


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        (["hunger"] * 12, "5 more of"),
        (["hunger"] * 7 + ["tiredness"] * 2, "3 more of tiredness"),
        (["hunger"] * 5 + ["tiredness"] * 5, "2 more of any of these"),
        ([], "found none"),
    ],
)
def test_too_few_are_refused_by_count(reasons: list[str], says: str, tmp_path: Path) -> None:
    """What is missing is said, before anything is heard."""
    clips = [Clip(Path(f"{i}"), label, "", f"{i}", "", "", 0, 1, {}) for i, label in enumerate(reasons)]
    silent = replace(family(["hunger"], ["hunger"]), clips=clips)
    with pytest.raises(ConfigError, match=says):
        adapt(make_dead_bundle(tmp_path / "tiny"), silent, tmp_path / "out")


def test_another_head_in_the_file(tmp_path: Path) -> None:
    """The output becomes embedding @ kernel + bias; the other outputs stay as they are to the last bit."""
    bundle = make_bundle(tmp_path / "tiny")
    rng = np.random.default_rng(1)
    kernel, bias = rng.standard_normal((128, 4), np.float32), rng.standard_normal(4, np.float32)
    changed = replace_head(bundle.tflite.read_bytes(), "reasons", kernel, bias, "here")
    x = rng.standard_normal((5, 96, 64), np.float32)
    before = LiteRtRuntime(bundle).forward(x)
    bundle.tflite.write_bytes(changed)
    after = LiteRtRuntime(bundle).forward(x)
    np.testing.assert_array_equal(before.cry, after.cry)
    np.testing.assert_array_equal(before.embedding, after.embedding)
    np.testing.assert_allclose(after.reasons, after.embedding @ kernel + bias, rtol=1e-4, atol=1e-4)
    with pytest.raises(BundleError, match="expected an embedding and a linear head moods"):
        replace_head(changed, "moods", kernel, bias, "here")
    with pytest.raises(BundleError, match="float32"):
        replace_head(changed, "reasons", kernel[:, :3], bias[:3], "here")
