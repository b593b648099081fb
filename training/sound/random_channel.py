"""One way from a cot to a microphone, drawn by chance, for a whole recording: room, wall, noise, codec and level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from training.sound.augment import Wave, active_rms, clip, fit, mix
from training.sound.codecs import CODECS, round_trip
from training.sound.noises import hisses
from training.sound.room_responses import Room, behind_wall, far, reverberate


@dataclass(frozen=True, slots=True)
class ChannelParams:
    """What may be on the way, and how much of it. A chance is a share of the recordings."""

    p_room: float = 0.5
    far_db: tuple[float, float] = (-6.0, 6.0)
    """Decibels by which a room's direct sound is damped; under 0, not at all."""
    p_wall: float = 0.3
    wall_hz: tuple[float, float] = (500.0, 4_000.0)
    """From where a wall or a closed door takes the high frequencies away (hertz)."""
    p_hiss: float = 0.7
    hiss_db: tuple[float, float] = (20.0, 55.0)
    """Decibels of the cry over the microphone's own noise."""
    p_noise: float = 0.0
    """Of other sound in the house."""
    noise_db: tuple[float, float] = (10.0, 30.0)
    """Decibels of the cry over it."""
    p_codec: float = 0.0
    """Of a phone's or a camera's codec."""
    level_dbfs: tuple[float, float] = (-45.0, -12.0)
    """Active level at the microphone."""


ROOMS: Final = ChannelParams()
"""Rooms, walls and a microphone's noise, at any level."""
HOUSEHOLD: Final = ChannelParams(p_noise=0.5, p_codec=0.4)
"""The same with other sound in the house, and codecs."""


class RandomChannel:
    """Draws the way of each recording.

    Args:
        rooms: Room responses.
        noises: Other sound, float32 [samples] each; none may be silent.
        params: What may be on the way.
    """

    def __init__(self, rooms: Sequence[Room], noises: Sequence[Wave], params: ChannelParams) -> None:
        self._rooms, self._noises, self._params = rooms, noises, params
        self._hisses = hisses(np.random.default_rng(0))

    def through(self, samples: Pcm, rng: np.random.Generator) -> Pcm:
        """Returns int16 [n] at 16 kHz as it arrives, in step with int16 [n] that set out."""
        params = self._params
        x = samples.astype(np.float32) / np.float32(FULL_SCALE)
        if rng.random() < params.p_room:
            room = self._rooms[int(rng.integers(len(self._rooms)))]
            x = reverberate(x, far(room, max(0.0, rng.uniform(*params.far_db))))
        if rng.random() < params.p_wall:
            x = behind_wall(x, float(np.exp(rng.uniform(*np.log(params.wall_hz)))))
        if rng.random() < params.p_noise:
            noise = self._noises[int(rng.integers(len(self._noises)))]
            x = mix(x, fit(noise, len(x), rng), rng.uniform(*params.noise_db))
        if rng.random() < params.p_hiss:
            hiss = self._hisses[rng.integers(len(self._hisses))]
            x = mix(x, fit(hiss, len(x), rng), rng.uniform(*params.hiss_db))
        arrived = at_level(x, rng.uniform(*params.level_dbfs))
        if rng.random() < params.p_codec:
            arrived = round_trip(arrived, CODECS[rng.integers(len(CODECS))])
        return arrived


def at_level(wave: Wave, level_dbfs: float) -> Pcm:
    """Returns int16 [n] of a wave at an active level (dBFS), cut at full scale; silence stays silence."""
    loud = active_rms(wave)
    x = wave if loud == 0 else wave * np.float32(10 ** (level_dbfs / 20) / loud)
    return np.asarray(np.rint(clip(x) * (FULL_SCALE - 1)), np.int16)
