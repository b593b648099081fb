"""A quiet night is no fault: rooms, weather and the quietest microphones, an hour in seconds."""

from pathlib import Path

import numpy as np
import pytest

from monitord.listening.listener import ListenerParams
from monitord.pcm import FULL_SCALE
from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ, Pcm
from service.capture.inbox import Inbox
from service.pipeline.channel import SourceChannel
from tests.support.sound.sounds import noise
from training.data.recordings import load_audio

NIGHT_S = 3_600.0
"""Of each kind of noise (seconds)."""


def said_of(sound: Pcm) -> set[str]:
    """All that a channel says of a sound in chunks of half a second."""
    inbox = Inbox("room")
    channel = SourceChannel.of(inbox, ListenerParams(), TrackerParams())
    said = set()
    for start in range(0, len(sound), RATE_HZ // 2):
        inbox.write(sound[start : start + RATE_HZ // 2], RATE_HZ, start / RATE_HZ)
        channel.take()
        said.add(channel.fault)
    return said


@pytest.mark.parametrize("rms_dbfs", [-80, -92])
def test_an_hour_of_the_quietest_microphone(rms_dbfs: float) -> None:
    """Noise of a good microphone in a silent room, and of one whose gain is far too low: alive in every half second."""
    minute = [noise(60.0, rms_dbfs=rms_dbfs, seed=seed) for seed in range(10)]
    assert said_of(np.resize(np.concatenate(minute), round(NIGHT_S * RATE_HZ))) == {"ok"}


@pytest.mark.parametrize(("down_db", "every"), [(0, 2), (40, 3)])
def test_real_rooms(shared_data: Path, down_db: float, every: int) -> None:
    """Household recordings, as they are and at a microphone that hears next to nothing: none is called broken."""
    files = sorted((shared_data / "home").rglob("*.opus"))[::every]
    sounds = [load_audio(file) for file in files]
    assert sum(map(len, sounds)) > 200 * RATE_HZ
    for file, sound in zip(files, sounds, strict=True):
        # Half a minute of each at least; what the microphone itself adds is never less than -92 dBFS.
        loop = np.resize(sound, max(len(sound), 30 * RATE_HZ)).astype(np.float64) * 10 ** (-down_db / 20)
        heard = loop + np.random.default_rng(1).standard_normal(len(loop)) * 10 ** (-92 / 20) * FULL_SCALE
        assert said_of(np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)) == {"ok"}, file
