"""Rules of the peers, window by window: when an alarm is raised, what keeps it, when it ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.types import RATE_HZ, Window
from tests.support.training.alarms import SOUND
from tests.support.training.alarms import heard as spans
from training.streams.false_alarms import Heard
from training.streams.mixing import Stream
from training.streams.peer_rules import HOLD_S, KEEPS_SHARE, Evidence, Votes, rules


def heard(*p_cry: float, length_s: float = 120.0) -> Heard:
    """One window a second, the first ending at 1 s; nothing after the last."""
    ends = [(i + 1) * RATE_HZ for i in range(len(p_cry))]
    windows = [Window("s", end - len(SOUND), SOUND, end / RATE_HZ, end - len(SOUND)) for end in ends]
    samples = np.broadcast_to(np.int16(0), int(length_s * RATE_HZ))
    return Heard(Stream(samples, (), ()), windows, p_cry)


def seconds(alarms: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(start / RATE_HZ, end / RATE_HZ) for start, end in alarms]


def test_votes_among_the_newest() -> None:
    """Two of three: the windows at 2 and 4 s agree, those at 2 and 5 s would not."""
    assert seconds(Votes(2, 3, 0.5).alarms(heard(0.1, 0.6, 0.1, 0.6, 0.1))) == [(4.0, 4.0 + HOLD_S)]
    assert Votes(2, 3, 0.5).alarms(heard(0.1, 0.6, 0.1, 0.1, 0.6)) == []
    assert seconds(Votes(1, 1, 0.6).alarms(heard(0.1, 0.6))) == [(2.0, 2.0 + HOLD_S)]


def test_a_whimper_keeps_an_alarm_and_raises_none() -> None:
    """0.3 is six tenths of 0.5: at 8 s it puts the end off to 18 s, at 10 s and later it would be too late."""
    assert (HOLD_S, KEEPS_SHARE) == (10.0, 0.6)
    calm = [0.0] * 6
    assert seconds(Votes(1, 1, 0.5).alarms(heard(0.5, *calm, 0.3))) == [(1.0, 18.0)]
    assert seconds(Votes(1, 1, 0.5).alarms(heard(0.5, *calm, 0.29))) == [(1.0, 11.0)]
    assert Votes(1, 1, 0.5).alarms(heard(0.3, 0.49)) == []


def test_an_alarm_ends_with_the_stream_and_a_new_one_after_the_hold() -> None:
    """Windows at 1 and 11 s: the first has ended when the second comes; that one is cut at 20 s."""
    assert seconds(Votes(1, 1, 0.5).alarms(heard(0.9, *[0.0] * 9, 0.9, length_s=20.0))) == [(1.0, 11.0), (11.0, 20.0)]


def test_evidence_adds_up_and_leaks_away() -> None:
    """Two windows at most 2 nats each reach a bound of 4; one against between them costs as much as it says."""
    rule = Evidence(neutral=0.5, most=2.0, bound=4.0)
    sure, against = 0.99, 0.01  # log-odds of 4.6, cut to 2
    assert seconds(rule.alarms(heard(sure, sure))) == [(2.0, 12.0)]
    assert rule.alarms(heard(sure, against, sure)) == []
    assert seconds(rule.alarms(heard(against, against, sure, sure))) == [(4.0, 14.0)]  # never below zero
    weak = float(1 / (1 + np.exp(-1.0)))  # one nat each: 4 at the fourth
    assert seconds(rule.alarms(heard(weak, weak, weak, weak + 1e-9))) == [(4.0, 14.0)]


def test_what_is_neutral_is_the_rule_s_own() -> None:
    """A network that never says more than 0.1 is heard all the same: 0.1 over 0.01 is 2.4 nats."""
    assert Evidence(0.5, 4.0, 2.0).alarms(heard(0.1, 0.1)) == []
    assert seconds(Evidence(0.01, 4.0, 2.0).alarms(heard(0.1, 0.0))) == [(1.0, 11.0)]


def test_evidence_of_a_long_cry_is_gone_with_it() -> None:
    """It is never over the bound, so that one window against it suffices: no second alarm after the hold."""
    rule = Evidence(0.5, 4.0, 2.0)
    assert seconds(rule.alarms(heard(*[0.9] * 30, *[0.4] * 30))) == [(1.0, 40.0)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from(list(rules())))
def test_alarms_follow_each_other(p_cry: list[float], rule: Votes | Evidence) -> None:
    """In order, each raised at the end of a window and open for the hold at least, none within another."""
    one = heard(*p_cry)
    alarms = rule.alarms(one)
    ends = {window.end for window in one.windows}
    assert all(start in ends for start, _ in alarms)
    assert all(end - start >= HOLD_S * RATE_HZ for start, end in alarms)
    assert all(end <= later for (_, end), (later, _) in pairwise(alarms))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Votes(1, 1, 0.5), "any window at 0.5"),
        (Votes(2, 4, 0.1), "2 of 4 windows at 0.1"),
        (Evidence(0.1, 2.0, 4.0), "evidence of 4 over 0.1, 2 a window"),
    ],
)
def test_rules_in_words(rule: Votes | Evidence, words: str) -> None:
    """For tables."""
    assert str(rule) == words


def test_every_rule_has_its_own_words() -> None:
    """All are tried once, and what is used today is among them."""
    named = [str(rule) for rule in rules()]
    assert len(set(named)) == len(named)
    assert {"any window at 0.5", "any window at 0.1", "2 of 4 windows at 0.1"} <= set(named)
    assert Votes(1, 1, 0.5).alarms(spans((11, 11))) != []
