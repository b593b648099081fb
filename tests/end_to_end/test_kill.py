"""The daemon and its broker are killed at random instants while rooms cry: all that was printed arrives."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.daemon.chaos import Chaos, Verdict

pytestmark = pytest.mark.e2e

LANES, KILLS = 3, 5
"""Side by side, and in each; `tests/bench/soak --kills 300` is the long one."""


def test_nothing_is_lost_and_all_that_started_ends(tmp_path: Path) -> None:
    """Every printed line arrives, in order, once by its id; each tally is conserved; no episode is left open."""
    lanes = [Chaos(tmp_path / str(lane), seed=lane) for lane in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        verdict = sum(pool.map(lambda lane: lane.run(KILLS), lanes), Verdict())
    assert verdict.faults == []
    assert verdict.kills + verdict.stops == LANES * KILLS
    # Chance could leave nothing to compare: then the test would prove nothing.
    assert verdict.printed > KILLS
    assert verdict.episodes > 0
    assert verdict.broker_ends > 0
