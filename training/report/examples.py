"""Cries to look at: waveform and log-mel spectrogram of one clip for each reason, the paper's Figure 3."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.frontend import HOP, MEL_HZ, N_MELS, FrontendParams, log_mel, waveform
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, REASONS, Pcm
from training.data.clips import ClipSet
from training.report.drawing import COLOURS, SIZE_INCHES, picture, sketch
from training.report.parts import Measured, Picture, Section

COMMAND: Final = "monitord-train report --results RESULTS --clips CLIPS --out report.html"
MOST_POINTS: Final = 500
"""Across a waveform: about one for each pixel that it is drawn on."""
HERTZ: Final = (250, 500, 1000, 2000, 4000, 7000)
"""Marks of the right axis."""


def section(sets: Sequence[ClipSet], frontend: FrontendParams) -> Section:
    """One picture for each reason that a set has clips of."""
    return Section(
        "examples",
        "What the network sees",
        "Above the sound as it was recorded, below the same after the front end: what is left for the network. "
        f"Pre-emphasis {frontend.pre_emphasis:g}, z-score {'on' if frontend.z_score else 'off'}.",
        missing=COMMAND,
        measured=[_measured(clips, frontend) for clips in sets],
    )


def _measured(clips: ClipSet, frontend: FrontendParams) -> Measured:
    chosen = {reason: row for reason in REASONS if (row := example(clips, reason)) is not None}
    drawn = [_draw(clips.cut(row), reason, clips.name, frontend) for reason, row in chosen.items()]
    return Measured(clips.name, clips.synthetic, COMMAND, drawn)


def example(clips: ClipSet, reason: str) -> int | None:
    """The clip with the most sound in it: the largest sum of squares. None where the set has none of the reason."""
    rows = [row for row, clip in enumerate(clips.clips) if clip.label == reason]
    return max(rows, key=lambda row: float(np.sum(clips.cut(row).astype(np.float64) ** 2)), default=None)


def _draw(samples: Pcm, reason: str, name: str, frontend: FrontendParams) -> Picture:
    x = samples.astype(np.float64) / FULL_SCALE
    duration_s = len(x) / RATE_HZ
    patch = log_mel(waveform(x[None], frontend))[0]  # [frames, 64]
    with sketch((SIZE_INCHES[0], 3.3)) as canvas:
        above, below = canvas.subplots(2, 1, sharex=True, height_ratios=(1, 2))
        at_s, low, high = envelope(x)
        above.fill_between(at_s, low, high, color=COLOURS[0], linewidth=0.5)
        above.set(ylabel="amplitude", xlim=(0, duration_s))
        frames_s = len(patch) * HOP / RATE_HZ
        below.imshow(
            patch.T, origin="lower", aspect="auto", cmap="magma", extent=(0, frames_s, 0, N_MELS), interpolation="none"
        )
        below.set(xlabel="seconds", ylabel="mel band", yticks=(0, 16, 32, 48, 64))
        below.grid(visible=False)
        hertz = below.secondary_yaxis("right")
        hertz.set_yticks([band_of(f) for f in HERTZ], [f"{f:g}" for f in HERTZ])
        hertz.set_ylabel("hertz")
        return picture(
            canvas,
            alt=f"Waveform and log-mel spectrogram of a {duration_s:.2f} s clip told as {reason}, {name}.",
            caption=f"{reason.capitalize()}: {duration_s:.2f} s.",
        )


def envelope(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Seconds, lowest and highest value of at most `MOST_POINTS` stretches of float64 [n]."""
    step = max(1, -(-len(x) // MOST_POINTS))
    starts = np.arange(0, len(x), step)
    return starts / RATE_HZ, np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)


def band_of(hertz: float) -> float:
    """Where a frequency lies on the axis of mel bands: the middle of band k lies at k + 0.5."""
    lowest, highest, mel = (1127.0 * np.log1p(f / 700.0) for f in (*MEL_HZ, hertz))  # HTK's scale, as the front end's
    # Bands overlap by half: band k lies between edges k and k + 2 of 66, its middle at edge k + 1.
    return float((mel - lowest) / (highest - lowest) * (N_MELS + 1) - 0.5)
