"""Sound against the clock: a rate that is not the stated one is found; what networks do to sound is none."""

import numpy as np
import pytest

from monitord.arrival import ArrivalParams, ArrivalWatch

LIMIT_S = 9.0
"""Seconds in which a wrong rate must be seen: ten, less the time until somebody looks."""

Arrivals = list[tuple[float, int]]
"""When (monotonic seconds), and how many samples."""


def seen_s(arrivals: Arrivals) -> float | None:
    """How long after the first sound its rate was called wrong (seconds), where 16 kHz is stated; None: never."""
    watch = ArrivalWatch()
    for now_s, n in arrivals:
        watch.feed(n, 16_000, now_s)
        if watch.wrong:
            return now_s - arrivals[0][0]
    return None


def steady(rate_hz: float, duration_s: float = 60.0, *, buffer_s: float = 0.05, jitter_s: float = 0.0) -> Arrivals:
    """Buffers of a device that really records at `rate_hz`, each late by up to `jitter_s`."""
    n = round(16_000 * buffer_s)
    times = np.arange(1, int(duration_s * rate_hz / n)) * n / rate_hz
    late = np.sort(times + jitter_s * np.random.default_rng(1).random(len(times)))
    return [(1_000.0 + float(at), n) for at in late]


@pytest.mark.parametrize("rate_hz", [8_000, 14_700, 17_415, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("buffer_s", [0.02, 0.05, 0.1])
def test_a_wrong_rate_is_seen(rate_hz: int, buffer_s: float) -> None:
    """44.1 kHz taken for 48, either way, and worse: within ten seconds, with the buffers of any device."""
    found_s = seen_s(steady(rate_hz, buffer_s=buffer_s))
    assert found_s is not None
    assert found_s < LIMIT_S


@pytest.mark.parametrize("share", [1.0, 1.0 + 1e-3, 1.0 - 1e-3, 1.02])
@pytest.mark.parametrize("jitter_s", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("buffer_s", [0.05, 0.1, 0.4])
def test_a_right_rate_is_right(share: float, jitter_s: float, buffer_s: float) -> None:
    """Bad crystals, busy machines and codecs with long frames are no fault in half an hour."""
    assert seen_s(steady(16_000 * share, 1_800.0, jitter_s=jitter_s, buffer_s=buffer_s)) is None


@pytest.mark.parametrize("rate_hz", [14_700, 16_000, 17_415])
def test_sound_that_is_taken_twice_a_second(rate_hz: int) -> None:
    """A calm house takes what has come at each half second, and now and then some milliseconds late."""
    rng = np.random.default_rng(2)
    taken = [(float(at + 0.02 * rng.random()), rate_hz // 2) for at in np.arange(500.0, 560.0, 0.5)]
    found_s = seen_s(taken)
    assert (found_s is None) == (rate_hz == 16_000)
    assert found_s is None or found_s < LIMIT_S


def test_bursts_are_no_wrong_rate() -> None:
    """Segments of two or six seconds, a greeting at once, and a stall with what was kept meanwhile."""
    rest = steady(16_000)
    greeting = [(rest[0][0] - 0.1, 160), (rest[0][0] - 0.05, 16_000 * 10), *rest]
    stalled = [(1_025.0 if 1_010.0 < at < 1_025.0 else at, n) for at, n in rest]
    for length_s in (2, 6):
        assert seen_s([(float(at), 16_000 * length_s) for at in range(0, 600, length_s)]) is None
    assert seen_s(greeting) is None
    assert seen_s(stalled) is None


def test_it_ends_with_the_right_rate() -> None:
    """A device that finds its rate again is well soon, and one that was away begins anew."""
    watch = ArrivalWatch()
    for now_s, n in steady(8_000, 20.0):
        watch.feed(n, 16_000, now_s)
    assert watch.wrong
    for now_s, n in steady(16_000, 6.0):
        watch.feed(n, 16_000, now_s + 20.0)
    assert not watch.wrong
    for now_s, n in steady(8_000, 20.0):
        watch.feed(n, 16_000, now_s + 100.0)
    assert watch.wrong
    watch.feed(800, 16_000, 2_000.0)
    assert not watch.wrong


def test_the_tolerance_lies_between_a_buffer_and_the_next_rate() -> None:
    """What it rests on: the counts of a right rate differ by a buffer in all, and 44.1 kHz is not 48."""
    params = ArrivalParams()
    assert 0.1 / (params.slots * params.slot_s) < params.tolerance < 1 - 44_100 / 48_000
