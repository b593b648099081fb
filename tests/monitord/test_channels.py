"""Several channels to the one that is heard: nothing cancels, a dead one costs nothing, and no sample is lost."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitord.channels import MEAN, ChannelParams, Downmix, Mixer
from monitord.types import Pcm
from tests.support.sound.chunks import SIZES
from tests.support.sound.sounds import noise, tone

RATE_HZ = 16_000
BLOCK = RATE_HZ // ChannelParams().blocks_per_s
"""Samples: 1,600."""


def bursts(duration_s: float = 12.0, peak_dbfs: float = -20.0) -> Pcm:
    """A tone of 1.2 s and a breath of 0.8 s in turns: as a cry, it moves."""
    sound = tone(500, duration_s, peak_dbfs=peak_dbfs)
    sound[(np.arange(len(sound)) % (2 * RATE_HZ)) >= 1.2 * RATE_HZ] = 0
    return sound


def side_by_side(*channels: NDArray[np.number]) -> NDArray[np.int16]:
    """int16 [n, channels]."""
    return np.clip(np.rint(np.stack(channels, axis=1)), -32_768, 32_767).astype(np.int16)


def mixed(samples: NDArray[np.int16], sizes: tuple[int, ...] = (1_024,), rate_hz: int = RATE_HZ) -> tuple[Pcm, Mixer]:
    """Feeds a new mixer in chunks of these sizes, in turns."""
    mixer = Mixer(samples.shape[1], rate_hz)
    parts, start = [], 0
    for size in itertools.cycle(sizes):
        if start >= len(samples):
            break
        parts.append(mixer.feed(samples[start : start + size]))
        start += size
    return np.concatenate([*parts, mixer.flush()]), mixer


def gain_db(heard: Pcm, sound: Pcm) -> float:
    """How much of a sound is in what was heard (decibels)."""
    x, y = sound.astype(float), heard.astype(float)
    return float(20 * np.log10(max(abs(x @ y) / (x @ x), 1e-9)))


CRY = bursts()
HUM = 8_000 * np.sin(2 * np.pi * 50 * np.arange(len(CRY)) / RATE_HZ)
NOTHING = np.zeros(len(CRY))
HISS = noise(12.0, rms_dbfs=-70).astype(float)
WAYS = {
    "opposite": (CRY, -CRY.astype(float)),
    "opposite, in noise": (CRY + HISS, -CRY.astype(float)),
    "opposite, one of them weak": (0.2 * CRY, -CRY.astype(float)),
    "the second is dead": (CRY, NOTHING),
    "the first is dead": (NOTHING, CRY),
    "the first is an offset": (NOTHING + 20_000, CRY),
    "the first has noise": (HISS, CRY),
    "alike": (CRY, CRY),
    "four, one opposite": (CRY, CRY, -CRY.astype(float), CRY),
    "the low frequencies of 5.1": (NOTHING, NOTHING, NOTHING, CRY, NOTHING, NOTHING),
    "the last of nine": (*[NOTHING] * 8, CRY),
    "the last of 64": (*[NOTHING] * 63, CRY),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_wiring_silences_a_room(way: str) -> None:
    """Whatever the other channels do, the cry is heard at its own level, from its first block."""
    heard, _ = mixed(side_by_side(*WAYS[way]))
    assert len(heard) == len(CRY)
    assert gain_db(heard, CRY) == pytest.approx(0.0, abs=0.1)
    assert gain_db(heard[:BLOCK], CRY[:BLOCK]) == pytest.approx(0.0, abs=0.1)


def test_what_is_loud_and_steady_carries_nothing() -> None:
    """A hum 20 dB over the cry, on an input where nothing is plugged in, is left once something moves elsewhere."""
    heard, mixer = mixed(side_by_side(HUM, 0.1 * CRY))
    after = slice(3 * RATE_HZ, None)  # the window, and the next burst
    assert mixer.heard == 1
    assert gain_db(heard[after], (0.1 * CRY[after]).astype(np.int16)) == pytest.approx(0.0, abs=0.1)


def test_channels_that_agree_are_averaged() -> None:
    """Two microphones in one room: their mean, in which their own noise is 3 dB lower; and no channel is preferred."""
    left, right = CRY + HISS, CRY + 1.0 * noise(12.0, rms_dbfs=-70, seed=2)
    heard, mixer = mixed(side_by_side(left, right))
    assert mixer.heard == MEAN
    assert np.abs(heard - (left + right) / 2).max() <= 1


def test_two_loud_channels_do_not_wrap_around() -> None:
    """At either end of the range the mean is the sample itself."""
    ends = np.array([[-32_768, -32_768], [32_767, 32_767], [100, 300], [7, -7]] * 800, np.int16)
    heard, _ = mixed(ends)
    assert heard[:3].tolist() == [-32_768, 32_767, 200]


def test_one_channel_passes_untouched() -> None:
    """A mono stream is not copied, delayed or measured."""
    samples = CRY[:, None]
    mixer = Mixer(1, RATE_HZ)
    heard = mixer.feed(samples)
    assert np.shares_memory(heard, samples)
    assert len(heard) == len(CRY)
    assert len(mixer.flush()) == 0


@settings(max_examples=40, deadline=None)
@given(way=st.sampled_from(sorted(WAYS)), sizes=SIZES, cut=st.integers(0, 3 * RATE_HZ))
def test_chunk_sizes_do_not_matter(way: str, sizes: list[int], cut: int) -> None:
    """The same samples in any chunk sizes give the same samples, as many as went in, whatever switches meanwhile."""
    samples = side_by_side(*WAYS[way])[:cut]
    at_once, _ = mixed(samples, (max(cut, 1),))
    in_chunks, _ = mixed(samples, (*sizes, 3_001))  # a large one, so that tiny ones stay affordable
    assert len(at_once) == cut
    assert np.array_equal(at_once, in_chunks)


def test_switching_makes_no_click() -> None:
    """From one channel to the other the sound goes over in 10 ms: no step is larger than the sound's own."""
    n = 6 * RATE_HZ
    quiet, loud = tone(300, 6.0, peak_dbfs=-40), tone(300, 6.0, peak_dbfs=-20)
    first = np.where(np.arange(n) < n // 2, loud, quiet)
    second = np.where(np.arange(n) < n // 2, quiet, -loud.astype(int))
    first[n // 2 :], second[n // 2 :] = 0, -loud[n // 2 :].astype(int)
    heard, mixer = mixed(side_by_side(first, second))
    assert mixer.heard == 1
    inside = np.r_[: n // 2 - BLOCK, n // 2 + BLOCK : n - 1]  # the sound itself breaks in the middle
    own = np.abs(np.diff(loud.astype(int))).max()
    assert np.abs(np.diff(heard.astype(int)))[inside].max() <= 1.5 * own


def test_nothing_switches_to_and_fro() -> None:
    """Two noises that have nothing in common lie on the edge: one choice is made, and kept."""
    mixer = Mixer(2, RATE_HZ)
    samples = side_by_side(noise(60.0, rms_dbfs=-40), noise(60.0, rms_dbfs=-40, seed=2))
    choices = []
    for start in range(0, len(samples), BLOCK):
        mixer.feed(samples[start : start + BLOCK])
        choices.append(mixer.heard)
    assert sum(a != b for a, b in itertools.pairwise(choices)) <= 2


@pytest.mark.parametrize(("way", "opposite"), [(way, "opposite" in way) for way in sorted(WAYS)])
def test_a_wrong_wiring_is_told(way: str, *, opposite: bool) -> None:
    """Opposite channels are told within 6 s of sound, by what moves; a dead, noisy or like one is not."""
    _, mixer = mixed(side_by_side(*WAYS[way]))
    assert mixer.opposite is opposite


def test_a_mended_wiring_is_told() -> None:
    """Once the cable is another one, the fault goes."""
    mixer = Mixer(2, RATE_HZ)
    mixer.feed(side_by_side(CRY, -CRY.astype(float)))
    assert mixer.opposite
    mixer.feed(side_by_side(CRY, 0.9 * CRY))
    assert not mixer.opposite


def test_microphones_that_stand_apart_are_no_wrong_wiring() -> None:
    """Noise that comes to one a millisecond later than to the other is neither alike nor opposite."""
    far = noise(12.0, rms_dbfs=-30)
    _, mixer = mixed(side_by_side(far, np.roll(far, 16)))
    assert not mixer.opposite


def test_the_format_may_change() -> None:
    """Mono, stereo, another rate: each run is mixed by itself, and all of each comes out before the next."""
    downmix = Downmix()
    twice = side_by_side(CRY, CRY)
    runs = [(CRY[:1_000, None], 16_000), (twice[:1_000], 16_000), (twice[:900], 48_000)]
    out = [part for samples, rate_hz in runs for part in downmix.feed(samples, rate_hz)]
    out += downmix.flush()
    assert sum(len(samples) for samples, rate_hz in out if rate_hz == 16_000) == 2_000
    assert sum(len(samples) for samples, rate_hz in out if rate_hz == 48_000) == 900
    expected = np.concatenate([CRY[:1_000], CRY[:1_000], CRY[:900]])
    assert np.array_equal(np.concatenate([samples for samples, _ in out]), expected)
