"""What a source's samples, its thread and the clock say together, as one fault; and when silence may be believed."""

import pytest

from monitord.faults import Fault
from service.capture.source import SourceState
from service.health.monitor import POLL_S
from service.health.verdict import GRACE_S, LATE_S, LOSING_S, STALL_S, STUCK_S, WAITING_S, Signs, is_heard, judge

S = SourceState


@pytest.mark.parametrize(
    ("state", "samples", "silent_s", "expected"),
    [
        (S.LIVE, "ok", 0.0, "ok"),
        (S.LIVE, "ok", 7.0, "ok"),
        (S.LIVE, "ok", 7.1, "stalled"),
        (S.LIVE, "digital_silence", 0.0, "digital_silence"),
        (S.LIVE, "flat", 0.0, "flat"),
        (S.LIVE, "clipping", 0.0, "clipping"),
        (S.LIVE, "clipping", 8.0, "stalled"),  # what was heard before says nothing of now
        (S.STARTING, "ok", 5.0, "ok"),  # not online either: nothing was heard yet
        (S.STARTING, "ok", 7.1, "stalled"),
        (S.RECONNECTING, "ok", 3.0, "ok"),  # a hiccup
        (S.RECONNECTING, "ok", 3.1, "reconnecting"),
        (S.RECONNECTING, "ok", 60.0, "reconnecting"),
        (S.RECONNECTING, "flat", 1.0, "flat"),
        (S.AUTH_FAILED, "ok", 0.0, "auth_failed"),
        (S.AUTH_FAILED, "flat", 60.0, "auth_failed"),
        (S.DECODE_ERROR, "ok", 0.0, "decode_error"),
        (S.DECODE_ERROR, "ok", 60.0, "decode_error"),
        (S.ENDED, "ok", 60.0, "ok"),  # a file that is over is no fault
    ],
)
def test_one_fault_is_named(state: SourceState, samples: Fault, silent_s: float, expected: Fault) -> None:
    """The thread's own word first, then the clock's, then the samples'."""
    assert judge(Signs(state, samples, silent_s)) == expected


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(S.LIVE, wrong_rate=True), "wrong_rate"),
        (Signs(S.LIVE, "digital_silence", wrong_rate=True), "digital_silence"),
        (Signs(S.LIVE, silent_s=8.0, wrong_rate=True), "stalled"),
        (Signs(S.LIVE, waiting_s=6.0, late_s=LATE_S), "ok"),  # a burst
        (Signs(S.LIVE, waiting_s=6.0, late_s=LATE_S + 0.1), "overload"),
        (Signs(S.LIVE, heard_badly=True), "intermittent"),
        (Signs(S.LIVE, heard_badly=True, samples="flat"), "flat"),
        (Signs(S.RECONNECTING, heard_badly=True, silent_s=GRACE_S + 0.1), "reconnecting"),
        (Signs(S.LIVE, "flat", waiting_s=6.0, late_s=9.0), "flat"),
        (Signs(S.LIVE, "flat", silent_s=8.0, stuck=True), "stuck"),
        (Signs(S.AUTH_FAILED, stuck=True), "stuck"),  # whatever else is wrong, nobody listens at all
    ],
)
def test_what_the_whole_daemon_cannot_do(signs: Signs, expected: Fault) -> None:
    """A worker that is stuck is first; one that is late is last, for it hears."""
    assert judge(signs) == expected


def test_every_fault_is_visible_within_ten_seconds() -> None:
    """The longest wait plus the longest time until somebody looks: the promise to a parent."""
    assert max(STALL_S, GRACE_S, STUCK_S, WAITING_S + LATE_S) + 2 * POLL_S < 10.0


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("fault", ["ok", "stalled", "flat"])
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_silence_is_believed_only_of_a_source_that_is_heard(
    *, state: SourceState, fault: Fault, heard: bool, enabled: bool
) -> None:
    """Online means: heard at least once, switched on, without a fault, and not over."""
    expected = heard and enabled and fault == "ok" and state is not S.ENDED
    assert is_heard(Signs(state), fault, ever=heard, enabled=enabled) is expected


def test_a_source_that_is_heard_late_is_heard() -> None:
    """Its alarms are not held back, until it is about to lose sound."""
    late, losing = Signs(S.LIVE, waiting_s=WAITING_S), Signs(S.LIVE, waiting_s=LOSING_S)
    assert is_heard(late, "overload", ever=True, enabled=True)
    assert not is_heard(losing, "overload", ever=True, enabled=True)
