"""Rooms: measured impulse responses, and how a wave sounds in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from monitord.errors import ConfigError
from monitord.types import RATE_HZ
from training.data.recordings import load_audio
from training.sound.augment import Wave

LONGEST_TAIL_S: Final = 1.0
"""Cut off after the direct sound (seconds): what a window of 0.975 s hears of a room, and what keeps this fast."""
DIRECT_S: Final = 0.0025
"""Around the largest value (seconds): what comes straight, and off the table that the microphone stands on."""


@dataclass(frozen=True, slots=True)
class Room:
    """One measured place of a loudspeaker and a microphone."""

    name: str
    """File name without suffix."""
    response: NDArray[np.float32]
    """float32 [samples] at 16 kHz, energy 1."""
    direct: int
    """Index of the direct sound (samples at 16 kHz): the largest value."""


def load_rooms(folder: Path) -> list[Room]:
    """Returns every `*.flac` of a folder, sorted by name.

    Raises:
        ConfigError: There is none.
        SourceError: One of them is no sound.
    """
    paths = sorted(folder.glob("*.flac"))
    if not paths:
        raise ConfigError(f"{folder}: no room impulse responses (*.flac)")
    return [_room(path) for path in paths]


def reverberate(wave: Wave, room: Room) -> Wave:
    """Returns the wave as heard in a room: float32 [n], direct sound where it was, same root mean square."""
    heard = fftconvolve(wave, room.response)[room.direct : room.direct + len(wave)]
    before, after = float(np.vdot(wave, wave)), float(np.vdot(heard, heard))
    return np.asarray(heard * np.sqrt(before / after) if after > 0 else heard, np.float32)


def far(room: Room, direct_db: float) -> Room:
    """Returns the room with its direct sound damped by so many decibels: the microphone stands across it, or outside.

    What arrives within `DIRECT_S` of the first wave counts as direct; the response keeps its energy of 1.
    """
    reach = int(DIRECT_S * RATE_HZ)
    damped = room.response.copy()
    damped[max(0, room.direct - reach) : room.direct + reach] *= np.float32(10.0 ** (-direct_db / 20.0))
    return Room(room.name, damped / np.linalg.norm(damped), room.direct)


def behind_wall(wave: Wave, above_hz: float) -> Wave:
    """Returns the wave through a wall or a closed door: 6 dB an octave softer above a frequency, same root mean square.

    Args:
        wave: float32 [n].
        above_hz: Where it begins to fall (hertz).
    """
    keep = np.exp(-2.0 * np.pi * above_hz / RATE_HZ)
    heard = np.asarray(lfilter([1.0 - keep], [1.0, -keep], wave), np.float32)
    before, after = float(np.vdot(wave, wave)), float(np.vdot(heard, heard))
    return np.asarray(heard * np.sqrt(before / after) if after > 0 else heard, np.float32)


def _room(path: Path) -> Room:
    response = load_audio(path).astype(np.float32)
    direct = int(np.abs(response).argmax())
    response = response[: direct + int(LONGEST_TAIL_S * RATE_HZ)]
    return Room(path.stem, response / np.linalg.norm(response), direct)
