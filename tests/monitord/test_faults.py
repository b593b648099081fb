"""What a broken microphone looks like in its samples, and that a quiet room or a loud baby never looks like one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.faults import FaultWatch
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from tests.support.sound.chunks import RATES_HZ, SIZES, cut_up, to_pcm
from tests.support.sound.sounds import cry_in_room, noise, silence, synthetic_cry, tone


def told(samples: Pcm, rate_hz: int = 16_000, chunk: int = 160) -> list[str]:
    """What is said after each chunk of a hundredth of a second."""
    watch = FaultWatch()
    return [watch.feed(samples[start : start + chunk], rate_hz) for start in range(0, len(samples), chunk)]


def clipped(duration_s: float, rate_hz: int = 16_000) -> Pcm:
    """A tone so loud that most of it is at full scale."""
    return to_pcm(10 * FULL_SCALE * np.sin(2 * np.pi * 300 * np.arange(round(duration_s * rate_hz)) / rate_hz))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_six_seconds_of_zeros_are_digital_silence(rate_hz: int) -> None:
    """Not a sample earlier, and it is over with the first sound."""
    watch = FaultWatch()
    assert watch.feed(np.zeros(6 * rate_hz - 1, np.int16), rate_hz) == "ok"
    assert watch.feed(np.zeros(1, np.int16), rate_hz) == "digital_silence"
    assert watch.feed(np.zeros(rate_hz, np.int16), rate_hz) == "digital_silence"
    assert watch.feed(np.array([1], np.int16), rate_hz) == "flat"  # one bit is no sound
    assert watch.feed(noise(0.1, rate_hz=rate_hz), rate_hz) == "ok"


@pytest.mark.parametrize("chunk", [7, 160, 320, 1_600, 4_000])
@pytest.mark.parametrize("silent_s", [6.5, 9.97, 12.0])
def test_zeros_that_end_are_told_as_nothing_else(chunk: int, silent_s: float) -> None:
    """The floor is gone with the zeros and back with the first sound, not with the end of the block where it began."""
    seen = told(np.concatenate([noise(1.03), silence(silent_s), noise(1.0)]), chunk=chunk)
    assert [word for before, word in zip(["", *seen], seen, strict=False) if word != before] == [
        "ok",
        "digital_silence",
        "ok",
    ]


@pytest.mark.parametrize("value", [-32_768, -1, 1, 5_000, 32_767])
def test_a_stuck_value_is_flat(value: int) -> None:
    """Any value but zero that does not move for six seconds; at the rail that is worse than clipping."""
    stuck = np.full(7 * 16_000, value, np.int16)
    seen = told(np.concatenate([noise(1.0), stuck, noise(0.1)]))
    assert seen.index("flat") == 100 + 600 - 1
    assert (seen[0], seen[-1]) == ("ok", "ok")
    assert set(seen[700:-20]) == {"flat"}


def test_another_value_begins_anew() -> None:
    """Five seconds of one value and five of another are no fault: something still moves."""
    assert set(told(np.repeat(np.array([3, 6], np.int16), 5 * 16_000))) == {"ok"}


def test_constant_clipping() -> None:
    """Six seconds in which the sound is at full scale all the time; it is over with a tenth of a second that is not."""
    seen = told(np.concatenate([noise(1.0), clipped(8.0), noise(0.2)]))
    assert seen.index("clipping") == 100 + 600 - 1
    assert seen[-1] == "ok"


def test_a_baby_that_clips_breathes() -> None:
    """A cry far too near the microphone is no fault: between its bursts nothing clips."""
    loud = to_pcm(20.0 * synthetic_cry().astype(np.float64))
    assert np.count_nonzero(np.abs(loud.astype(int)) >= 32_700) > len(loud) / 10
    assert set(told(np.concatenate([loud, loud]))) == {"ok"}


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_floor_that_is_gone(rate_hz: int, seed: int) -> None:
    """A mute that leaves the last bit, often or now and then, around zero or elsewhere, is no quiet room."""
    rng = np.random.default_rng(seed)
    dither = np.rint(rng.triangular(-1, 0, 1, 8 * rate_hz)).astype(np.int16)
    toggle = rng.integers(0, 2, 8 * rate_hz).astype(np.int16)
    now_and_then = (rng.random(8 * rate_hz) < 1 / rate_hz).astype(np.int16)  # once a second
    for gone in (dither, toggle, now_and_then, toggle + np.int16(4_000)):
        room = noise(2.0, rate_hz=rate_hz)
        seen = told(np.concatenate([room, gone, room]), rate_hz, rate_hz // 10)
        # A tenth of a second is judged as a whole; exact zeros go by their own name.
        assert set(seen[20 + 60 : 20 + 80]) <= {"flat", "digital_silence"}
        assert set(seen[: 20 + 59]) | set(seen[20 + 81 :]) == {"ok"}


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("rms_dbfs", [-70, -80, -90, -95])
def test_the_quietest_microphone_is_alive(rate_hz: int, rms_dbfs: float) -> None:
    """Noise far under that of any microphone, near the last bit, is never called broken."""
    assert set(told(noise(60.0, rms_dbfs=rms_dbfs, rate_hz=rate_hz), rate_hz, rate_hz // 10)) == {"ok"}


@pytest.mark.parametrize("share", [0.11, -0.3])
def test_an_offset(share: float) -> None:
    """Sound that is pushed far to one side for six seconds; it is over with a tenth of a second in the middle."""
    pushed = noise(8.0) + np.int16(share * FULL_SCALE)
    seen = told(np.concatenate([noise(1.0), pushed, noise(0.2)]))
    assert seen.index("dc_offset") == 100 + 600 - 1
    assert seen[-1] == "ok"


def test_a_cheap_sound_card_has_an_offset() -> None:
    """A twentieth of full scale is usual, and heard well; wind swings to both sides, however far."""
    wind = to_pcm(0.5 * FULL_SCALE * np.sin(2 * np.pi * 0.3 * np.arange(20 * 16_000) / 16_000))
    assert set(told(noise(20.0) + np.int16(FULL_SCALE / 20))) == {"ok"}
    assert set(told(wind)) == {"ok"}


def test_living_sound_is_no_fault() -> None:
    """A room, a cry in it and a loud tone that does not clip."""
    for samples in (noise(20.0, rms_dbfs=-80), cry_in_room(), tone(440, 20.0, peak_dbfs=-0.1)):
        assert set(told(samples)) == {"ok"}


PARTS = st.lists(
    st.tuples(st.sampled_from(["zeros", "stuck", "clipped", "room", "bit", "pushed"]), st.integers(1, 80_000)),
    min_size=1,
    max_size=6,
)
"""Kinds of sound and their lengths (samples at 8 kHz)."""


@given(PARTS, SIZES)
@settings(max_examples=60)
def test_chunk_sizes_do_not_matter(parts: list[tuple[str, int]], sizes: list[int]) -> None:
    """However the sound is cut, the same is said at the same sample."""
    sounds = {"zeros": silence(10, 8_000), "stuck": np.full(80_000, 7, np.int16), "room": noise(10, rate_hz=8_000)}
    sounds["clipped"] = clipped(10, 8_000)
    sounds["bit"] = np.random.default_rng(1).integers(0, 2, 80_000).astype(np.int16)
    sounds["pushed"] = sounds["room"] + np.int16(5_000)
    samples = np.concatenate([sounds[kind][:n] for kind, n in parts])
    watch, heard = FaultWatch(), 0
    for part in cut_up(samples, sizes):
        said = watch.feed(part, 8_000)
        heard += len(part)
        if heard % 7 == 0 or heard == len(samples):
            assert said == FaultWatch().feed(samples[:heard], 8_000)


def test_nothing_new_changes_nothing() -> None:
    """An empty chunk asks again; another rate begins a new count, and the fault returns in time."""
    watch = FaultWatch()
    assert watch.feed(silence(0), 16_000) == "ok"
    assert watch.feed(silence(6.0), 16_000) == "digital_silence"
    assert watch.feed(silence(0), 16_000) == "digital_silence"
    assert watch.feed(silence(1.0, 48_000), 48_000) == "ok"
    assert watch.feed(silence(5.0, 48_000), 48_000) == "digital_silence"
