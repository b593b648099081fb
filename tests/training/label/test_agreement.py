"""What people say of a window and what both teachers hear in it, made one number."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from training.label.agreement import LEAST, agreed
from training.label.teachers import MN04_CLASSES, MN04_CRY, YAMNET_CLASSES, YAMNET_CRY

NAN = float("nan")


def tags(mn04: list[float], yamnet: list[float]) -> NDArray[np.float16]:
    """All other classes at one half: they have no say."""
    out = np.full((len(mn04), MN04_CLASSES + YAMNET_CLASSES), 0.5, np.float16)
    out[:, MN04_CRY], out[:, MN04_CLASSES + YAMNET_CRY] = mn04, yamnet
    return out


def after(said: Sequence[float], mn04: list[float], yamnet: list[float]) -> NDArray[np.float32]:
    """What becomes of these windows behind 40 on which all agree."""
    usual = [1.0, 0.0] * 20
    heard = [0.9, 0.001] * 20
    out = agreed(np.array([*usual, *said], np.float32), tags([*heard, *mn04], [*heard, *yamnet]))
    assert out.dtype == np.float32
    return np.asarray(out[len(usual) :])


def test_what_all_agree_on_stays() -> None:
    """A cry that both hear is one, sound that nobody calls a cry is none, though both teachers be taken in."""
    assert after([1.0], [0.9], [0.9])[0] > 0.95
    assert after([0.0, 0.0], [0.0, 0.95], [0.0, 0.95]).tolist() == [0.0, 0.0]


def test_a_cry_that_no_teacher_hears_weighs_less() -> None:
    """It keeps four tenths; half a cry keeps four tenths of its half."""
    assert after([1.0, 0.5], [0.0, 0.0], [0.0, 0.0]) == pytest.approx([LEAST, LEAST / 2], abs=0.05)


def test_what_nobody_has_said_the_teachers_say() -> None:
    """Both, one, none: always a number, and the more the more is heard."""
    both, one, other, none = after([NAN] * 4, [0.9, 0.9, 0.001, 0.001], [0.9, 0.001, 0.9, 0.001]).tolist()
    assert both > 0.9
    assert none < 0.1
    assert none < min(one, other) <= max(one, other) < both


def test_scores_of_nothing_and_of_certainty_are_numbers_too() -> None:
    """0 and 1 in float16 have no logarithm of their odds; they count as nearly so."""
    assert np.isfinite(after([NAN, NAN, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 0.0])).all()
