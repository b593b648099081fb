"""Windows of a whole recording: those that the daemon's own ear makes, or one that is cut at a sample."""

from dataclasses import replace

import numpy as np

from monitord.listening.gate import GateParams
from monitord.listening.listener import Listener, ListenerParams
from monitord.types import RATE_HZ, AudioChunk, Pcm, Segment, Window


def hear(samples: Pcm, params: ListenerParams) -> tuple[list[Window], list[Segment]]:
    """Runs the daemon's ear over one whole recording, int16 at 16 kHz."""
    listener = Listener("recording", params)
    out = listener.feed(AudioChunk("recording", RATE_HZ, 0, samples, 0.0)) + listener.flush()
    return [item for item in out if isinstance(item, Window)], [item for item in out if isinstance(item, Segment)]


def all_windows(params: ListenerParams) -> ListenerParams:
    """The same ear, told that every room is noisy: it drops no window of the grid."""
    gate: GateParams = replace(params.gate, noisy_dbfs=-1000.0)
    return replace(params, gate=gate)


def cut(samples: Pcm, end: int, length: int) -> Pcm:
    """Cuts int16 [length] that ends at `end`, zeros where the recording does not reach."""
    out = np.zeros(length, np.int16)
    have = samples[max(0, end - length) : max(0, end)]
    if len(have):
        first = max(0, length - end)
        out[first : first + len(have)] = have
    return out
