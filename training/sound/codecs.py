"""What a phone, a camera or an intercom does to sound before we get it: real encoders, there and back.

Too slow for every window of every epoch (1 to 12 ms per second of sound): run it once over whole recordings.
"""

import io
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import soxr

from model.decoding.frames import pcm_frames
from monitord.pcm import Resampler
from monitord.types import RATE_HZ, Pcm


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to encode; all of them mono."""

    name: str
    encoder: str
    """FFmpeg's name."""
    container: str
    """FFmpeg's name of a container that holds it."""
    rate_hz: int
    """Sample rate at which it is encoded (hertz)."""
    bit_rate: int = 0
    """Bits per second; 0 where the codec has only one."""
    delay: int = 0
    """By how much its output comes late, beyond what the container declares (samples at 16 kHz), as measured."""


CODECS: Final = (
    # Old Android voice recorders: the corpus' own .3gp files.
    Codec("amr_nb_12k2", "libopencore_amrnb", "amr", 8_000, 12_200, delay=80),
    Codec("amr_nb_4k75", "libopencore_amrnb", "amr", 8_000, 4_750, delay=80),
    # Calls and browsers, at the bit rates of a bad network.
    Codec("opus_12k", "libopus", "ogg", 16_000, 12_000),
    Codec("opus_6k", "libopus", "ogg", 16_000, 6_000),
    # Old iPhone recorders (the corpus' .caf files use the QuickTime kind of the same code) and cheap cameras.
    Codec("ima_adpcm_16k", "adpcm_ima_wav", "wav", 16_000),
    Codec("ima_adpcm_8k", "adpcm_ima_wav", "wav", 8_000),
    # IP cameras: G.711, and AAC at the lowest bit rate they offer.
    Codec("mu_law", "pcm_mulaw", "wav", 8_000),
    Codec("aac_16k", "aac", "adts", 16_000, 16_000, delay=1_024),
)
"""What families have, by the codecs that our sources meet."""


def round_trip(samples: Pcm, codec: Codec) -> Pcm:
    """Encodes and decodes. int16 [n] at 16 kHz in and out, same length, in step with the input."""
    if len(samples) == 0:
        return samples
    # Silence behind it, so that the last sound is out before the codec's delay ends.
    padded = np.concatenate([samples, np.zeros(codec.delay, np.int16)])
    file = _encode(padded, codec)
    parts: list[Pcm] = []
    resampler: Resampler | None = None
    with av.open(file, mode="r", format=_demuxer(codec)) as container:
        for decoded, rate_hz in pcm_frames(container, codec.name):
            resampler = resampler or Resampler(rate_hz)
            parts.append(resampler.feed(decoded))
    if resampler is None:
        raise AssertionError(f"{codec.name} gave no sound back")
    heard = np.concatenate([*parts, resampler.flush()])[codec.delay : codec.delay + len(samples)]
    return np.pad(heard, (0, len(samples) - len(heard)))


def _encode(samples: Pcm, codec: Codec) -> io.BytesIO:
    """Returns a file in memory, rewound."""
    if codec.rate_hz != RATE_HZ:
        narrow = soxr.resample(samples.astype(np.float32), RATE_HZ, codec.rate_hz)
        samples = np.clip(np.rint(narrow), -32_768, 32_767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = codec.rate_hz
    frame.pts = 0
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=codec.rate_hz, layout="mono")
        if not isinstance(stream, av.AudioStream):
            raise ValueError(f"{codec.encoder} encodes no sound")  # noqa: TRY004  the table is wrong, not a type
        if codec.bit_rate:
            stream.bit_rate = codec.bit_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    file.seek(0)
    return file


def _demuxer(codec: Codec) -> str:
    return "aac" if codec.container == "adts" else codec.container
