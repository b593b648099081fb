"""Whether a source that comes and goes is heard enough: a budget over minutes, for what no single loss shows.

A camera that ends every connection after some seconds is back before anybody calls it lost, each time anew; what of
the last minutes was heard says how much of a night is missing.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContinuityParams:
    """When a source is heard badly."""

    span_s: float = 300.0
    """Seconds that are looked back on: a cry that nobody hears in them is a long one."""
    least: float = 0.9
    """Share of them that must have been heard."""
    losses: int = 3
    """Losses in them, at least: one outage has a fault of its own, and is over when it is over."""
    step_s: float = 1.0
    """Seconds between two notes of how much was heard."""


class Continuity:
    """Follows one source."""

    def __init__(self, params: ContinuityParams | None = None) -> None:
        self._params = params or ContinuityParams()
        self._notes: deque[tuple[float, float, int]] = deque()  # when, heard so far, losses so far; oldest first
        self.heard_badly = False
        """Whether too little of the last minutes was heard, in too many pieces."""

    def feed(self, now_s: float, heard_s: float, losses: int) -> None:
        """Takes how the source stands.

        Args:
            now_s: Seconds, on a clock that never jumps.
            heard_s: Sound that came since the start (seconds).
            losses: How often it was lost since the start.
        """
        params, notes = self._params, self._notes
        while len(notes) > 1 and notes[1][0] <= now_s - params.span_s:
            notes.popleft()
        if not notes or now_s - notes[-1][0] >= params.step_s:
            notes.append((now_s, heard_s, losses))
        since_s, heard_then_s, losses_then = notes[0]
        missing_s = (now_s - since_s) - (heard_s - heard_then_s)
        enough = missing_s <= (1.0 - params.least) * params.span_s
        self.heard_badly = not enough and losses - losses_then >= params.losses
