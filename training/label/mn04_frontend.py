"""What mn04 hears: 16 kHz sound to the log-mel picture that EfficientAT's networks were trained on, in NumPy and SciPy.

The recipe is EfficientAT's `models/preprocess.py` (AugmentMelSTFT, evaluating); its numbers are tied to the weights.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import resample_poly

from monitord.pcm import FULL_SCALE
from monitord.types import Pcm

RATE_HZ: Final = 32_000
"""Sample rate that the network was trained at (hertz)."""
PREEMPHASIS: Final = 0.97
"""Share of the sample before that is taken away."""
FFT_SAMPLES: Final = 1_024
"""Length of one transform (samples at 32 kHz)."""
WINDOW_SAMPLES: Final = 800
"""Length of the symmetric Hann window, centred in the transform (samples at 32 kHz): 25 ms."""
HOP_SAMPLES: Final = 320
"""From one frame to the next (samples at 32 kHz): 10 ms."""
MEL_BANDS: Final = 128
"""Rows of the picture."""
TOP_HZ: Final = 15_000.0
"""Upper edge of the highest band (hertz); the lowest band begins at 0."""
LOG_OFFSET: Final = 1e-5
"""Added to the mel power before the logarithm."""
SHIFT: Final = 4.5
"""Added to the natural logarithm; with `SCALE` it brings AudioSet near to mean 0, deviation 1."""
SCALE: Final = 5.0
"""Divides the shifted logarithm."""


def log_mel(windows: Pcm) -> NDArray[np.float32]:
    """Turns sounds of one length into the input of mn04.

    Args:
        windows: int16 [n, samples] at 16 kHz; at least 513 samples, so that the mirrored edges exist.

    Returns:
        float32 [n, 1, 128, frames], one frame per 10 ms, frames = (2 * samples - 1) // 320 + 1.
    """
    # A polyphase filter, not soxr: its softer edge at 8 kHz is what the published scores of the corpus were made with,
    # and between 8 and 16 kHz the logarithm makes a difference of -60 dB visible.
    wide = resample_poly(windows.astype(np.float32) / np.float32(FULL_SCALE), 2, 1, axis=1)  # [n, 2 * samples]
    sharp = wide[:, 1:] - np.float32(PREEMPHASIS) * wide[:, :-1]  # [n, 2 * samples - 1]
    padded = np.pad(sharp, ((0, 0), (FFT_SAMPLES // 2, FFT_SAMPLES // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES, axis=1)[:, ::HOP_SAMPLES]
    spectrum = rfft(frames * _window(), axis=2)  # complex64 [n, frames, 513]
    power = spectrum.real**2 + spectrum.imag**2
    picture = (np.log(power @ _mel_matrix() + np.float32(LOG_OFFSET)) + np.float32(SHIFT)) / np.float32(SCALE)
    return np.ascontiguousarray(picture.transpose(0, 2, 1)[:, None], dtype=np.float32)


@cache
def _window() -> NDArray[np.float32]:
    """float32 [1024]: the Hann window with zeros on both sides, as a centred STFT places it."""
    side = (FFT_SAMPLES - WINDOW_SAMPLES) // 2
    return np.pad(np.hanning(WINDOW_SAMPLES), side).astype(np.float32)


@cache
def _mel_matrix() -> NDArray[np.float32]:
    """float32 [513, 128]: triangles that are straight on the mel scale (Kaldi's), not on the hertz scale."""
    bins = _mel(np.arange(FFT_SAMPLES // 2 + 1, dtype=np.float64) * (RATE_HZ / FFT_SAMPLES))[:, None]
    bottom, top = _mel(np.array([0.0, TOP_HZ]))
    edges = np.linspace(bottom, top, MEL_BANDS + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hertz to mel, natural logarithm."""
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))
