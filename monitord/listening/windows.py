"""Where the network looks: windows of 15,600 samples that end on a fixed grid while there is sound.

Training and serving place them here and nowhere else.
"""

from dataclasses import dataclass
from typing import Final

WINDOW_SAMPLES: Final = 15_600
"""Samples at 16 kHz: 96 frames of 25 ms on a 10 ms hop, 400 + 95 * 160; one VGGish patch."""


@dataclass(frozen=True, slots=True)
class WindowParams:
    """Acoustic: pinned by the model bundle. Changing one means re-training."""

    hop_frames: int = 12
    """Frames of the segmenter between two windows: 0.24 s, 24 log-mel hops; four looks a second leave the decision
    three windows well inside 1.5 s."""


def is_due(frame: int, params: WindowParams) -> bool:
    """Says whether a window ends after this frame (counted from 0 at the start of the stream or after a gap)."""
    return (frame + 1) % params.hop_frames == 0
