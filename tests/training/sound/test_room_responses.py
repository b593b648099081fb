"""Rooms: the direct sound stays in place, the level stays, the folder is checked."""

from pathlib import Path

import numpy as np
import pytest

from monitord.errors import ConfigError
from tests.support.paths import SHARED
from training.sound.room_responses import Room, load_rooms, reverberate

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


def test_silence_stays_silence() -> None:
    """No division by the level of nothing."""
    silence = np.zeros(1_000, np.float32)
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
