"""Whether a source is heard: what its samples, its thread and the clock say together. Pure."""

from typing import Final

from monitord.faults import Fault
from service.sources.base import SourceState

STALL_S: Final = 7.0
"""Seconds without a sample after which a source is stalled: a fault must be visible within 10 s, and the supervisor
looks twice a second."""
GRACE_S: Final = 3.0
"""Seconds that a source may take to reconnect before it is told: a hiccup of the Wi-Fi is not worth waking for."""


def judge(state: SourceState, samples: Fault, silent_s: float) -> Fault:
    """Names the fault of a source.

    Args:
        state: What its capture thread is doing.
        samples: What the samples themselves say.
        silent_s: Seconds since the worker last heard a sample of it, or since the start where it never did.
    """
    if state is SourceState.AUTH_FAILED:
        return "auth_failed"
    if state is SourceState.DECODE_ERROR:
        return "decode_error"
    if state is SourceState.RECONNECTING and silent_s > GRACE_S:
        return "reconnecting"
    if state is not SourceState.ENDED and silent_s > STALL_S:
        return "stalled"
    return samples


def is_online(state: SourceState, fault: Fault, *, heard: bool, enabled: bool) -> bool:
    """Whether silence from this source means that the baby is quiet: only then may `crying` be believed."""
    return heard and enabled and fault == "ok" and state is not SourceState.ENDED
