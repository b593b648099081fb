"""What the methods see of a clip: its waveform, its log-mel picture, and cepstra on the mel and the Bark scale.

Every clip is normalised by itself (pre-emphasis and z-score, the paper's preprocessing), so that no method can live on
how far the phone lay. Pictures and waveforms of one size end in silence where the clip is shorter.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.signal import get_window

from model.frontend import FFT, FRAME, HOP, LOG_OFFSET, MEL_HZ, FrontendParams, log_mel, waveform
from monitord.listening.segmenter import SegmenterParams
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm

_SEGMENTER: Final = SegmenterParams()
_FRAME_SAMPLES: Final = _SEGMENTER.frame_ms * RATE_HZ // 1000
SHORTEST: Final = _SEGMENTER.least_frames * _FRAME_SAMPLES
"""Samples at 16 kHz: 0.18 s; a shorter clip ends in silence up to here."""
LONGEST: Final = _SEGMENTER.most_frames * _FRAME_SAMPLES
"""Samples at 16 kHz: 2.5 s; of a longer clip the methods of one size see the first 2.5 s."""
CEPSTRA: Final = 20
"""Coefficients kept, the 0th included: the usual 12 to 20; a cry's harmonics lie wide apart, so the upper end."""
BARK_BANDS: Final = 24
"""Zwicker's number of critical bands (1961); over 125 to 7500 Hz they are a little narrower than one Bark."""


def normalised(clip: Pcm) -> NDArray[np.float64]:
    """float64 [n], n at least `SHORTEST`: pre-emphasis, mean 0, deviation 1."""
    x = waveform(clip[None].astype(np.float64) / FULL_SCALE, FrontendParams())[0]
    return np.pad(x, (0, max(0, SHORTEST - len(x))))


def mfcc(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mel-frequency cepstra of float64 [n]: float32 [frames, 20], of VGGish's own log-mel frames."""
    return np.asarray(dct(log_mel(x[None])[0], axis=1, norm="ortho")[:, :CEPSTRA], np.float32)


def bfcc(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bark-frequency cepstra of float64 [n]: float32 [frames, 20]; as `mfcc`, but for the bands."""
    frames = sliding_window_view(x, FRAME)[::HOP]  # [frames, 400]
    spectrum = np.abs(np.fft.rfft(frames * get_window("hann", FRAME), n=FFT))  # [frames, 257] magnitude
    bands = np.log(spectrum @ bark_matrix() + LOG_OFFSET)  # [frames, 24]
    return np.asarray(dct(bands, axis=1, norm="ortho")[:, :CEPSTRA], np.float32)


@cache
def bark_matrix() -> NDArray[np.float64]:
    """float64 [257, 24]: triangles, linear on the Bark scale, that weight magnitude bins."""
    bins = bark(np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1))
    lowest, highest = bark(np.array(MEL_HZ)).tolist()
    edges = np.linspace(lowest, highest, BARK_BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def bark(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Critical-band rate: 6 asinh(f / 600) (Wang, Sekey and Gersho 1992)."""
    return np.asarray(6.0 * np.arcsinh(hertz / 600.0))


def with_slopes(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Adds to float32 [frames, k] each coefficient's slope over time (per frame): float32 [frames, 2 k]."""
    return np.concatenate([cepstra, np.gradient(cepstra, axis=0)], axis=1)


def waveforms(clips: Iterable[Pcm]) -> NDArray[np.float32]:
    """float32 [clips, 40000]: normalised, silence behind."""
    return np.stack([_fitted(clip) for clip in clips]).astype(np.float32)


def pictures(clips: Iterable[Pcm]) -> NDArray[np.float32]:
    """float32 [clips, 248, 64]: log-mel of `waveforms`."""
    return np.concatenate([log_mel(_fitted(clip)[None]) for clip in clips])


def _fitted(clip: Pcm) -> NDArray[np.float64]:
    x = normalised(clip)[:LONGEST]
    return np.pad(x, (0, LONGEST - len(x)))
