"""VGGish's front end as published does its work, for its cost: everything computed anew for each window, in float64.

Written from the method (tensorflow/models, research/audioset/vggish, mel_features.py): frames by strides, a periodic
Hann window, a real transform of 512 points, magnitudes, a matrix of 64 mel triangles built in a loop over the bands,
a logarithm. Like the published one it keeps nothing from one call to the next.
"""

import numpy as np
from numpy.typing import NDArray

RATE_HZ, FRAME, HOP, FFT, BANDS = 16_000, 400, 160, 512, 64
"""Hertz, samples, samples, points, and mel bands (vggish_params.py)."""
MEL_HZ = (125.0, 7500.0)
"""Lowest and highest edge (hertz)."""
LOG_OFFSET = 0.01
"""Added before the logarithm."""


def patch(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Turns int16 [15600] into float32 [96, 64]."""
    x = samples / 32768.0
    count = 1 + (len(x) - FRAME) // HOP
    frames = np.lib.stride_tricks.as_strided(x, (count, FRAME), (x.strides[0] * HOP, x.strides[0]))
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi / FRAME * np.arange(FRAME))
    magnitudes = np.abs(np.fft.rfft(frames * hann, FFT))  # [96, 257]
    return np.log(magnitudes @ _mel_matrix() + LOG_OFFSET).astype(np.float32)


def _mel_matrix() -> NDArray[np.float64]:
    bins = _mel(np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1))
    edges = np.linspace(_mel(np.float64(MEL_HZ[0])), _mel(np.float64(MEL_HZ[1])), BANDS + 2)
    weights = np.empty((FFT // 2 + 1, BANDS))
    for band in range(BANDS):
        lower, centre, upper = edges[band : band + 3]
        rising = (bins - lower) / (centre - lower)
        falling = (upper - bins) / (upper - centre)
        weights[:, band] = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights


def _mel(hertz: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))
