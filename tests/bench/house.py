"""A simulation of many rooms with one worker: what lag to expect, from measured costs. NumPy only, no clock.

The worker of the daemon goes round after round: it takes what waits in every room, at most a second of each, hears it,
scores all its windows in one pass, and begins again. So does this, in simulated seconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHUNK_S = 0.1
"""In which sound comes (seconds)."""
HOP_S = 0.24
"""Between two windows of a room with sound (seconds)."""
MOST_CHUNKS = 10
"""Of one room in one round: a second."""
ROUNDING = 1e-9
"""Chunks: a chunk that comes this moment is here."""
RING_CHUNKS = 300
"""Of one room that can wait: 30 s; then the oldest are lost."""


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
    """Of the room's own thread for each chunk: read, decode, write (milliseconds)."""
    tell_ms: float = 0.0
    """Of outbox and MQTT for each second of a room (milliseconds)."""

    def cores(self, rooms: int, share: float) -> float:
        """Cores that all threads together take, with sound in this share of the time."""
        chunks = (self.chunk_ms + self.capture_ms) / CHUNK_S
        windows = share * (self.window_python_ms + self.window_network_ms) / HOP_S
        return rooms * (chunks + windows + self.tell_ms) / 1e3

    def python(self, rooms: int, share: float) -> float:
        """Share of the time in which some thread holds Python's lock; at 1 there is no more to get from one process."""
        chunks = (self.chunk_ms + self.capture_ms) / CHUNK_S
        return rooms * (chunks + share * self.window_python_ms / HOP_S + self.tell_ms) / 1e3


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
    chunks = round(duration_s / CHUNK_S)
    phase_s = rng.uniform(0.0, CHUNK_S, rooms)  # of each room's chunks: chunk k is there at phase + (k + 1) * CHUNK_S
    due = _due(rng, rooms, chunks, on_s, off_s)
    # The other threads hold Python's lock for this share, and the worker's own Python takes longer by it.
    others = min(0.95, rooms * (costs.capture_ms / CHUNK_S + costs.tell_ms) / 1e3)
    taken = np.zeros(rooms, np.int64)  # chunks that the worker has taken or lost
    lags: list[NDArray[np.float64]] = []
    now_s, busy_s, lost = 0.0, 0.0, 0
    while now_s < duration_s:
        here = np.clip(((now_s - phase_s) / CHUNK_S + ROUNDING).astype(np.int64), 0, chunks)
        over = np.maximum(here - taken - RING_CHUNKS, 0)
        lost, taken = lost + int(over.sum()), taken + over
        ends = np.minimum(here, taken + MOST_CHUNKS)
        if (count := int((ends - taken).sum())) == 0:
            if (taken == chunks).all():
                break
            now_s = float((phase_s + (taken + 1) * CHUNK_S)[taken < chunks].min())
            continue
        index = taken[:, None] + np.arange(MOST_CHUNKS)  # [rooms, MOST_CHUNKS]
        scored = (index < ends[:, None]) & np.take_along_axis(due, np.minimum(index, chunks - 1), axis=1)
        at_s = (phase_s[:, None] + (index + 1) * CHUNK_S)[scored]
        python_ms = costs.round_ms + count * costs.chunk_ms + len(at_s) * costs.window_python_ms
        took_s = (python_ms / (1.0 - others) + len(at_s) * costs.window_network_ms) / 1e3
        now_s, busy_s, taken = now_s + took_s, busy_s + took_s, ends
        lags.append(now_s - at_s[at_s > duration_s / 10])
    return Lags(np.concatenate(lags) if lags else np.empty(0), lost * CHUNK_S, busy_s / now_s)


def _due(rng: np.random.Generator, rooms: int, chunks: int, on_s: float, off_s: float) -> NDArray[np.bool_]:
    """Says by room and chunk, bool [rooms, chunks], whether a window ends in this chunk."""
    sound = np.ones((rooms, chunks), np.bool_)
    for row in sound if off_s else ():
        at_s, loud = 0.0, bool(rng.random() < on_s / (on_s + off_s))
        while at_s < chunks * CHUNK_S:
            lasts_s = rng.exponential(on_s if loud else off_s)
            row[round(at_s / CHUNK_S) : round((at_s + lasts_s) / CHUNK_S)] = loud
            at_s, loud = at_s + lasts_s, not loud
    index = np.arange(chunks)
    phase_s = rng.uniform(0.0, HOP_S, (rooms, 1))
    ends = np.floor((index * CHUNK_S + phase_s) / HOP_S) != np.floor(((index + 1) * CHUNK_S + phase_s) / HOP_S)
    return np.asarray(sound & ends)
