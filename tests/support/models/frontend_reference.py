"""A second front end, slow and plain, from the method's text alone: loops, a discrete Fourier transform, float64.

Nothing of `model.frontend` is used here. `python tests/frontend_reference.py` writes the golden patches anew.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GOLDEN = Path(__file__).parent / "frontend_golden.npz"
EVERY = 8
"""Golden patches keep one frame in so many: enough to see any change, small enough for the repository."""


def patch(samples: NDArray[np.int16], *, pre_emphasis: float, z_score: bool) -> NDArray[np.float64]:
    """Turns int16 [15600] at 16 kHz into float64 [96, 64]."""
    x = [int(sample) / 32768 for sample in samples]
    x = [x[0]] + [x[t] - pre_emphasis * x[t - 1] for t in range(1, len(x))]
    if z_score:
        mean = math.fsum(x) / len(x)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x))
        x = [(v - mean) / deviation if deviation > 0 else 0.0 for v in x]
    # 25 ms are 400 samples, 10 ms are 160. Periodic Hann: one whole cosine period in 400 samples.
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)]
    n = np.arange(400)
    cosines = [np.cos(2 * np.pi * k * n / 512) for k in range(257)]
    sines = [np.sin(2 * np.pi * k * n / 512) for k in range(257)]
    weights = _mel_weights()
    out = np.zeros((96, 64))
    for frame in range(96):
        windowed = np.array([x[160 * frame + i] * hann[i] for i in range(400)])
        magnitudes = [math.hypot(float(cosines[k] @ windowed), float(sines[k] @ windowed)) for k in range(257)]
        for band in range(64):
            energy = math.fsum(weight * magnitudes[k] for k, weight in weights[band].items())
            out[frame, band] = math.log(energy + 0.01)
    return out


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _mel_weights() -> list[dict[int, float]]:
    """Weight of each bin by band: triangles whose corners are even steps of the mel scale from 125 to 7500 Hz."""
    step = (_mel(7500) - _mel(125)) / 65
    bands = []
    for band in range(64):
        left, top, right = (_mel(125) + step * (band + corner) for corner in range(3))
        weights = {}
        for k in range(1, 257):
            mel = _mel(k * 16000 / 512)
            if left < mel <= top:
                weights[k] = (mel - left) / (top - left)
            elif top < mel < right:
                weights[k] = (right - mel) / (right - top)
        bands.append(weights)
    return bands


def sounds() -> dict[str, NDArray[np.int16]]:
    """What is golden: silence, seeded noise, a sine; int16 [15600] each."""
    t = np.arange(15600)
    noise = np.random.default_rng(1).integers(-3000, 3001, 15600)
    sine = np.rint(8000 * np.sin(2 * np.pi * 440 * t / 16000))
    return {"silence": np.zeros(15600, np.int16), "noise": noise.astype(np.int16), "sine": sine.astype(np.int16)}


def golden() -> dict[str, NDArray[np.float32]]:
    """Reference patches of these sounds by name and preprocessing, float32 [12, 64]."""
    out = {}
    for name, samples in sounds().items():
        for way, (pre_emphasis, z_score) in {"plain": (0.0, False), "method": (0.97, True)}.items():
            reference = patch(samples, pre_emphasis=pre_emphasis, z_score=z_score)
            out[f"{name}_{way}"] = reference[::EVERY].astype(np.float32)
    return out


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, allow_pickle=False, **golden())
