"""The bench's simulation of many rooms: what must come out of it whatever the costs are."""

from dataclasses import replace

import numpy as np
import pytest

from tests.bench.scale.simulation import HOP_S, Costs, simulate

COSTS = Costs(round_ms=0.1, chunk_ms=0.02, window_python_ms=0.3, window_network_ms=0.3, capture_ms=0.03)


def test_one_room_waits_for_its_own_window_alone() -> None:
    """With nobody else a window waits for the end of its chunk, 0 to 0.1 s, and for a round with it alone."""
    lags = simulate(COSTS, 1, on_s=1.0, off_s=0.0)
    round_s = ((0.1 + 0.02 + 0.3) / (1 - 0.03 / 100) + 0.3) / 1e3
    assert lags.windows_s.min() == pytest.approx(round_s, abs=0.02)
    assert lags.windows_s.max() == pytest.approx(0.1 + round_s, abs=0.02)
    assert len(lags.windows_s) == pytest.approx(0.9 * 120 / HOP_S, abs=2)


def test_overloaded_worker_falls_behind_and_loses_sound() -> None:
    """Past its limit the lag grows to the ring's length, and what is overwritten is counted."""
    rooms = 1000
    assert COSTS.cores(rooms, 1.0) > 2
    lags = simulate(COSTS, rooms, on_s=1.0, off_s=0.0, duration_s=60.0)
    assert lags.percentiles_s()[0] > 2.0
    assert lags.lost_s > 0
    assert lags.busy > 0.99


def test_quiet_rooms_cost_no_windows() -> None:
    """Rooms with sound a tenth of the time have about a tenth of the windows."""
    always = simulate(COSTS, 50, on_s=1.0, off_s=0.0, duration_s=20.0)
    seldom = simulate(COSTS, 50, on_s=1.0, off_s=9.0, duration_s=20.0)
    assert len(seldom.windows_s) / len(always.windows_s) == pytest.approx(0.1, abs=0.05)
    assert seldom.lost_s == 0


def test_same_seed_gives_the_same_night() -> None:
    """Two runs are equal to the last lag."""
    first, second = (simulate(COSTS, 20, on_s=5.0, off_s=5.0, duration_s=30.0) for _ in range(2))
    assert np.array_equal(first.windows_s, second.windows_s)


def test_pace_holds_a_window_back_by_less_than_itself() -> None:
    """A worker that rests after each round makes the longest lag longer by its rest, and hears all the same."""
    at_once = simulate(COSTS, 20, on_s=1.0, off_s=0.0, duration_s=20.0)
    paced = simulate(replace(COSTS, pace_s=0.1), 20, on_s=1.0, off_s=0.0, duration_s=20.0)
    assert 0.05 < paced.windows_s.max() - at_once.windows_s.max() < 0.11
    assert paced.lost_s == 0
    assert paced.busy < at_once.busy
