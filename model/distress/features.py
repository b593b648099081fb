"""What of a patch says how hard it cries, with no network in between.

Hard crying is read from the colour of the sound (the mean of each band), from how much it moves there, and from how
fast the whole spectrum does: rough, breathless cries change otherwise than a whimper. These say more of it than the
network's embedding, which was taught what is a cry and what is none, and they outlive the network.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.frontend import N_FRAMES, N_MELS

N_CEPSTRA: Final = 20
"""Shapes of the spectrum (DCT-II over the bands) whose movement counts: to the spacing of harmonics of 500 Hz."""
N_RATES: Final = 10
"""Rates of movement: 1 to 10 cycles in a window of 0.96 s, from a sob to a tremor."""
N_FEATURES: Final = 2 * N_MELS + N_CEPSTRA * N_RATES
"""Numbers that a patch becomes."""


def features(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns patches, float32 [n, 96, 64], into float32 [n, N_FEATURES].

    Mean and deviation of each band, then the size of the movement of each cepstrum at each rate. None depends on where
    in the window the cry lies, nor, with the z-score before it, on the level.
    """
    cepstra = patches @ _dct()  # float32 [n, 96, 20]
    moving = (cepstra - cepstra.mean(axis=1, keepdims=True)) * _hann()
    rates = np.abs(np.fft.rfft(moving, axis=1))[:, 1 : N_RATES + 1]  # [n, 10, 20]
    parts = [patches.mean(axis=1), patches.std(axis=1), rates.reshape(len(patches), -1)]
    return np.asarray(np.concatenate(parts, axis=1), np.float32)


@cache
def _dct() -> NDArray[np.float32]:
    """float32 [64, 20]: orthonormal DCT-II."""
    bands, orders = np.arange(N_MELS), np.arange(N_CEPSTRA)
    matrix = np.cos(np.pi * (bands[:, None] + 0.5) * orders / N_MELS) * np.sqrt(2.0 / N_MELS)
    matrix[:, 0] /= np.sqrt(2.0)
    return np.asarray(matrix, np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    """float32 [96, 1]: what begins and ends in the middle of a cry is no movement."""
    return np.asarray(np.hanning(N_FRAMES + 2)[1:-1, None], np.float32)
