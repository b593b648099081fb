"""Folds: nobody is ever on both sides, every clip is tested once, and what cannot be split is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.errors import ConfigError
from monitord.types import REASONS
from training.data.clips import Clip
from training.data.splits import KINSHIP, Fold, Protocol, folds, folds_of, groups_of


def _clip(label: str, baby: str = "", recording: str = "", installation: str = "", **more: str) -> Clip:
    return Clip(Path("x.wav"), label, baby, recording, installation, "", 0, 16_000, more)


NAMES = st.sampled_from(["", "a", "b", "c", "d", "e", "f", "g"])
CLIPS = st.lists(
    st.builds(
        _clip,
        st.sampled_from(REASONS),
        NAMES,
        NAMES,
        NAMES,
    ),
    min_size=1,
    max_size=40,
)
SEEDS = st.integers(0, 1000)


def _labels(clips: list[Clip]) -> np.ndarray:
    return np.array([REASONS.index(clip.label) for clip in clips], np.int64)


def _each_is_tested_once(made: list[Fold], n: int) -> bool:
    whole = all(np.array_equal(np.sort(np.concatenate(fold)), np.arange(n)) for fold in made)
    return whole and np.array_equal(np.sort(np.concatenate([test for _, test in made])), np.arange(n))


def test_a_chain_of_shared_names_is_one_group() -> None:
    """Baby a on phone p, phone p with baby b, baby b in recording r: one group; unknown names join nobody."""
    clips = [
        _clip("hunger", baby="z"),
        _clip("hunger", baby="a", installation="p"),
        _clip("hunger", baby="b", installation="p"),
        _clip("hunger", recording="z"),  # a recording of the name of a baby is no kin of it
        _clip("hunger", baby="b", recording="r"),
        _clip("hunger"),
        _clip("hunger"),
        _clip("hunger", recording="r"),
    ]
    assert groups_of(clips).tolist() == [0, 1, 1, 2, 1, 3, 4, 1]


@given(CLIPS)
def test_who_shares_a_name_shares_a_group(clips: list[Clip]) -> None:
    """For any two clips and any of the three names."""
    groups = groups_of(clips)
    for i, one in enumerate(clips):
        for j, other in enumerate(clips):
            if any(getattr(one, kin) and getattr(one, kin) == getattr(other, kin) for kin in KINSHIP):
                assert groups[i] == groups[j]


@given(CLIPS, st.sampled_from(["random", "grouped"]), st.integers(2, 6), SEEDS)
def test_folds_hold_their_promise_or_are_refused(
    clips: list[Clip], protocol: Protocol, n_folds: int, seed: int
) -> None:
    """Whatever the clips: each is tested once, in as many folds as asked, and grouped keeps every group together."""
    labels, groups = _labels(clips), groups_of(clips)
    units = len(np.unique(groups)) if protocol == "grouped" else len(clips)
    if len(np.unique(labels)) < 2 or units < n_folds:
        with pytest.raises(ConfigError):
            folds(labels, groups, protocol, n_folds, seed)
        return
    made = folds(labels, groups, protocol, n_folds, seed)
    assert len(made) == n_folds
    assert _each_is_tested_once(made, len(clips))
    assert all(len(train) and len(test) for train, test in made)
    if protocol == "grouped":
        assert all(not set(groups[train]) & set(groups[test]) for train, test in made)


@given(st.lists(st.integers(0, 3), min_size=5, max_size=200), st.integers(5, 30), SEEDS)
def test_grouped_folds_never_share_a_group(labels: list[int], n_groups: int, seed: int) -> None:
    """Also with many clips in few groups, and rare labels."""
    groups = np.random.default_rng(seed).integers(n_groups, size=len(labels))
    if len(set(labels)) < 2 or len(np.unique(groups)) < 5:
        return
    made = folds(np.array(labels), groups, "grouped", 5, seed)
    assert _each_is_tested_once(made, len(labels))
    for train, test in made:
        assert len(test)
        assert not set(groups[train]) & set(groups[test])


def test_the_same_seed_gives_the_same_folds() -> None:
    """Another seed other ones; so a figure can be printed again."""
    labels = np.arange(80) % 4
    groups = np.arange(80) // 4
    for protocol in ("random", "grouped"):
        one, same, other = (
            np.concatenate([test for _, test in folds(labels, groups, protocol, 5, seed)]) for seed in (3, 3, 4)
        )
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_labels_are_spread_evenly() -> None:
    """60 of hunger and 20 of boredom, random over clips: 12 and 4 in every fold's test."""
    labels = np.repeat([0, 1], [60, 20])
    for _, test in folds(labels, np.arange(80), "random"):
        assert np.bincount(labels[test]).tolist() == [12, 4]


def test_what_cannot_be_split_says_what_to_do() -> None:
    """One reason, too few clips, too few groups: each names the remedy."""
    several = np.array([0, 1, 0, 1, 0, 1])
    with pytest.raises(ConfigError, match=r"same reason.*label a second one"):
        folds(np.zeros(10, np.int64), np.arange(10), "random")
    with pytest.raises(ConfigError, match="7 folds need 7 clips, found 6: record and label more"):
        folds(several, np.arange(6), "random", 7)
    with pytest.raises(ConfigError, match=r"5 folds need 5 groups, found 3: .*more babies"):
        folds(several, np.array([0, 0, 1, 1, 2, 2]), "grouped")


def test_the_manifests_own_folds_decide_for_grouped() -> None:
    """Column `fold` is taken as it is; the paper's protocol stays random over clips."""
    clips = [_clip(REASONS[i % 2], baby=f"b{i}", fold=str(i // 4)) for i in range(12)]
    labels = _labels(clips)
    tests = [test.tolist() for _, test in folds_of(clips, labels, "grouped")]
    assert tests == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert len(folds_of(clips, labels, "random")) == 5
    with pytest.raises(ConfigError, match="column fold: names one fold only"):
        folds_of([_clip(label, fold="1") for label in REASONS], np.arange(4), "grouped")
