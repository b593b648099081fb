"""How hard an episode is cried: the mean while it is young, then the highest mean over five seconds of crying."""

import numpy as np
import pytest

from monitord.intensity import HARD_FROM, WINDOWS, Intensity, is_hard
from monitord.types import Scores

HOP = 3_840
"""Samples at 16 kHz between windows: 0.24 s."""


def cry(intensity: Intensity, distress: list[float | None], *, start: int = 0, p_cry: float = 0.9) -> int:
    """Lets it hear windows one after the other; returns where the last one ends."""
    for i, one in enumerate(distress):
        scores = Scores("room", 0, p_cry, np.full(4, 0.25, np.float32), 1, "abc", distress=one)
        intensity.window(start + (i + 1) * HOP, scores)
    return start + len(distress) * HOP


def test_five_seconds_are_the_windows_that_count() -> None:
    """The number of windows is that of five seconds on the daemon's hop."""
    assert abs(WINDOWS * HOP / 16_000 - 5.0) < 0.24 / 2


def test_nothing_cried_is_not_known() -> None:
    """Neither silence, nor a bundle that does not know, is a cry without distress."""
    intensity = Intensity()
    assert intensity.distress is None
    cry(intensity, [None] * 30)
    cry(intensity, [0.9] * 30, p_cry=0.49)
    assert intensity.distress is None


def test_a_young_cry_is_the_mean_of_all_of_it() -> None:
    """Before five seconds were cried it may rise and fall; a surer cry weighs more."""
    intensity = Intensity()
    end = cry(intensity, [0.9, 0.5])
    assert intensity.distress == pytest.approx(0.7)
    cry(intensity, [0.1], start=end, p_cry=0.6)
    assert intensity.distress == pytest.approx((0.9 * 0.9 + 0.9 * 0.5 + 0.6 * 0.1) / 2.4)


def test_one_shriek_is_not_hard_and_a_calm_minute_does_not_undo_a_hard_one() -> None:
    """After five seconds the highest mean stays."""
    intensity = Intensity()
    end = cry(intensity, [0.2] * 40)
    end = cry(intensity, [1.0], start=end)
    assert intensity.distress == pytest.approx((20 * 0.2 + 1.0) / WINDOWS)
    end = cry(intensity, [0.9] * WINDOWS, start=end)
    assert intensity.distress == pytest.approx((20 * 0.9 + 1.0) / WINDOWS, abs=0.01)
    highest = intensity.distress
    cry(intensity, [0.1] * 300, start=end)
    assert intensity.distress == highest


def test_an_episode_begins_with_its_own_sound() -> None:
    """What was heard before its first sound belongs to no cry of it; what led to it does."""
    intensity = Intensity()
    end = cry(intensity, [0.9] * 30)
    cry(intensity, [0.3] * 6, start=end + 160_000)
    intensity.begin(end + 160_000)
    assert intensity.distress == pytest.approx(0.3)


@pytest.mark.parametrize(("distress", "hard"), [(None, False), (HARD_FROM - 0.001, False), (HARD_FROM, True)])
def test_hard_is_said_from_the_bound_on(distress: float | None, hard: bool) -> None:  # noqa: FBT001 - a table
    """What is not known is not said."""
    assert is_hard(distress) is hard
