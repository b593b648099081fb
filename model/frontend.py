"""The front end: int16 sound to VGGish's log-mel patches, in NumPy, one implementation for training and serving.

Pre-emphasis and z-score are the method's; the rest is VGGish's own (tensorflow/models, research/audioset/vggish,
vggish_params.py and mel_features.py, whose constants are cited below).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm

FRAME: Final = 400
"""Samples: 25 ms at 16 kHz (STFT_WINDOW_LENGTH_SECONDS)."""
HOP: Final = 160
"""Samples: 10 ms at 16 kHz (STFT_HOP_LENGTH_SECONDS)."""
FFT: Final = 512
"""Points: the next power of two (mel_features.py, log_mel_spectrogram)."""
N_FRAMES: Final = 96
"""STFT frames in a patch (NUM_FRAMES)."""
N_MELS: Final = 64
"""Mel bands (NUM_BANDS)."""
MEL_HZ: Final = (125.0, 7500.0)
"""Hertz, lowest and highest edge (MEL_MIN_HZ, MEL_MAX_HZ)."""
LOG_OFFSET: Final = 0.01
"""Added before the logarithm (LOG_OFFSET); YAMNet's is 0.001."""
LEAST_STD: Final = 3.0 / FULL_SCALE
"""Least deviation that the z-score divides by (full scale): three steps of 16 bits, the noise of a good quiet
microphone; below it there is no sound to normalise, only rounding."""


@dataclass(frozen=True, slots=True)
class FrontendParams:
    """Acoustic: pinned by the model bundle. Changing one means re-training."""

    pre_emphasis: float = 0.97
    """y[t] = x[t] - this * x[t-1]; 0 leaves the waveform alone, as plain VGGish does."""
    z_score: bool = True
    """Whether each window is shifted to mean 0 and scaled to deviation 1, so that distance does not matter."""


PLAIN: Final = FrontendParams(pre_emphasis=0.0, z_score=False)
"""VGGish as published: what the checkpoint's self-test rests on."""
FRONTENDS: Final = {
    "paper": FrontendParams(),
    "plain": PLAIN,
    "pre-emphasis": FrontendParams(z_score=False),
    "z-score": FrontendParams(pre_emphasis=0.0),
}
"""The method's preprocessing, VGGish's own, and each half of it, by name."""


def patches(windows: Sequence[Pcm] | NDArray[np.int16], params: FrontendParams) -> NDArray[np.float32]:
    """Turns windows into what the network takes.

    Args:
        windows: n times int16 [15600] at 16 kHz.
        params: The bundle's.

    Returns:
        float32 [n, 96, 64], natural log of (mel magnitude + 0.01).
    """
    x = np.asarray(windows, np.float64).reshape(-1, WINDOW_SAMPLES) / FULL_SCALE  # [n, samples]
    return log_mel(waveform(x, params))


def waveform(x: NDArray[np.float64], params: FrontendParams) -> NDArray[np.float64]:
    """Applies pre-emphasis and z-score to float64 [n, samples], full scale 1."""
    if params.pre_emphasis:
        x = np.concatenate([x[:, :1], x[:, 1:] - params.pre_emphasis * x[:, :-1]], axis=1)
    if params.z_score:
        mean = x.mean(axis=1, keepdims=True)
        std = x.std(axis=1, keepdims=True)
        x = (x - mean) / np.maximum(std, LEAST_STD)
    return x


def log_mel(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turns float64 [n, samples] into float32 [n, frames, 64]: as many whole frames as fit."""
    return np.log(np.abs(spectra(x)) @ mel_matrix() + LOG_OFFSET).astype(np.float32)


def spectra(x: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Turns float64 [..., samples] into complex128 [..., frames, 257]: as many whole frames as fit.

    The transform runs in float64: in float32 its rounding error, divided by the log offset, reaches 1e-3 beside a
    loud sine. NumPy's takes 0.03 ms a window longer than SciPy's, whose import takes seconds and 20 MB; it takes as
    much again where it has to fill up the frames itself.
    """
    frames = sliding_window_view(x, FRAME, axis=-1)[..., ::HOP, :]  # [..., frames, 400]
    filled = np.zeros((*frames.shape[:-1], FFT))
    np.multiply(frames, hann(), out=filled[..., :FRAME])
    return np.fft.rfft(filled)


@cache
def hann() -> NDArray[np.float64]:
    """float64 [400]: periodic, not symmetric, a cosine cycle, as mel_features.py explains at length; begins with 0."""
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME))


@cache
def mel_matrix() -> NDArray[np.float64]:
    """float64 [257, 64]: triangles, linear on the HTK mel scale, that weight magnitude bins; the DC bin counts not."""
    bins = _mel(np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1))
    lowest, highest = _mel(np.array(MEL_HZ)).tolist()
    edges = np.linspace(lowest, highest, N_MELS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return np.asarray(weights)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    # HTK's scale: break frequency 700 Hz, high-frequency Q 1127 (mel_features.py).
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))
