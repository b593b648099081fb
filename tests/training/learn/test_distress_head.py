"""The head for distress: every baby weighs the same, the one left out has no say, and its word is a probability."""

import numpy as np
import pytest

from training.learn.distress_head import Cries, Heard, Ridge, leave_one_baby_out, pooled, window_weights

BABIES = 8


def cries(each: int = 4) -> Cries:
    """So many baths and as many vaccinations of each baby."""
    baby = np.repeat(np.arange(BABIES), 2 * each)
    return Cries(baby, np.tile(np.repeat([False, True], each), BABIES))


def heard(of: Cries, hardness: float, *, windows: int = 5, seed: int = 0) -> Heard:
    """Three features, of which the first tells, and the second only who the baby is."""
    rng = np.random.default_rng(seed)
    recording = np.repeat(np.arange(len(of.baby)), windows)
    x = rng.normal(size=(len(recording), 3))
    x[:, 0] += hardness * of.hard[recording]
    x[:, 1] += 10.0 * of.baby[recording]
    return Heard(x.astype(np.float32), rng.uniform(0.5, 1.0, len(recording)).astype(np.float32), recording)


def test_what_tells_is_found_and_calibrated_on_babies_never_heard() -> None:
    """A probability of a half lies between the two kinds, and sure recordings are far from it."""
    of = cries()
    sound = heard(of, 3.0)
    p = pooled(leave_one_baby_out(of, [sound, heard(of, 3.0, seed=1)]).probabilities(of, sound), sound, len(of.baby))
    assert (p[of.hard] > 0.5).all()
    assert (p[~of.hard] < 0.5).all()
    assert p[of.hard].mean() > 0.9
    assert p[~of.hard].mean() < 0.1


def test_the_baby_left_out_has_no_say() -> None:
    """Whatever it cried, and whatever it was said to be, the head without it is the same."""
    of = cries()
    sound = heard(of, 1.0)
    mine = of.baby == 2
    strange = Heard(np.where(mine[sound.recording, None], 99.0, sound.features), sound.p_cry, sound.recording)
    turned = Cries(of.baby, of.hard ^ mine)
    first, second = Ridge(of, [sound]).fit(without=2), Ridge(turned, [strange]).fit(without=2)
    np.testing.assert_array_equal(first.kernel, second.kernel)
    assert not np.allclose(Ridge(of, [sound]).fit().kernel, Ridge(turned, [strange]).fit().kernel)


def test_one_solution_is_ridge_regression() -> None:
    """Against the textbook's, on standardised features."""
    of = cries(each=1)
    sound = heard(of, 1.0)
    weight = window_weights(of, sound)
    weight /= weight.sum()
    x = sound.features.astype(np.float64)
    mean = weight @ x
    scale = np.sqrt(weight @ (x - mean) ** 2)
    z, y = (x - mean) / scale, np.where(of.hard[sound.recording], 1.0, -1.0)
    expected = np.linalg.solve(z.T @ (z * weight[:, None]) + 0.5 * np.eye(3), z.T @ (weight * (y - weight @ y)))
    found = Ridge(of, [sound]).fit()
    np.testing.assert_allclose(found.kernel * scale, expected, rtol=1e-9)
    np.testing.assert_allclose(weight @ found.scores(sound), weight @ y, atol=1e-9)


def test_every_baby_and_each_of_its_recordings_weigh_the_same() -> None:
    """However many recordings a baby has, and however many windows one of them has."""
    of = Cries(np.array([0, 0, 0, 1, 1]), np.array([True, False, False, True, False]))
    recording = np.array([0, 1, 1, 1, 2, 3, 3, 4])
    sound = Heard(np.zeros((8, 1), np.float32), np.ones(8, np.float32), recording)
    weight = window_weights(of, sound)
    assert [weight[recording == i].sum() for i in range(5)] == pytest.approx([1, 0.5, 0.5, 1, 1])
    faint = Heard(sound.features, np.full(8, 0.01, np.float32), recording)
    assert window_weights(of, faint).max() <= 0.01  # what is hardly a cry does not count as a whole one


def test_a_recording_is_the_mean_of_its_cries() -> None:
    """Windows weigh in by their probability of a cry."""
    sound = Heard(np.zeros((3, 1), np.float32), np.array([0.9, 0.1, 0.5], np.float32), np.array([0, 0, 1]))
    np.testing.assert_allclose(pooled(np.array([1.0, 0.0, 0.4]), sound, 2), [0.9, 0.4], rtol=1e-6)
