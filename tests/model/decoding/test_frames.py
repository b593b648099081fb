"""Encoded sound to samples: every container that phones and cameras make, every sample once, at its own rate."""

import io
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from model.decoding.frames import pcm_frames
from monitord.errors import SourceError
from monitord.types import Pcm
from tests.support.sound.matching import find
from tests.support.sound.media import encoded, write_media, write_video
from tests.support.sound.sounds import chirp, tone, write_wav


def decoded(file: Path | bytes) -> tuple[Pcm, list[int]]:
    """All samples of a file, and the rates that were seen, each once in order."""
    parts: list[Pcm] = []
    rates: list[int] = []
    with av.open(io.BytesIO(file) if isinstance(file, bytes) else str(file), "r") as container:
        for samples, rate_hz in pcm_frames(container, "the file"):
            assert samples.dtype == np.int16
            assert samples.ndim == 1
            parts.append(samples)
            if rate_hz not in rates[-1:]:
                rates.append(rate_hz)
    return np.concatenate(parts), rates


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize(("suffix", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("caf", "pcm_s16be")])
def test_what_loses_nothing_comes_out_as_it_went_in(tmp_path: Path, suffix: str, codec: str, rate_hz: int) -> None:
    """Lossless containers give the very samples, at the file's own rate."""
    samples = chirp(200, 3_000, 0.5, rate_hz=rate_hz)
    heard, rates = decoded(write_media(tmp_path / f"x.{suffix}", samples, codec, rate_hz=rate_hz))
    assert rates == [rate_hz]
    assert np.array_equal(heard, samples)


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz", "channels"),
    [
        ("mp3", "libmp3lame", 44_100, 2),
        ("adts", "aac", 16_000, 1),
        ("3gp", "aac", 8_000, 1),
        ("mov", "aac", 48_000, 2),
        ("ogg", "libopus", 48_000, 1),
        ("mpegts", "aac", 44_100, 1),
        ("wav", "pcm_mulaw", 8_000, 1),
        ("wav", "pcm_f32le", 44_100, 2),
    ],
)
def test_what_phones_and_cameras_send(tmp_path: Path, container: str, codec: str, rate_hz: int, channels: int) -> None:
    """Lossy codecs, floating point and stereo come out as int16 mono that is the sound that went in."""
    samples = chirp(300, 2_000, 1.0, rate_hz=rate_hz)
    file = tmp_path / "x.bin"
    if container in ("3gp", "mov"):  # these must seek while they write
        file = write_media(tmp_path / f"x.{container}", samples, codec, rate_hz=rate_hz, channels=channels)
    else:
        file.write_bytes(encoded(samples, container, codec, rate_hz=rate_hz, channels=channels))
    heard, rates = decoded(file)
    assert rates == [rate_hz]
    _, fit = find(samples[rate_hz // 10 : -rate_hz // 10], heard)
    assert fit > 0.98


def test_stereo_is_mixed_to_the_mean(tmp_path: Path) -> None:
    """One subscriber hears both channels; two loud ones do not wrap around."""
    left, right = tone(440, 0.5, peak_dbfs=-0.1), tone(440, 0.5, peak_dbfs=-6.1)
    heard, _ = decoded(write_wav(tmp_path / "x.wav", np.stack([left, right], axis=1)))
    assert np.abs(heard - (left.astype(int) + right) / 2).max() <= 1


def test_the_sound_of_a_video(tmp_path: Path) -> None:
    """A phone's video: only its sound is taken."""
    sound = chirp(300, 2_000, 1.0)
    heard, rates = decoded(write_video(tmp_path / "x.mp4", sound))
    assert rates == [16_000]
    assert find(sound[2_000:-2_000], heard)[1] > 0.98


def test_a_video_without_sound_is_refused_by_name(tmp_path: Path) -> None:
    """It says what was found in it, and what would help."""
    path = write_video(tmp_path / "x.mp4", None)
    with (
        av.open(str(path)) as container,
        pytest.raises(SourceError, match=r"the file: holds no sound \(found: video\); give"),
    ):
        next(pcm_frames(container, "the file"))


def test_the_format_may_change_in_mid_stream() -> None:
    """A camera that switches rate and channels while it sends: both parts are heard whole, each at its own rate."""
    first, second = chirp(300, 2_000, 1.0), chirp(2_000, 300, 1.0, rate_hz=44_100)
    stream = encoded(first, "adts", "aac") + encoded(second, "adts", "aac", rate_hz=44_100, channels=2)
    by_rate: dict[int, list[Pcm]] = {}
    with av.open(io.BytesIO(stream), "r") as container:
        for samples, rate_hz in pcm_frames(container, "the stream"):
            by_rate.setdefault(rate_hz, []).append(samples)
    assert list(by_rate) == [16_000, 44_100]
    assert find(first[2_000:-2_000], np.concatenate(by_rate[16_000]))[1] > 0.98
    assert find(second[5_000:-5_000], np.concatenate(by_rate[44_100]))[1] > 0.98


def test_wrong_time_stamps_insert_and_drop_nothing(tmp_path: Path) -> None:
    """Samples are counted, not timed: frames that say they come an hour later, or again, are heard as they are."""
    sound, path = chirp(300, 2_000, 0.4), tmp_path / "x.mka"
    with av.open(str(path), "w", format="matroska") as output:
        stream = output.add_stream("pcm_s16le", rate=16_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        for start, pts in ((0, 0), (1_600, 3_600 * 16_000), (3_200, 3_600 * 16_000), (4_800, 7_200 * 16_000)):
            frame = av.AudioFrame.from_ndarray(sound[start : start + 1_600].reshape(1, -1), layout="mono")
            frame.sample_rate, frame.pts = 16_000, pts
            output.mux(stream.encode(frame))
    assert np.array_equal(decoded(path)[0], sound)


def test_what_breaks_off_is_good_up_to_there() -> None:
    """A recording cut in the middle gives what is there, and then it ends or says so; never other sound."""
    sound = chirp(300, 2_000, 2.0)
    whole = encoded(sound, "flac", "flac")
    heard: list[Pcm] = []
    with av.open(io.BytesIO(whole[: len(whole) // 2]), "r") as container, suppress(av.error.FFmpegError):
        heard.extend(samples for samples, _ in pcm_frames(container, "the file"))
    good = np.concatenate(heard)
    assert 4_000 < len(good) < 24_000
    assert np.array_equal(good[:4_000], sound[:4_000])
