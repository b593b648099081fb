"""The reasons by both protocols: what is there is found, and no fit ever sees what it is judged on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.types import REASONS
from tests.support.training.reason_embeddings import even, everything, labelled
from training.data.splits import Protocol
from training.evaluate.reason_head_crossval import _predict, judge
from training.learn.reason_head import Labelled, fit_head


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


def test_a_recording_without_windows_gets_even_odds() -> None:
    """Nothing was heard of it, so nothing is said, and it breaks no fit."""
    data = even()
    kept = data.recording != 3
    bare = Labelled(data.embeddings[kept], data.recording[kept], data.reason, data.group)
    assert _predict(bare, data.reason, "random", 0)[3].tolist() == [0.25] * 4
