"""The process that encodes and draws a clip, run as `python -m service.capture.child.encoder_main BEGIN`.

BEGIN is the wall time of the first sample (Unix seconds). On standard input come int16 mono samples at 16 kHz; on
standard output the length of a WebM file with Opus (4 bytes, little-endian), that file, and its spectrogram, a PNG.
WebM, for browsers play it everywhere; in memory, for only what can be rewound gets its length written at its
beginning, and pages show it.
"""

import contextlib
import io
import os
import sys
from datetime import UTC, datetime
from typing import Final

RATE_HZ: Final = 16_000
"""Of the samples (hertz)."""
BIT_RATE: Final = 32_000
"""Bits a second: a voice sounds as it did, and an hour takes 14 MB."""
LENGTH_BYTES: Final = 4
"""Of the length of the WebM file."""
FRAME: Final = 320
"""Samples: 20 ms, Opus's usual frame."""


def encode(samples: bytes) -> bytes:
    """Returns a WebM file of little-endian int16 mono samples at 16 kHz; the last frame is filled up with silence."""
    import av  # noqa: PLC0415 - only this process loads it
    import numpy as np  # noqa: PLC0415

    sound = np.frombuffer(samples, "<i2")
    sound = np.pad(sound, (0, -len(sound) % FRAME))
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        for start in range(0, len(sound), FRAME):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + FRAME], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def draw(samples: bytes, at: float) -> bytes:
    """Returns a PNG of the same samples; they began at `at` (Unix seconds)."""
    import numpy as np  # noqa: PLC0415 - as above

    from service.messages.spectrogram import spectrogram_png  # noqa: PLC0415

    return spectrogram_png(np.frombuffer(samples, "<i2"), title="", at=datetime.fromtimestamp(at, UTC).astimezone())


if __name__ == "__main__":
    with contextlib.suppress(PermissionError):  # a service may be forbidden to choose
        os.nice(10)  # a clip has time, hearing has none
    sound = sys.stdin.buffer.read()
    clip = encode(sound)
    sys.stdout.buffer.write(len(clip).to_bytes(LENGTH_BYTES, "little") + clip + draw(sound, float(sys.argv[1])))
