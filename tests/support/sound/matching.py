"""Whether what was heard is what was played: waiting for it, collecting it, and finding it."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from monitord.types import AudioChunk, Pcm
from service.capture.inbox import Inbox
from service.capture.source import Source, SourceState
from tests.support.patience import PATIENCE_S


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds; fails saying what it waited for."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s:g} s for {what}"
        time.sleep(0.02)


def wait_for_state(source: Source, state: SourceState) -> None:
    """Waits until the source is in this state."""
    deadline = time.monotonic() + PATIENCE_S
    while source.status().state is not state:
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s for {state}, it is {source.status()}"
        time.sleep(0.02)


def drain(inbox: Inbox) -> list[AudioChunk]:
    """Takes all that is in the inbox."""
    chunks = []
    while (chunk := inbox.read()) is not None:
        chunks.append(chunk)
    return chunks


def listen(inbox: Inbox, duration_s: float) -> list[AudioChunk]:
    """Takes chunks until they hold so many seconds."""
    chunks: list[AudioChunk] = []

    def enough() -> bool:
        chunks.extend(drain(inbox))
        return sum(len(chunk.samples) / chunk.rate_hz for chunk in chunks) >= duration_s

    wait_for(enough, f"{duration_s:g} s of sound")
    return chunks


def joined(chunks: list[AudioChunk]) -> Pcm:
    """One array of all samples, int16 [n]."""
    return np.concatenate([chunk.samples for chunk in chunks])


def find(part: Pcm, heard: Pcm) -> tuple[int, float]:
    """Returns where the part fits best, and how well: 1 is the same up to its level, 0 is nothing of it."""
    part_f, heard_f = part.astype(np.float64), heard.astype(np.float64)
    products = correlate(heard_f, part_f, mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(heard_f**2)])
    energies = energy[len(part) :] - energy[: -len(part)]
    fits: NDArray[np.float64] = np.abs(products) / np.sqrt(np.maximum(energies, 1.0) * np.sum(part_f**2))
    return int(fits.argmax()), float(fits.max())
