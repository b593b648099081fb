"""The front end of one source, window after window: no sound is transformed twice. `patches` says what it gives.

Windows are 0.975 s long and lie 0.24 s apart: three quarters of a window's frames were in the one before, though with
another mean and deviation. Those can wait: with W the spectrum of the Hann window itself, the spectrum of a frame of
(y - mean) / std is (Y - mean W) / std, and Y stays what it is. The one sample of a window that is not what it was, its
first, because pre-emphasis finds nothing before it, weighs nothing: there the Hann window is 0.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.frontend import HOP, LEAST_STD, LOG_OFFSET, N_FRAMES, FrontendParams, hann, mel_matrix, spectra
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm, Window

ERROR: Final = 1e-5
"""Farthest that a value lies from that of `patches` (natural log of mel magnitude). Spectra are kept as complex64: each
bin is rounded by 6e-8 of itself, and what a mean leaks into the lowest bands (half of it) by 6e-8 of that, beside a log
offset of 0.01; sums of at most 24 bins and a logarithm in float32 are the rest."""
MOST_SHIFT: Final = 1.0
"""Farthest that a window's mean may lie from the one that was taken off the spectra kept (standard deviations of the
window), before all is transformed anew: what is rounded in the lowest bands grows with it."""


class RunningFrontend:
    """Follows one source. After a jump, or where the sound is not what it was, it begins anew."""

    def __init__(self, params: FrontendParams) -> None:
        self._params = params
        self._start = 0  # of the last window (samples at 16 kHz)
        self._samples: Pcm = np.empty(0, np.int16)  # of the last window
        self._centre = 0.0  # taken off the waveform before the transform (full scale 1)
        self._spectra = np.empty((0, len(_mel())), np.complex64)  # of the last window, [96, bins]

    def patch(self, window: Window) -> NDArray[np.float32]:
        """Turns the next window into float32 [96, 64], as `patches` does up to `ERROR`."""
        x = window.samples.astype(np.float64)
        x /= FULL_SCALE
        mean, std = _moments(x, self._params)
        known = self._known(window)
        if not len(known) or abs(mean - self._centre) > MOST_SHIFT * std:
            known, self._centre = known[:0], mean
        if len(known) < N_FRAMES:
            known = np.concatenate([known, self._transform(x[len(known) * HOP :])])
        self._start, self._samples, self._spectra = window.start, window.samples, known
        bands = np.abs(known - np.float32(mean - self._centre) * _leak()) @ _mel()  # float32 [96, 64]
        bands /= np.float32(std)
        bands += np.float32(LOG_OFFSET)
        return np.log(bands, out=bands)

    def _known(self, window: Window) -> NDArray[np.complex64]:
        """Spectra of the frames at the window's beginning, [as many as are known, bins]."""
        moved = window.start - self._start
        frames, between = divmod(moved, HOP)
        if between or moved < 0 or not np.array_equal(self._samples[moved:], window.samples[: WINDOW_SAMPLES - moved]):
            return self._spectra[:0]
        return self._spectra[frames:]

    def _transform(self, x: NDArray[np.float64]) -> NDArray[np.complex64]:
        y = x.copy()
        y[1:] -= self._params.pre_emphasis * x[:-1]
        return spectra(y - self._centre)[:, _BINS].astype(np.complex64)


def _moments(x: NDArray[np.float64], params: FrontendParams) -> tuple[float, float]:
    """Mean and deviation of the window after pre-emphasis, which the z-score takes off and divides by.

    Of x itself the sums are exact: it is integers over a power of two.
    """
    if not params.z_score:
        return 0.0, 1.0
    n, last, factor = len(x), float(x[-1]), params.pre_emphasis
    total, power, lagged = float(x.sum()), float(x @ x), float(x[1:] @ x[:-1])
    mean = (total - factor * (total - last)) / n
    mean_power = (power + factor**2 * (power - last**2) - 2.0 * factor * lagged) / n
    return mean, max(max(mean_power - mean**2, 0.0) ** 0.5, LEAST_STD)


_BINS: Final = slice(5, 240)
"""Bins that count in a mel band: 156 to 7469 Hz."""


@cache
def _mel() -> NDArray[np.float32]:
    return np.ascontiguousarray(mel_matrix()[_BINS], np.float32)  # [bins, 64]


@cache
def _leak() -> NDArray[np.complex64]:
    """Spectrum of a constant 1, complex64 [bins]."""
    return spectra(np.ones(len(hann())))[0, _BINS].astype(np.complex64)
