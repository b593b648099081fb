"""The process that encodes and draws clips."""

import io
import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import Image

from monitord.types import RATE_HZ, Pcm
from service.capture.child.encoder_main import FRAME, LENGTH_BYTES
from service.messages.spectrogram import PLOT
from tests.support.sound.sounds import silence, tone


def made_of(sound: Pcm) -> tuple[bytes, bytes]:
    """A clip and its picture, as the process gives them."""
    command = [sys.executable, "-m", "service.capture.child.encoder_main", "1796000000.5"]
    out = subprocess.run(command, input=sound.astype("<i2").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    end = LENGTH_BYTES + int.from_bytes(out[:LENGTH_BYTES], "little")
    return out[LENGTH_BYTES:end], out[end:]


def test_a_clip_is_what_was_heard() -> None:
    """As long to a frame, Opus in WebM with its length at the beginning, and as loud within a decibel."""
    sound = tone(440, 2.0, peak_dbfs=-12.0)[: 2 * RATE_HZ - 100]
    clip, _ = made_of(sound)
    with av.open(io.BytesIO(clip)) as container:
        assert container.format.name == "matroska,webm"
        assert container.duration is not None
        stated_s = container.duration / av.time_base
        assert container.streams.audio[0].codec_context.name == "opus"
        heard = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])  # float32, 48 kHz
    assert abs(stated_s - 2.0) <= 2 * FRAME / RATE_HZ
    assert abs(len(heard) / 48_000 - 2.0) <= 2 * FRAME / RATE_HZ
    middle = heard[48_000 // 2 : -48_000 // 2]
    expected_dbfs = 20 * np.log10(np.sqrt(np.mean((sound / 32_768.0) ** 2)))
    assert abs(20 * np.log10(np.sqrt(np.mean(middle**2))) - expected_dbfs) < 1.0


@pytest.mark.parametrize("seconds", [0, 2, 60])
def test_its_picture_is_bright_where_it_is_loud(seconds: int) -> None:
    """Whatever its length, also longer than what is transformed at once, and none at all."""
    _, picture = made_of(np.concatenate([silence(seconds / 2), tone(1000, seconds / 2)]))
    left, top, right, bottom = PLOT
    seen = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))[top:bottom, left:right].max(axis=0)
    middle, edge = (right - left) // 2, 12  # pixels: a frame sees a little of its neighbours
    assert seen[: middle - edge].max() < 60
    assert seconds == 0 or seen[middle + edge : -edge].min() > 150
