"""What a source's samples, its thread and the clock say together, as one fault; and when silence may be believed."""

import pytest

from monitord.faults import Fault
from service.health import GRACE_S, STALL_S, is_online, judge
from service.sources.base import SourceState
from service.supervisor import LOOK_S

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
    assert judge(state, samples, silent_s) == expected


def test_every_fault_is_visible_within_ten_seconds() -> None:
    """The longest wait plus the longest time until somebody looks: the promise to a parent."""
    assert max(STALL_S, GRACE_S) + 2 * LOOK_S < 10.0


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("fault", ["ok", "stalled", "flat"])
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_silence_is_believed_only_of_a_source_that_is_heard(
    *, state: SourceState, fault: Fault, heard: bool, enabled: bool
) -> None:
    """Online means: heard at least once, switched on, without a fault, and not over."""
    expected = heard and enabled and fault == "ok" and state is not S.ENDED
    assert is_online(state, fault, heard=heard, enabled=enabled) is expected
