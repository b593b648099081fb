"""Video whose sound starts later than its picture: as FLV, with a header that says so or not, and as MPEG-TS."""

import io
from fractions import Fraction

import av
import numpy as np

from monitord.types import RATE_HZ, Pcm
from tests.support.servers.paced_http import Piece

FPS = 10
"""Pictures in a second."""

_FLV_HEAD = 13
_FLV_SOUND = 8


def late_flv(sound: Pcm, late_s: float, *, announced: bool) -> list[Piece]:
    """Returns video whose sound is left out until `late_s`; `announced`: whether the header says that it has any."""
    content = _video(sound, 0.0, "flv", "flv", "libmp3lame")
    pieces, position = [(0.0, content[:4] + bytes([5 if announced else 1]) + content[5:_FLV_HEAD])], _FLV_HEAD
    while position + 11 <= len(content):
        kind, size = content[position], int.from_bytes(content[position + 1 : position + 4])
        at_s = int.from_bytes(content[position + 4 : position + 7]) / 1e3
        end = position + 11 + size + 4
        if kind == 9 or (kind == _FLV_SOUND and at_s >= late_s):  # without the words about it, which name the sound
            pieces.append((at_s, content[position:end]))
        position = end
    return pieces


def late_transport(sound: Pcm, late_s: float) -> list[Piece]:
    """Returns a transport stream whose table of programmes names the sound from `late_s` on."""
    before = _video(sound[: round(late_s * RATE_HZ)], 0.0, "mpegts", "mpeg2video", None)
    after = _video(sound[round(late_s * RATE_HZ) :], late_s, "mpegts", "mpeg2video", "mp2")
    pieces: list[Piece] = []
    for content, start_s, length_s in (
        (before, 0.0, late_s),
        (after, late_s, len(sound) / RATE_HZ - late_s),
    ):
        packets = len(content) // 188
        pieces += [
            (start_s + length_s * packet / packets, content[188 * packet : 188 * (packet + 1)])
            for packet in range(packets)
        ]
    return pieces


def _video(sound: Pcm, start_s: float, container: str, picture: str, codec: str | None) -> bytes:
    buffer = io.BytesIO()
    seconds = len(sound) / RATE_HZ
    with av.open(buffer, "w", format=container) as output:
        rate = 25 if picture == "mpeg2video" else FPS
        video = output.add_stream(picture, rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        packets = []
        audio = None if codec is None else output.add_stream(codec, rate=44_100 if container == "flv" else 48_000)
        for number in range(round(seconds * rate)):
            grey = np.full((48, 64, 3), number % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = number + round(start_s * rate), Fraction(1, rate)
            packets += video.encode(frame)
        packets += video.encode()
        if audio is not None:
            assert isinstance(audio, av.AudioStream)
            audio.layout = "mono"
            frame_of = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
            frame_of.sample_rate = RATE_HZ
            frame_of.pts, frame_of.time_base = round(start_s * RATE_HZ), Fraction(1, RATE_HZ)
            resampler = av.AudioResampler(format=audio.format, layout="mono", rate=audio.rate, frame_size=1152)
            for piece in (*resampler.resample(frame_of), *resampler.resample(None)):
                packets += audio.encode(piece)
            packets += audio.encode()
        timed = [packet for packet in packets if packet.dts is not None]
        for packet in sorted(timed, key=lambda packet: float(packet.dts * packet.time_base)):
            output.mux(packet)
    return buffer.getvalue()
