"""Targets: what each window should be called, from the recording's label and the teachers, by hand-made tables."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.corpus import Dataset, Recording
from training.data.prepared import Prepared, Windows
from training.label.targets import baby_laughter, cry_targets
from training.label.teachers import MN04_BABY_LAUGHTER, MN04_CLASSES, YAMNET_BABY_LAUGHTER, YAMNET_CLASSES

NAN = float("nan")


def prepared(
    mn04: list[float],
    yamnet: list[float] | None = None,
    *,
    is_cry: bool | None = True,
    sound: list[float] | None = None,
    tail: list[float] | None = None,
    mn04_laugh: list[float] | None = None,
    yamnet_laugh: list[float] | None = None,
    dataset: Dataset = "home",
) -> Prepared:
    """One recording with these scores in its windows: a cry, and full of sound, where nothing else is said."""
    n = len(mn04)
    recording = Recording(Path("a.wav"), dataset, "home:rain", "rain", is_cry, None, held_out=False)
    tags = np.zeros((n, MN04_CLASSES + YAMNET_CLASSES), np.float16)
    tags[:, MN04_BABY_LAUGHTER] = mn04_laugh or [0.0] * n
    tags[:, MN04_CLASSES + YAMNET_BABY_LAUGHTER] = yamnet_laugh or [0.0] * n
    windows = Windows(
        recording=np.zeros(n, np.int32),
        end=np.arange(1, n + 1, dtype=np.int32) * 3_840,
        heard=np.ones(n, np.bool_),
        sound=np.array(sound or [1.0] * n, np.float32),
        tail=np.array(tail or [0.0] * n, np.float32),
        mn04=np.array(mn04, np.float32),
        yamnet=np.array(yamnet or [0.0] * n, np.float32),
        tags=tags,
    )
    return Prepared(Path(), Path(), [recording], windows)


def targets(given: Prepared) -> list[float]:
    out: NDArray[np.float32] = cry_targets(given)
    assert out.dtype == np.float32
    return [round(float(value), 3) for value in out]


def test_a_recording_without_a_cry_has_none() -> None:
    """Whatever the teachers hear in it: a cat is a cat."""
    assert targets(prepared([0.9, 0.0, 0.5], is_cry=False)) == [0.0, 0.0, 0.0]


def test_scores_count_relative_to_the_loud_moments() -> None:
    """Ten equal windows of 0.4: half of the loud moments' score is surely a cry; a distant phone counts the same."""
    loud = [0.4] * 10
    expected = [*[1.0] * 10, 0.6]
    assert targets(prepared([*loud, 0.12])) == expected  # 0.12 of 0.5 * 0.4
    assert targets(prepared([p / 10 for p in [*loud, 0.12]])) == expected


def test_either_teacher_suffices() -> None:
    """A window is as much a cry as the teacher says that hears more of it."""
    assert targets(prepared([0.8] * 5 + [0.0] * 5, [0.0] * 5 + [0.8] * 5)) == [1.0] * 10


def test_a_teacher_that_hears_nothing_has_no_say() -> None:
    """Scores under 0.02 throughout are no cry heard quietly, but none heard: every window is unknown."""
    np.testing.assert_array_equal(targets(prepared([0.019] * 10)), [NAN] * 10)
    assert targets(prepared([0.021] * 10)) == [1.0] * 10


def test_what_is_hardly_heard_teaches_nothing() -> None:
    """Under 0.3 of a sure cry, with sound in the window: often a quiet cry, sometimes a parent."""
    np.testing.assert_array_equal(targets(prepared([0.8] * 10 + [0.11])), [1.0] * 10 + [NAN])


def test_silence_in_a_cry_recording_is_no_cry() -> None:
    """Less than a tenth of sound in the window is a zero, even where an echo makes a teacher hear something."""
    given = prepared([0.8] * 10 + [0.0, 0.8, 0.0], sound=[1.0] * 10 + [0.09, 0.0, 0.1])
    np.testing.assert_array_equal(targets(given), [1.0] * 10 + [0.0, 0.0, NAN])


def test_where_people_recorded_nothing_but_cries_it_cries_where_it_sounds() -> None:
    """In `corvin`, whatever the teachers hear: a quarter of sound, in the window or at its end, is a cry."""
    sound, tail = [1.0, 0.25, 0.2, 0.2, 0.09], [1.0, 0.0, 0.3, 0.0, 0.0]
    given = prepared([0.0] * 5, sound=sound, tail=tail, dataset="corvin")
    np.testing.assert_array_equal(targets(given), [1.0, 1.0, 1.0, NAN, 0.0])


def test_the_first_quarter_second_of_a_cry_counts() -> None:
    """A window whose own tail already sounds is believed 0.8 of the next one; one whose tail is silent is not."""
    scores = [0.0, 0.8, *[0.8] * 9, 0.0, 0.8]
    given = prepared(scores, tail=[0.51, *[1.0] * 10, 0.5, 1.0])
    np.testing.assert_array_equal(targets(given), [0.8, *[1.0] * 10, NAN, 1.0])


def test_recordings_are_judged_apart() -> None:
    """The loud moments of one say nothing of another, and no window is believed the next recording's."""
    loud, quiet = prepared([0.9] * 5), prepared([0.05] * 5, tail=[1.0] * 5)
    joined = {
        name: np.concatenate([getattr(quiet.windows, name), getattr(loud.windows, name)])
        for name in Windows.__dataclass_fields__
    }
    joined["recording"] = np.repeat([0, 1], 5).astype(np.int32)
    joined["mn04"][4] = 0.0
    both = Prepared(Path(), Path(), [*quiet.recordings, *loud.recordings], Windows(**joined))
    np.testing.assert_array_equal(targets(both), [1.0] * 4 + [NAN] + [1.0] * 5)


def test_an_unclear_recording_teaches_only_what_is_sure() -> None:
    """Either teacher from 0.5 on, or both under 0.005; between them nobody knows."""
    given = prepared([0.5, 0.0, 0.49, 0.0, 0.004], [0.0, 0.6, 0.0, 0.004, 0.005], is_cry=None)
    np.testing.assert_array_equal(targets(given), [1.0, 1.0, NAN, 0.0, NAN])


def test_a_doubted_window_of_an_upload_is_nobodys_example() -> None:
    """An upload was judged as a whole: from 0.1 on, by either teacher, a window of it may be a lost whimper."""
    scores = [0.0, 0.09, 0.11, 0.0], [0.0, 0.09, 0.0, 0.11]
    np.testing.assert_array_equal(targets(prepared(*scores, is_cry=False, dataset="donateacry")), [0.0, 0.0, NAN, NAN])
    assert targets(prepared(*scores, is_cry=False, dataset="esc50")) == [0.0] * 4


def test_a_babys_laugh_is_one_by_either_teacher() -> None:
    """From 0.3 on, and three times what either teacher hears of a cry."""
    given = prepared(
        [0.0, 0.0, 0.0, 0.125, 0.0, 0.125],
        [0.0, 0.0, 0.0, 0.0, 0.125, 0.0],
        mn04_laugh=[0.29, 0.31, 0.0, 0.36, 0.36, 0.39],
        yamnet_laugh=[0.0, 0.0, 0.31, 0.0, 0.0, 0.0],
    )
    assert baby_laughter(given).tolist() == [False, True, True, False, False, True]  # 3 * 0.125 = 0.375


def test_a_laugh_is_no_cry_where_a_person_named_none() -> None:
    """In unclear recordings and in doubted uploads it is a sure negative; a cry recording keeps what people said."""
    laughs = [0.9] * 4
    unclear = prepared([0.1] * 4, is_cry=None, mn04_laugh=laughs)
    np.testing.assert_array_equal(targets(prepared([0.1] * 4, is_cry=None)), [NAN] * 4)
    assert targets(unclear) == [0.0] * 4
    assert targets(prepared([0.2] * 4, is_cry=False, dataset="donateacry", yamnet_laugh=laughs)) == [0.0] * 4
    assert targets(prepared([0.2] * 4, mn04_laugh=laughs)) == [1.0] * 4


@pytest.mark.parametrize("seed", range(3))
def test_targets_are_probabilities_or_unknown(seed: int) -> None:
    """Random scores of random recordings: every value within 0 to 1, or NaN, and one for each window."""
    rng = np.random.default_rng(seed)
    for is_cry in (True, False, None):
        n = int(rng.integers(1, 40))
        shares = {name: rng.random(n).tolist() for name in ("sound", "tail")}
        scores = [(rng.random(n) ** 4).tolist() for _ in range(2)]
        out = cry_targets(prepared(*scores, is_cry=is_cry, **shares))
        assert out.shape == (n,)
        assert (np.isnan(out) | ((out >= 0) & (out <= 1))).all()
        assert is_cry is not False or not np.isnan(out).any()
