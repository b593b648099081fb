"""The reasons: what is learnt, by what weight, and that no fit ever sees what it is judged on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitord.types import REASONS
from training.reasons import Labelled, Protocol, _predict, as_layer, fit_head, judge

WIDTH = 6


def labelled(reason: list[int], group: list[int], *, windows: int = 2, noise: float = 0.1, seed: int = 1) -> Labelled:
    """Recordings whose embeddings say their reason, each with so many windows."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(reason)), windows)
    embeddings = np.eye(4, WIDTH)[np.array(reason)[of]] + noise * rng.standard_normal((len(of), WIDTH))
    return Labelled(embeddings.astype(np.float32), of, np.array(reason), np.array(group))


def even(n: int = 40, groups: int = 10) -> Labelled:
    """Every reason equally often, spread over the groups."""
    return labelled([i % 4 for i in range(n)], [i // (n // groups) for i in range(n)])


def everything(data: Labelled) -> NDArray[np.bool_]:
    return np.ones(len(data.reason), np.bool_)


@pytest.mark.parametrize("protocol", ["random", "grouped"])
def test_what_is_there_to_be_learnt_is_learnt(protocol: Protocol) -> None:
    """Embeddings that say the reason are read by both protocols, far over the majority and over shuffled labels."""
    judged = judge(even(), protocol)
    figures = judged.figures
    assert figures["recordings"] == dict.fromkeys(REASONS, 10)
    assert (figures["groups"], figures["folds"]) == (10, 5)
    model, majority, shuffled = (figures[name] for name in ("model", "majority", "shuffled_labels"))
    assert isinstance(model, dict)
    assert isinstance(majority, dict)
    assert isinstance(shuffled, dict)
    assert model["accuracy"] == model["unweighted_average_recall"] == model["macro_f1"] == 1.0
    assert majority["accuracy"] == majority["unweighted_average_recall"] == 0.25
    assert shuffled["unweighted_average_recall"] < 0.6
    np.testing.assert_allclose(judged.probabilities.sum(axis=1), 1.0)


def test_the_random_protocol_flatters_and_the_grouped_does_not() -> None:
    """Embeddings that only say the family: random folds find each family's reason again, grouped folds know nothing."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(20), 6)
    reason = rng.integers(4, size=20)[group]  # each family always cries for the same reason
    voices = rng.standard_normal((20, 64))  # and has a voice that says nothing of it
    data = Labelled(
        (voices[group] + 0.01 * rng.standard_normal((120, 64))).astype(np.float32), np.arange(120), reason, group
    )
    right = {p: (_predict(data, reason, p, 0).argmax(axis=1) == reason).mean() for p in ("random", "grouped")}
    assert right["random"] > 0.95
    assert right["grouped"] < 0.5


GROUPS = st.lists(st.integers(0, 7), min_size=24, max_size=40).filter(lambda group: len(set(group)) >= 5)


@given(GROUPS, st.integers(0, 3), st.integers(0, 10**6))
@settings(max_examples=10)
def test_no_fit_sees_the_group_it_is_judged_on(group: list[int], seed: int, other: int) -> None:
    """Other labels for a group's recordings leave every probability of that group as it is: no fold had both sides."""
    data = labelled([i % 4 for i in range(len(group))], group, noise=1.0)
    before = _predict(data, data.reason, "grouped", seed)
    chosen = data.group == data.group[0]
    changed = np.where(chosen, np.random.default_rng(other).integers(4, size=len(group)), data.reason)
    after = _predict(data, changed, "grouped", seed)
    np.testing.assert_array_equal(before[chosen], after[chosen])


def test_no_fit_sees_the_recording_it_is_judged_on() -> None:
    """By the paper's protocol too all windows of one recording stand on one side: voices alone give nothing away."""
    rng = np.random.default_rng(1)
    of = np.repeat(np.arange(60), 4)
    voices = rng.standard_normal((60, 64))[of] + 0.01 * rng.standard_normal((240, 64))
    data = Labelled(voices.astype(np.float32), of, rng.integers(4, size=60), np.arange(60))
    assert (_predict(data, data.reason, "random", 0).argmax(axis=1) == data.reason).mean() < 0.5
    seen = fit_head(data, data.reason, everything(data))
    assert seen.score(voices, data.reason[of]) > 0.95


def test_every_reason_and_every_recording_weighs_the_same() -> None:
    """Twice as many windows of a recording, or ten times as many recordings of a reason, move nothing by themselves.

    Without evidence the fit says each reason equally often: the corpus' frequencies are not a family's.
    """
    reason = [0] * 30 + [1] * 3 + [2] * 3 + [3] * 3
    of = np.concatenate([np.repeat(np.arange(39), 1), np.zeros(50, np.int64)])  # the first has 51 windows
    nothing = np.random.default_rng(1).standard_normal((len(of), 2)).astype(np.float32) * 1e-3
    data = Labelled(nothing, of, np.array(reason), np.arange(39))
    model = fit_head(data, data.reason, everything(data))
    mean = model[-1].intercept_
    odds = np.exp(mean) / np.exp(mean).sum()
    np.testing.assert_allclose(odds, 0.25, atol=0.02)


def test_only_chosen_recordings_are_learnt_from() -> None:
    """A recording that was not chosen may say what it likes."""
    data = even()
    chosen = everything(data)
    chosen[::5] = False
    lies = data.embeddings.copy()
    lies[np.isin(data.recording, np.flatnonzero(~chosen))] = 100.0
    liar = Labelled(lies, data.recording, data.reason, data.group)
    honest, misled = (fit_head(one, data.reason, chosen) for one in (data, liar))
    np.testing.assert_array_equal(honest[-1].coef_, misled[-1].coef_)


def test_a_recording_without_windows_gets_even_odds() -> None:
    """Nothing was heard of it, so nothing is said, and it breaks no fit."""
    data = even()
    kept = data.recording != 3
    bare = Labelled(data.embeddings[kept], data.recording[kept], data.reason, data.group)
    assert _predict(bare, data.reason, "random", 0)[3].tolist() == [0.25] * 4


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_the_head_as_a_layer_of_the_network(classes: int) -> None:
    """Scaler and regression folded into one kernel and bias give the very probabilities, for two reasons too."""
    data = labelled([i % classes for i in range(40)], list(range(40)), noise=0.5)
    model = fit_head(data, data.reason, everything(data))
    kernel, bias = as_layer(model)
    assert kernel.shape == (WIDTH, 4)
    assert bias.shape == (4,)
    logits = data.embeddings @ kernel + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))[:, :classes]
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), model.predict_proba(data.embeddings), atol=1e-5)


def test_a_reason_without_recordings_is_never_said() -> None:
    """Its logit stands far under the others, so that four reasons come out all the same."""
    data = labelled([0, 1, 3] * 8, list(range(24)))
    kernel, bias = as_layer(fit_head(data, data.reason, everything(data)))
    assert not kernel[:, 2].any()
    logits = data.embeddings @ kernel + bias
    assert (logits.argmax(axis=1) == data.reason[data.recording]).all()
    assert (logits[:, 2] < logits.max(axis=1) - 9).all()
