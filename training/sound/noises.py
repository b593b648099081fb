"""Noises of a home, from held-out recordings that training never saw and from formulas; and hisses of microphones."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.data.prepared import Prepared
from training.sound.augment import Wave, active_rms, fit, mix

RECORDED: Final = {
    "rain": "rain",
    "wind": "wind",
    "vacuum cleaner": "vacuum_cleaner",
    "washing machine": "washing_machine",
}
"""Name in the table and ESC-50's category."""
MUSIC: Final = ("home:jazz", "home:loop", "home:mehackit", "home:guit", "home:piano", "home:ambi")
"""Beginnings of the kinds of household sound that are music."""
SPEECH: Final = "speech:"
"""Beginning of the kinds of speech."""
LENGTH_S: Final = 10.0
"""Of a noise that is made here (seconds): ten windows without a seam."""
TAKES: Final = 8
"""How many are made of each."""
VOICES: Final = 6
"""People who talk at once in a cafe: more and it is a hum, fewer and one can listen to each."""
MUSIC_UNDER_DB: Final = 6.0
"""By how much a television's music lies under its voices (decibels): they are to be understood."""
HISS_FROM_HZ: Final = 50.0
"""Under this a hiss is white: what a small microphone still passes. Falling all the way down it would be a slow sway
that nobody hears, and its level would say nothing of the noise over a cry."""


def held_out_noises(prepared: Prepared, seed: int = 0) -> dict[str, list[Wave]]:
    """Returns noises by name; one whose recordings the prepared folder does not hold is left out."""
    rng = np.random.default_rng(seed)
    voices = _held_out(prepared, lambda kind: kind.startswith(SPEECH))
    music = _held_out(prepared, lambda kind: kind.startswith(MUSIC))
    found = {name: _held_out(prepared, category.__eq__) for name, category in RECORDED.items()}
    if len(voices) >= VOICES:
        found["cafe"] = [_together(voices, VOICES, rng) for _ in range(TAKES)]
    if voices and music:
        found["television"] = [
            _together(voices, 1, rng) + _together(music, 1, rng) * np.float32(10 ** (-MUSIC_UNDER_DB / 20))
            for _ in range(TAKES)
        ]
    found["white"] = [_coloured(0.0, rng) for _ in range(TAKES)]
    found["pink"] = [_coloured(0.5, rng) for _ in range(TAKES)]
    return {name: sounds for name, sounds in found.items() if sounds}


def _held_out(prepared: Prepared, wanted: Callable[[str], bool]) -> list[Wave]:
    chosen = [i for i, r in enumerate(prepared.recordings) if r.held_out and r.is_cry is False and wanted(r.kind)]
    waves = [prepared.audio(index).astype(np.float32) / np.float32(FULL_SCALE) for index in chosen]
    return [wave for wave in waves if active_rms(wave) > 0]


def _together(sounds: Sequence[Wave], n: int, rng: np.random.Generator) -> Wave:
    """So many of them at once, equally loud; short ones go round and round."""
    samples = round(LENGTH_S * RATE_HZ)
    out = np.zeros(samples, np.float32)
    for index in rng.permutation(len(sounds))[:n]:
        out += fit(sounds[index], samples, rng) / np.float32(active_rms(sounds[index]))
    return out


def _coloured(exponent: float, rng: np.random.Generator) -> Wave:
    """Noise whose amplitude falls with the frequency to this power: 0 is white, 0.5 is pink."""
    n = round(LENGTH_S * RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal(n)) / np.maximum(1.0, np.arange(n // 2 + 1)) ** exponent
    return np.asarray(np.fft.irfft(spectrum, n), np.float32)


def hisses(rng: np.random.Generator) -> list[Wave]:
    """Noise of microphones and fans, 10 s each: power falls with the frequency by 0 (white) to 6 dB per octave."""
    n = 10 * RATE_HZ
    bins = np.maximum(HISS_FROM_HZ * 10, np.arange(n // 2 + 1))  # [n / 2 + 1], tenths of a hertz
    out = []
    for exponent in np.linspace(0.0, 1.0, 16):
        shaped = np.fft.rfft(rng.standard_normal(n)) / bins**exponent
        wave = np.fft.irfft(shaped, n)
        out.append((wave / np.abs(wave).max()).astype(np.float32))
    return out


def in_noise(windows: Pcm, noise: NDArray[np.float32], snr_db: float) -> Pcm:
    """Each window in its own noise, int16 [n, WINDOW_SAMPLES]."""
    waves = windows.astype(np.float32) / np.float32(FULL_SCALE)
    return pcm(np.stack([mix(wave, other, snr_db) for wave, other in zip(waves, noise, strict=True)]))


def pcm(waves: NDArray[np.float32]) -> Pcm:
    """What a microphone that does not clip would deliver: softer where the sum would not fit."""
    loudest = np.abs(waves).max(axis=1, keepdims=True)
    return np.asarray(np.rint(waves / np.maximum(loudest, 1.0) * (FULL_SCALE - 1)), np.int16)
