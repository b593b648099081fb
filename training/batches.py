"""Batches for `pretrain`: cries and everything else, as a nursery's microphone might deliver them.

Cry and other windows go through the same rooms, codecs, noise and speeds with the same chances, so that the network
cannot learn the phone instead of the baby.
"""

from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from model.frontend import FrontendParams, log_mel, waveform
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from monitord.windows import WINDOW_SAMPLES
from training.augment import Wave, fit, mix, speed
from training.codecs import CODECS, round_trip
from training.prepare import Prepared, cut
from training.rooms import Room, reverberate

HARD: Final = frozenset(
    {"laughing", "cat", "hen", "rooster", "crow", "sheep", "siren", "cow", "dog", "pig", "chirping_birds", "coughing"}
)
"""ESC-50's categories that are nearest to a cry; they are drawn three times as often."""


@dataclass(frozen=True, slots=True)
class BatchParams:
    """How batches are drawn."""

    size: int = 64
    """Windows in a batch."""
    cry_share: float = 0.4
    """Share of windows from recordings that hold a cry or may hold one."""
    jitter: int = 1_920
    """Samples at 16 kHz by which a window may move: half a hop."""
    p_noise: float = 0.6
    """Chance that other sound is mixed in."""
    snr_db: tuple[float, float] = (-6.0, 25.0)
    """Decibels between the window and what is mixed in."""
    p_room: float = 0.25
    """Chance of a room response."""
    p_codec: float = 0.4
    """Chance that a phone's or a camera's codec was in between."""
    codecs: int = 2
    """Codecs that one recording may go through: of eight, so that encoding whole recordings stays cheap."""
    p_speed: float = 0.25
    """Chance of another speed."""
    speed: tuple[float, float] = (0.9, 1.1)
    """Factors of it."""
    p_hiss: float = 0.4
    """Chance of a microphone's own noise."""
    mask: tuple[int, int] = (20, 12)
    """Widest run of time frames, and of mel bands, that is hidden in each patch (SpecAugment): the network may not
    hang on one detail of the few hundred families it knows."""
    hiss_db: tuple[float, float] = (10.0, 45.0)
    """Decibels of the window over that noise."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Keras' data set of random batches: the same seed, epoch and index give the same batch.

    Args:
        prepared: What `prepare` wrote.
        targets: float32 [n] of `cry_targets`; NaN rows are never drawn.
        rows: int [k], the rows of windows that may be drawn.
        rooms: Room responses.
        frontend: The bundle's.
        steps: Batches in an epoch.
        params: How they are drawn.
    """

    def __init__(
        self,
        prepared: Prepared,
        targets: NDArray[np.float32],
        rows: NDArray[np.int64],
        rooms: list[Room],
        frontend: FrontendParams,
        *,
        steps: int,
        seed: int = 0,
        params: BatchParams | None = None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self._prepared, self._targets, self._rooms = prepared, targets, rooms
        self._frontend, self._steps, self._seed = frontend, steps, seed
        self._params = params or BatchParams()
        self._epoch = 0
        self._audio: dict[tuple[int, int], Pcm] = {}
        self._hiss = _hisses(np.random.default_rng(seed))
        rows = rows[~np.isnan(targets[rows])]
        other = np.array([recording.is_cry is False for recording in prepared.recordings])
        of = prepared.windows.recording[rows]
        self._cries = _pools(prepared, rows[~other[of]])
        self._others = _pools(prepared, rows[other[of]])

    def __len__(self) -> int:
        return self._steps

    def on_epoch_end(self) -> None:
        """Moves the seed on."""
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Draws {"cry": float32 [n, 1], "tags": float32 [n, 1048]} for float32 [n, 96, 64]."""
        rng = np.random.default_rng((self._seed, self._epoch, index))
        params = self._params
        x = np.empty((params.size, WINDOW_SAMPLES), np.float64)
        cry = np.empty((params.size, 1), np.float32)
        tags = np.empty((params.size, self._prepared.windows.tags.shape[1]), np.float32)
        for i in range(params.size):
            pools = self._cries if i < params.cry_share * params.size else self._others
            x[i], cry[i], tags[i] = self._example(rng, pools)
        patches = log_mel(waveform(x, self._frontend))
        for patch in patches:
            _mask(patch, params.mask, rng)
        return patches, {"cry": cry, "tags": tags}

    def _example(
        self, rng: np.random.Generator, pools: list[NDArray[np.int64]]
    ) -> tuple[Wave, float, NDArray[np.float32]]:
        params = self._params
        x, cry, tags = self._draw(rng, pools)
        if rng.random() < params.p_room:
            x = reverberate(x, self._rooms[rng.integers(len(self._rooms))])
        if rng.random() < params.p_noise:
            other, other_cry, other_tags = self._draw(rng, self._others)
            x = mix(x, other, rng.uniform(*params.snr_db))
            cry, tags = max(cry, other_cry), np.maximum(tags, other_tags)
        if rng.random() < params.p_hiss:
            hiss = self._hiss[rng.integers(len(self._hiss))]
            x = mix(x, fit(hiss, WINDOW_SAMPLES, rng), rng.uniform(*params.hiss_db))
        return x, cry, tags

    def _draw(
        self, rng: np.random.Generator, pools: list[NDArray[np.int64]]
    ) -> tuple[Wave, float, NDArray[np.float32]]:
        """One window of a pool, through a codec, shifted by at most half a hop, at another speed."""
        params = self._params
        pool = pools[rng.integers(len(pools))]
        row = int(pool[rng.integers(len(pool))])
        windows = self._prepared.windows
        codec = int(rng.integers(params.codecs)) if rng.random() < params.p_codec else -1
        audio = self._recording(int(windows.recording[row]), codec)
        end = int(windows.end[row]) + int(rng.integers(-params.jitter, params.jitter + 1))
        factor = rng.uniform(*params.speed) if rng.random() < params.p_speed else 1.0
        if factor == 1.0:
            x = cut(audio, end, WINDOW_SAMPLES).astype(np.float32)
        else:
            # A few samples more, because the length after the resampler is rounded.
            x = speed(cut(audio, end, int(WINDOW_SAMPLES * factor) + 8).astype(np.float32), factor)[-WINDOW_SAMPLES:]
        x /= np.float32(FULL_SCALE)
        return x, float(self._targets[row]), windows.tags[row].astype(np.float32)

    def _recording(self, index: int, codec: int) -> Pcm:
        """One recording as it is (-1), or through the first or second of its own codecs; kept in memory."""
        if (index, codec) not in self._audio:
            if codec < 0:
                self._audio[index, codec] = self._prepared.audio(index)
            else:
                own = np.random.default_rng((self._seed, index)).permutation(len(CODECS))
                self._audio[index, codec] = round_trip(self._recording(index, -1), CODECS[own[codec]])
        return self._audio[index, codec]


def _mask(patch: NDArray[np.float32], widest: tuple[int, int], rng: np.random.Generator) -> None:
    """Hides a run of frames and a run of bands of float32 [96, 64] behind its mean, in place."""
    mean = patch.mean()
    for axis, most in enumerate(widest):
        width = int(rng.integers(most + 1))
        start = int(rng.integers(patch.shape[axis] - width + 1))
        np.moveaxis(patch, axis, 0)[start : start + width] = mean


def _hisses(rng: np.random.Generator) -> list[Wave]:
    """Noise of microphones and fans, 10 s each: power falls with the frequency by 0 (white) to 6 dB per octave."""
    n = 10 * RATE_HZ
    bins = np.maximum(1.0, np.arange(n // 2 + 1))
    out = []
    for exponent in np.linspace(0.0, 1.0, 16):
        shaped = np.fft.rfft(rng.standard_normal(n)) / bins**exponent
        wave = np.fft.irfft(shaped, n)
        out.append((wave / np.abs(wave).max()).astype(np.float32))
    return out


def _pools(prepared: Prepared, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Groups rows so that each kind of sound is drawn equally often; hard kinds, and speech, three times."""
    kinds = np.array([recording.kind for recording in prepared.recordings])
    of = kinds[prepared.windows.recording[rows]]
    pools: list[NDArray[np.int64]] = []
    for kind in sorted(set(of.tolist())):
        hard = kind in HARD or kind.startswith("speech:")
        pools += [rows[of == kind]] * (3 if hard else 1)
    return pools
