"""A simulation of many rooms with one worker: what lag to expect, from measured costs. NumPy only, no clock.

The worker of the daemon goes round after round: it takes what waits in every room, at most a second of each, hears it,
scores all its windows in one pass, and begins again, at once where more waits, else after its pace. So does this, in
simulated seconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.24
"""Between two windows of a room with sound (seconds)."""
MOST_S = 1.0
"""Sound of one room that one round takes at most (seconds)."""
ROUNDING = 1e-9
"""Chunks: a chunk that comes this moment is here."""
RING_S = 30.0
"""Sound of one room that can wait (seconds); then the oldest is lost."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured CPU time."""

    round_ms: float
    """Of a round of the worker, whatever waits (milliseconds)."""
    chunk_ms: float
    """Of the worker for each chunk: gate, VAD, segments (milliseconds)."""
    window_python_ms: float
    """Of the worker for each window, under Python's lock: front end, tracker (milliseconds)."""
    window_network_ms: float
    """Of the worker for each window in the network, which frees the lock (milliseconds)."""
    capture_ms: float
    """Of the room's own thread for each chunk: read, pace, write (milliseconds)."""
    decode_ms: float = 0.0
    """Of the room's decoder for each chunk, outside of the process (milliseconds)."""
    tell_ms: float = 0.0
    """Of everything else in the daemon for each chunk: levels, MQTT, outbox, monitor (milliseconds)."""
    chunk_s: float = 0.1
    """Length of a chunk (seconds)."""
    pace_s: float = 0.0
    """From the end of a round after which nothing waits to the next one, at least (seconds)."""

    def cores(self, rooms: int, share: float) -> float:
        """Cores that all threads together take, with sound in this share of the time."""
        chunks = (self.chunk_ms + self.capture_ms + self.decode_ms + self.tell_ms) / self.chunk_s
        windows = share * (self.window_python_ms + self.window_network_ms) / HOP_S
        return rooms * (chunks + windows) / 1e3

    def python(self, rooms: int, share: float) -> float:
        """Share of the time in which some thread holds Python's lock; at 1 there is no more to get from one process."""
        chunks = (self.chunk_ms + self.capture_ms + self.tell_ms) / self.chunk_s
        return rooms * (chunks + share * self.window_python_ms / HOP_S) / 1e3


@dataclass(frozen=True, slots=True)
class Lags:
    """What came out."""

    windows_s: NDArray[np.float64]
    """By window, from the end of its sound to its score (seconds)."""
    lost_s: float
    """Sound that was overwritten, of all rooms together (seconds)."""
    busy: float
    """Share of the time in which the worker worked."""

    def percentiles_s(self) -> tuple[float, float, float]:
        """At 50, 95 and 99 percent; zeros where there was no window."""
        if not len(self.windows_s):
            return 0.0, 0.0, 0.0
        p50, p95, p99 = np.percentile(self.windows_s, (50, 95, 99)).tolist()
        return p50, p95, p99


def simulate(costs: Costs, rooms: int, *, on_s: float, off_s: float, duration_s: float = 120.0, seed: int = 1) -> Lags:
    """Lets so many rooms with sound that comes and goes be heard by one worker.

    Args:
        costs: Measured.
        rooms: That are heard.
        on_s: Mean length of sound (seconds, exponential).
        off_s: Mean length of quiet between; 0: sound without an end.
        duration_s: Simulated seconds; the first tenth does not count.
        seed: The same seed, the same night.
    """
    rng = np.random.default_rng(seed)
    chunk_s = costs.chunk_s
    most, ring, chunks = round(MOST_S / chunk_s), round(RING_S / chunk_s), round(duration_s / chunk_s)
    phase_s = rng.uniform(0.0, chunk_s, rooms)  # of each room's chunks: chunk k is there at phase + (k + 1) * chunk_s
    due, early_s = _due(rng, rooms, chunks, chunk_s=chunk_s, on_s=on_s, off_s=off_s)
    # The other threads hold Python's lock for this share, and the worker's own Python takes longer by it.
    others = min(0.95, rooms * costs.capture_ms / chunk_s / 1e3)
    taken = np.zeros(rooms, np.int64)  # chunks that the worker has taken or lost
    lags: list[NDArray[np.float64]] = []
    now_s, busy_s, lost = 0.0, 0.0, 0
    while now_s < duration_s:
        here = np.clip(((now_s - phase_s) / chunk_s + ROUNDING).astype(np.int64), 0, chunks)
        over = np.maximum(here - taken - ring, 0)
        lost, taken = lost + int(over.sum()), taken + over
        ends = np.minimum(here, taken + most)
        if (count := int((ends - taken).sum())) == 0:
            if (taken == chunks).all():
                break
            now_s = max(now_s + costs.pace_s, float((phase_s + (taken + 1) * chunk_s)[taken < chunks].min()))
            continue
        index = taken[:, None] + np.arange(most)  # [rooms, most]
        inside = np.minimum(index, chunks - 1)
        scored = (index < ends[:, None]) & np.take_along_axis(due, inside, axis=1)
        at_s = (phase_s[:, None] + (index + 1) * chunk_s - np.take_along_axis(early_s, inside, axis=1))[scored]
        python_ms = costs.round_ms + count * (costs.chunk_ms + costs.tell_ms) + len(at_s) * costs.window_python_ms
        took_s = (python_ms / (1.0 - others) + len(at_s) * costs.window_network_ms) / 1e3
        now_s, busy_s, taken = now_s + took_s, busy_s + took_s, ends
        lags.append(now_s - at_s[at_s > duration_s / 10])
    return Lags(np.concatenate(lags) if lags else np.empty(0), lost * chunk_s, busy_s / now_s)


def _due(
    rng: np.random.Generator, rooms: int, chunks: int, *, chunk_s: float, on_s: float, off_s: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Says by room and chunk whether a window ends in it, and how long before the chunk's own end (seconds)."""
    sound = np.ones((rooms, chunks), np.bool_)
    for row in sound if off_s else ():
        at_s, loud = 0.0, bool(rng.random() < on_s / (on_s + off_s))
        while at_s < chunks * chunk_s:
            lasts_s = rng.exponential(on_s if loud else off_s)
            row[round(at_s / chunk_s) : round((at_s + lasts_s) / chunk_s)] = loud
            at_s, loud = at_s + lasts_s, not loud
    ends_s = (np.arange(chunks) + 1) * chunk_s + rng.uniform(0.0, HOP_S, (rooms, 1))
    early_s = np.mod(ends_s, HOP_S)
    return sound & (early_s < chunk_s), early_s
