"""The figures of told reasons, held against tables worked out by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score

from monitord.types import REASONS
from training.evaluate.reason_metrics import _resampled, expected_calibration_error, figures


def certain(said: list[int]) -> np.ndarray:
    """Probability 1 for what is said."""
    return np.eye(4)[said]


#                 said:  h  b  t  d
TABLE = np.array([[3, 1, 0, 0],  # hunger, 4 clips
                  [2, 2, 0, 0],  # boredom, 4
                  [1, 0, 4, 0],  # tiredness, 5
                  [0, 1, 1, 5]])  # discomfort, 7  # fmt: skip


def judged(table: np.ndarray) -> dict[str, Any]:
    """Figures of clips that fill the table, each clip its own group."""
    told, said = np.nonzero(table)
    counts = table[told, said]
    told, said = np.repeat(told, counts), np.repeat(said, counts)
    return figures(certain(said.tolist()), told, np.arange(len(told)))


def test_a_table_by_hand() -> None:
    """Precision, recall and F1 of each reason, weighted by clips and evenly, from a confusion of 20 clips."""
    found = judged(TABLE)
    assert found["confusion"] == TABLE.tolist()
    assert found["accuracy"] == 0.7  # (3 + 2 + 4 + 5) / 20
    # Columns hold 6, 4, 5, 5; rows 4, 4, 5, 7. F1 is 2 * right / (row + column).
    assert found["per_class"] == {
        "hunger": {"precision": 0.5, "recall": 0.75, "f1": 0.6, "clips": 4},  # 3/6, 3/4, 6/10
        "boredom": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "clips": 4},  # 2/4, 2/4, 4/8
        "tiredness": {"precision": 0.8, "recall": 0.8, "f1": 0.8, "clips": 5},  # 4/5, 4/5, 8/10
        "discomfort": {"precision": 1.0, "recall": 0.7143, "f1": 0.8333, "clips": 7},  # 5/5, 5/7, 10/12
    }
    assert found["weighted"] == {
        "precision": 0.75,  # (4 * .5 + 4 * .5 + 5 * .8 + 7 * 1) / 20
        "recall": 0.7,  # the accuracy, as always
        "f1": 0.7117,  # (4 * .6 + 4 * .5 + 5 * .8 + 7 * 10/12) / 20
    }
    assert found["unweighted_average_recall"] == 0.6911  # (3/4 + 2/4 + 4/5 + 5/7) / 4
    assert found["macro_f1"] == 0.6833  # (.6 + .5 + .8 + 10/12) / 4
    for name in ("accuracy", "macro_f1", "unweighted_average_recall"):
        low, high = found[f"{name}_95"]
        assert 0.3 < low < found[name] < high < 1.0


def test_a_reason_that_nobody_told_moves_no_average() -> None:
    """Averages are over the reasons that are there; to say another one is still a mistake."""
    found = judged(np.array([[3, 0, 0, 1], [0, 2, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]]))
    assert found["unweighted_average_recall"] == 0.625  # (3/4 + 2/4) / 2
    assert found["macro_f1"] == 0.7619  # (6/7 + 4/6) / 2
    assert found["per_class"]["discomfort"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "clips": 0}
    assert found["accuracy"] == 0.625


def test_the_calibration_error_by_hand() -> None:
    """Two bins of the top probability, each weighing by its clips."""
    # Three at .65 of which one is right: a miss of .65 - 1/3. One at 1 that is right: no miss.
    probabilities = np.array([[0.65, 0.35, 0, 0], [0.65, 0.35, 0, 0], [0.35, 0.65, 0, 0], [0, 0, 0, 1.0]])
    labels = np.array([0, 1, 0, 3])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(3 / 4 * (0.65 - 1 / 3))
    assert figures(probabilities, labels, np.arange(4))["expected_calibration_error"] == 0.2375


def test_misses_of_one_bin_make_up_for_each_other_and_those_of_two_do_not() -> None:
    """A bin's promise is held against its share that is right: .61 and .69 are one bin, .69 and .71 are two."""

    def error(first: float, second: float) -> float:
        probabilities = np.array([[first, 1 - first, 0, 0], [second, 1 - second, 0, 0]])
        return expected_calibration_error(probabilities, np.array([0, 1]))

    assert error(0.61, 0.69) == pytest.approx(abs(0.65 - 0.5))
    assert error(0.69, 0.71) == pytest.approx((0.31 + 0.71) / 2)


def test_alike_clips_of_a_family_count_once() -> None:
    """Ten families whose clips are all right or all wrong: over families the interval is wider than over clips."""
    groups = np.repeat(np.arange(10), 10)
    labels = np.arange(100) % 4
    right = groups % 2 == 0
    said = np.where(right, labels, (labels + 1) % 4).tolist()
    by_clip, by_group = (figures(certain(said), labels, of) for of in (np.arange(100), groups))
    for name in ("accuracy", "macro_f1", "unweighted_average_recall"):
        narrow, wide = (found[f"{name}_95"] for found in (by_clip, by_group))
        assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])  # sqrt(10) times, in the long run
        assert by_clip[name] == by_group[name]


def test_a_resample_is_what_scikit_learn_makes_of_the_drawn_groups() -> None:
    """Weighing confusion matrices gives the same figures as weighing clips."""
    rng = np.random.default_rng(1)
    labels, said = rng.integers(4, size=(2, 60))
    groups = rng.integers(8, size=60)
    found = _resampled(said, labels, groups)[:20]
    draws = np.random.default_rng(0).multinomial(8, np.full(8, 1 / 8), size=20)
    for row, draw in zip(found, draws, strict=True):
        weights = draw[groups]
        there = np.unique(labels[weights > 0])
        even = {"labels": there, "average": "macro", "sample_weight": weights, "zero_division": 0.0}
        expected = [
            accuracy_score(labels, said, sample_weight=weights),
            f1_score(labels, said, **even),
            recall_score(labels, said, **even),
        ]
        np.testing.assert_allclose(row, expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=30))
def test_figures_are_shares_whatever_comes(rows: list[tuple[int, int, int]]) -> None:
    """Any labels, sayings and groups give figures from 0 to 1, and every clip stands in the confusion once."""
    told, said, groups = np.array(rows).T
    found = figures(certain(said.tolist()), told, groups)
    assert np.sum(found["confusion"]) == len(rows)
    assert sum(found["per_class"][name]["clips"] for name in REASONS) == len(rows)
    for name in ("accuracy", "macro_f1", "unweighted_average_recall"):
        low, high = found[f"{name}_95"]
        assert 0.0 <= low <= high <= 1.0
        assert 0.0 <= found[name] <= 1.0
    assert 0.0 <= found["expected_calibration_error"] <= 1.0


def test_nothing_has_no_figures() -> None:
    """An empty set is a mistake of the caller, not a figure."""
    with pytest.raises(ValueError, match="no labels"):
        figures(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0, np.int64))
