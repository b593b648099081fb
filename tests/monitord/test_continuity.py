"""A source that comes and goes: the budget of five minutes, and what is no flapping."""

import pytest

from monitord.continuity import Continuity, ContinuityParams

PARAMS = ContinuityParams()


def follow(up_s: float, down_s: float, total_s: float, continuity: Continuity | None = None) -> list[bool]:
    """A source that is heard for `up_s`, lost for `down_s`, and so on; looked at twice a second."""
    continuity = continuity or Continuity()
    seen, heard_s, losses, was_up = [], 0.0, 0, True
    for step in range(round(total_s * 2)):
        up = (step / 2) % (up_s + down_s) < up_s
        losses += was_up and not up
        was_up = up
        heard_s += 0.5 * up
        continuity.feed(step / 2, heard_s, losses)
        seen.append(continuity.heard_badly)
    return seen


def test_a_source_that_is_always_there_is_heard_well() -> None:
    """For an hour."""
    assert not any(follow(1e9, 0.0, 3600.0))


@pytest.mark.parametrize(("up_s", "down_s"), [(8.0, 7.0), (8.0, 2.0), (30.0, 5.0), (2.0, 1.0)])
def test_a_source_that_comes_and_goes_is_heard_badly(up_s: float, down_s: float) -> None:
    """As soon as a tenth of five minutes is missing, and for as long as it goes on."""
    seen = follow(up_s, down_s, 1200.0)
    missing_from_s = 30.0 * (up_s + down_s) / down_s
    assert not any(seen[: round(2 * (missing_from_s - up_s - down_s))])
    assert all(seen[round(2 * (max(missing_from_s, 3 * (up_s + down_s)) + up_s + down_s)) :])


@pytest.mark.parametrize(("up_s", "down_s"), [(60.0, 2.0), (290.0, 10.0), (120.0, 9.0)])
def test_what_is_nearly_always_there_is_heard_well(up_s: float, down_s: float) -> None:
    """Less than a tenth is missing."""
    assert not any(follow(up_s, down_s, 3600.0))


def test_one_long_outage_is_not_flapping() -> None:
    """A router that restarts has a fault of its own, and is forgotten when it is back."""
    assert not any(follow(600.0, 120.0, 1400.0))


def test_it_recovers() -> None:
    """Once nine tenths of the last five minutes were heard."""
    continuity = Continuity()
    assert follow(8.0, 4.0, 600.0, continuity)[-1]
    heard_s, losses = 400.0, 50
    after = []
    for step in range(1200, 2400):
        heard_s += 0.5
        continuity.feed(step / 2, heard_s, losses)
        after.append(continuity.heard_badly)
    assert after[0]
    assert not after[-1]
    assert after.index(False) / 2 <= PARAMS.span_s
