"""The process that encodes clips."""

import io
import subprocess
import sys

import av
import numpy as np

from monitord.types import RATE_HZ
from service.capture.child.encoder_main import FRAME
from tests.support.sound.sounds import tone


def test_a_clip_is_what_was_heard() -> None:
    """As long to a frame, Opus in WebM with its length at the beginning, and as loud within a decibel."""
    sound = tone(440, 2.0, peak_dbfs=-12.0)[: 2 * RATE_HZ - 100]
    command = [sys.executable, "-m", "service.capture.child.encoder_main"]
    clip = subprocess.run(command, input=sound.astype("<i2").tobytes(), stdout=subprocess.PIPE, check=True).stdout
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
