"""The energy gate: levels in dBFS, a floor that falls at once and rises slowly, and the rule for loud rooms."""

import numpy as np
import pytest

from monitord.listening.gate import SILENCE_DBFS, Gate, GateParams, frame_dbfs
from monitord.types import Pcm
from tests.support.sound.sounds import noise, tone

FRAME_S = 0.02
FRAME = 320


def gate(**changes: float) -> Gate:
    return Gate(GateParams(**changes), FRAME_S)  # type: ignore[arg-type]


def levels(samples: Pcm) -> list[float]:
    return list(frame_dbfs(samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)))


def feed(one: Gate, dbfs: float, duration_s: float) -> list[bool]:
    return [one.is_sound(dbfs) for _ in range(round(duration_s / FRAME_S))]


def test_levels_are_rms_against_full_scale() -> None:
    """A full-scale square is 0 dBFS, a sine with its peak at -6 dBFS is 3 dB lower, silence is -96 and finite."""
    square = np.full((1, FRAME), -32_768, np.int16)
    assert frame_dbfs(square) == pytest.approx(0.0)
    sine = tone(500, 0.02)  # ten whole periods
    assert frame_dbfs(sine.reshape(1, -1)) == pytest.approx(-6 - 3.01, abs=0.01)
    assert frame_dbfs(np.zeros((2, FRAME), np.int16)).tolist() == [SILENCE_DBFS] * 2
    assert np.mean(levels(noise(1.0, rms_dbfs=-50))) == pytest.approx(-50, abs=0.1)


def test_in_a_silent_room_the_least_level_decides() -> None:
    """However quiet the room, what is under the least level is no sound; over it, it is at once."""
    one = gate()
    assert not any(feed(one, SILENCE_DBFS, 20.0))
    assert one.floor_dbfs == SILENCE_DBFS
    assert not one.is_sound(-75.0)
    assert one.is_sound(-74.9)


def test_a_sound_stands_out_by_the_margin() -> None:
    """Once the floor is known, a frame 6 dB over it is no sound yet, and one just above that is."""
    one = gate()
    feed(one, -60.0, 30.0)
    assert one.floor_dbfs == -60.0
    assert not one.is_sound(-54.0)
    assert one.is_sound(-53.9)


def test_the_floor_falls_at_once_and_rises_slowly() -> None:
    """Down within the 0.8 s that a tenth of the history takes, up by 3 dB a second at most after it."""
    one = gate()
    feed(one, -50.0, 30.0)
    feed(one, -70.0, 1.0)
    assert one.floor_dbfs == -70.0
    seen = []
    for _ in range(150):
        feed(one, -40.0, 0.2)
        seen.append(one.floor_dbfs)
    rises = np.diff([-70.0, *seen])
    assert rises.min() >= 0.0
    assert rises.max() == pytest.approx(0.6)  # 3 dB/s for 0.2 s
    assert seen[-1] == -40.0


def test_a_stream_that_begins_in_a_cry_hears_it() -> None:
    """Twelve seconds of crying without a breath, from the first frame on, are sound to the end."""
    assert all(feed(gate(), -20.0, 12.0))


def test_pauses_keep_the_floor_down() -> None:
    """A cry with breaths does not become the room: after five minutes it still stands out."""
    one = gate()
    for _ in range(200):  # 1.2 s of cry, 0.3 s of breath: a fifth of the time is quiet, more than a tenth
        heard = feed(one, -20.0, 1.2)
        feed(one, -65.0, 0.3)
    assert all(heard)
    assert one.floor_dbfs == -65.0


def test_a_loud_room_is_noisy_and_a_quiet_one_is_not() -> None:
    """From a floor of -52 dBFS on, the gate says that it may not decide."""
    one = gate()
    feed(one, -52.1, 40.0)
    assert not one.noisy
    feed(one, -52.0, 40.0)
    assert one.noisy


def test_noise_does_not_open_it() -> None:
    """White noise of a known room never stands out: its frames differ by less than the margin."""
    one = gate()
    room = levels(noise(60.0, rms_dbfs=-60))
    heard = [one.is_sound(dbfs) for dbfs in room]
    assert not any(heard[round(15 / FRAME_S) :])  # 7.2 s until the history knows the room, then 3 dB a second
