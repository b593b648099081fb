"""Rooms: the direct sound stays in place, the level stays, the folder is checked."""

from pathlib import Path

import numpy as np
import pytest

from monitord.errors import ConfigError
from tests.support.paths import SHARED
from training.sound.room_responses import Room, behind_wall, far, load_rooms, reverberate

ROOMS = SHARED / "rooms"


def _noise(samples: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal(samples).astype(np.float32)


def test_a_room_adds_its_echo_and_keeps_the_level() -> None:
    """An echo of half height 10 samples after the direct sound stands there, and the energy is the wave's."""
    response = np.array([0, 0, 0, 1, *[0] * 9, 0.5], np.float32)  # direct at 3, echo at 13
    click = np.zeros(100, np.float32)
    click[20] = 0.7
    heard = reverberate(click, Room("echo", response, direct=3))
    assert heard.dtype == np.float32
    assert set(np.flatnonzero(np.abs(heard) > 1e-6)) == {20, 30}
    assert heard[30] / heard[20] == pytest.approx(0.5)
    assert np.vdot(heard, heard) == pytest.approx(0.49, rel=1e-5)


def test_across_the_room_there_is_less_of_the_direct_sound() -> None:
    """6 dB: half of the first wave, and of the table's reflection 2 ms later; the echo after 10 ms stays."""
    response = np.zeros(200, np.float32)
    response[[0, 32, 160]] = 1, 0.4, 0.5
    there = far(Room("any", response, 0), 20 * np.log10(2)).response
    assert there[32] / there[0] == pytest.approx(0.4)
    assert there[160] / there[0] == pytest.approx(1.0)
    assert np.linalg.norm(there) == pytest.approx(1.0)
    near = far(Room("any", response / np.linalg.norm(response), 0), 0.0).response
    np.testing.assert_allclose(near, response / np.linalg.norm(response), rtol=1e-6)


def test_a_wall_takes_the_high_frequencies() -> None:
    """From 500 Hz on: 2 kHz is 12 dB under 200 Hz, give or take what the corner costs, and the level stays."""
    t_s = np.arange(16_000) / 16_000
    both = (np.sin(2 * np.pi * 200 * t_s) + np.sin(2 * np.pi * 2_000 * t_s)).astype(np.float32)
    power = np.abs(np.fft.rfft(behind_wall(both, 500.0)))
    assert 20 * np.log10(power[200] / power[2_000]) == pytest.approx(12, abs=2)
    assert np.std(behind_wall(both, 500.0)) == pytest.approx(np.std(both), rel=1e-3)


def test_silence_stays_silence() -> None:
    """No division by the level of nothing."""
    silence = np.zeros(1_000, np.float32)
    np.testing.assert_array_equal(behind_wall(silence, 900.0), silence)
    np.testing.assert_array_equal(reverberate(silence, Room("any", np.ones(9, np.float32), 0)), silence)


def test_a_folder_without_rooms_is_refused(tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(ConfigError, match=tmp_path.name):
        load_rooms(tmp_path)


@pytest.mark.skipif(not ROOMS.is_dir(), reason="needs the impulse responses of ../shared/data/rooms")
def test_the_measured_rooms_load() -> None:
    """Energy 1, at most a second after the direct sound, and length and level of a wave kept in each."""
    rooms = load_rooms(ROOMS)
    assert len(rooms) == 20
    wave = _noise(15_600)
    for room in rooms:
        assert np.linalg.norm(room.response) == pytest.approx(1, rel=1e-4)
        assert len(room.response) <= room.direct + 16_000
        heard = reverberate(wave, room)
        assert heard.shape == wave.shape
        assert np.linalg.norm(heard) == pytest.approx(np.linalg.norm(wave), rel=1e-4)
