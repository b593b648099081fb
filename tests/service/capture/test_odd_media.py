"""Recordings of every odd kind: channels, tracks, stated lengths, chains and damage; what is there is heard."""

import io
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from model.decoding.tracks import Wanted
from monitord.errors import SourceError
from monitord.types import RATE_HZ, Pcm
from service.capture.child.sound import Lost, Sound
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.recording import check_file, file_sound
from service.capture.source import SourceState
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import find, wait_for_state
from tests.support.sound.media import encoded, write_media, write_tracks
from tests.support.sound.sounds import chirp, noise, tone, write_wav

SOUND = chirp(300, 3_000, 8.0)
"""8 s at 16 kHz: each part of it is like no other."""


def heard(path: Path, wanted: Wanted | None = None) -> tuple[Pcm, int, Sound]:
    """All sound of a recording, how much of it was lost (samples), and its newest run."""
    records = list(file_sound(path, wanted=wanted or Wanted()))
    sounds = [record for record in records if isinstance(record, Sound)]
    lost = sum(record.n for record in records if isinstance(record, Lost))
    return np.concatenate([sound.samples for sound in sounds]), lost, sounds[-1]


def interleaved(path: Path, channels: int, loud: int) -> Path:
    """A WAV with many channels, of which one has the sound."""
    samples = np.zeros((len(SOUND), channels), np.int16)
    samples[:, loud] = SOUND
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def laid_out(layout: str, codec: str, container: str, channels: int, options: dict[str, str] | None = None) -> bytes:
    """The sound on the first channel of a layout that FFmpeg has no mix to mono for, or one without anything in it."""
    samples = np.zeros((len(SOUND), channels), np.int16)
    samples[:, 0] = SOUND
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE_HZ, layout=layout, options=options or {})
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts = RATE_HZ, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize(("channels", "loud"), [(2, 0), (2, 1), (4, 3), (6, 3), (8, 7), (9, 4), (16, 15)])
def test_any_number_of_channels(tmp_path: Path, channels: int, loud: int) -> None:
    """The one that has the sound is heard at its full level, sample for sample, and is named."""
    samples, _, newest = heard(interleaved(tmp_path / "a.wav", channels, loud))
    assert np.array_equal(samples, SOUND)
    assert newest.part == f"channel {loud + 1} of {channels}"


LAYOUTS: dict[str, list[tuple[str, str, int, dict[str, str]]]] = {
    "flac": [("1 channels (LFE)", "flac", 1, {}), ("2.1", "flac", 3, {})],
    "ogg": [
        ("ambisonic 1", "libopus", 4, {"mapping_family": "2"}),
        ("9 channels", "libopus", 9, {"mapping_family": "255"}),
    ],
}


@pytest.mark.parametrize("container", LAYOUTS)
def test_layouts_that_nobody_mixes(tmp_path: Path, container: str) -> None:
    """Low frequencies alone, ambisonics, nine channels: what FFmpeg refuses or leaves out is heard."""
    path = tmp_path / f"a.{container}"
    for layout, codec, channels, options in LAYOUTS[container]:
        path.write_bytes(laid_out(layout, codec, container, channels, options))
        samples, _, _ = heard(path)
        step = len(samples) // len(SOUND)  # Opus gives 48 kHz
        expected = chirp(300, 3_000, 8.0, rate_hz=step * RATE_HZ)
        assert find(expected[step * RATE_HZ : 7 * step * RATE_HZ], samples)[1] > 0.95


def test_opposite_channels_are_heard_and_told(tmp_path: Path) -> None:
    """A balanced microphone on a stereo input: heard at its level; the inbox says what is wrong with the wiring."""
    cry = np.where(np.arange(12 * RATE_HZ) % (2 * RATE_HZ) < 1.2 * RATE_HZ, tone(500, 12.0, peak_dbfs=-20), 0)
    path = write_wav(tmp_path / "a.wav", np.stack([cry, -cry], axis=1).astype(np.int16))
    inbox = Inbox("file")
    source = FileSource("file", path, inbox, realtime=False, loop=False)
    source.start()
    wait_for_state(source, SourceState.ENDED)
    assert source.stop(PATIENCE_S)
    assert inbox.opposite
    assert source.status().part == "" or "channel 1 of 2" in source.status().part
    assert np.abs(heard(path)[0]).max() == np.abs(cry).max()


EMPTY, FAINT = SOUND * 0, noise(8.0, rms_dbfs=-80)


@pytest.mark.parametrize(
    ("tracks", "marked", "expected"),
    [
        ((FAINT, SOUND), 1, 2),  # marked
        ((FAINT, SOUND), 0, 1),  # marked, however faint: a quiet room is no empty track
        ((EMPTY, SOUND), 0, 2),  # marked by a program that marks the first, and empty
        ((FAINT, SOUND), None, 2),  # far quieter
        ((SOUND, SOUND // 2), None, 1),  # the first of two alike
        ((SOUND // 2, SOUND), None, 1),
        ((EMPTY, EMPTY, SOUND), None, 3),
        ((EMPTY, EMPTY), None, 1),
        ((SOUND[:16_000], EMPTY[:16_000]), None, 1),  # shorter than the look
    ],
)
def test_of_several_tracks_the_one_with_the_sound(
    tmp_path: Path, tracks: tuple[Pcm, ...], marked: int | None, expected: int
) -> None:
    """The one marked default, else the first that is not silent; all of it from its first sample, and it is named."""
    samples, _, newest = heard(write_tracks(tmp_path / "a.mka", *tracks, marked=marked))
    assert newest.part == f"track {expected} of {len(tracks)}"
    assert np.array_equal(samples, tracks[expected - 1])


WORDS = ({"language": "eng", "title": "Door"}, {"language": "deu", "title": "Cot"}, {"language": "deu"})


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(track=3), 2),
        (Wanted(track="cot"), 1),
        (Wanted(language="eng"), 0),
        (Wanted(language="en"), 0),
        (Wanted(language="deu"), 1),
        (Wanted(track=3, language="deu"), 2),
    ],
)
def test_a_track_may_be_asked_for(tmp_path: Path, wanted: Wanted, expected: int) -> None:
    """By its number, its title, its language; whatever is marked."""
    tracks = [tone(at_hz, 1.0) for at_hz in (500, 700, 900)]
    path = write_tracks(tmp_path / "a.mka", *tracks, marked=0, words=WORDS)
    samples, _, newest = heard(path, wanted)
    assert np.array_equal(samples, tracks[expected])
    assert newest.part.startswith(f"track {expected + 1} of 3 ({WORDS[expected]['language']}")


@pytest.mark.parametrize("wanted", [Wanted(track=4), Wanted(track="hall"), Wanted(language="fra")])
def test_a_track_that_is_not_there_is_refused(tmp_path: Path, wanted: Wanted) -> None:
    """With a list of those that are."""
    path = write_tracks(tmp_path / "a.mka", *[SOUND[:RATE_HZ]] * 3, words=WORDS)
    with pytest.raises(SourceError, match=r"a\.mka: has no audio of .*track 1 of 3 \(eng, Door\); track 2 of 3"):
        check_file(path, wanted)


def wav(samples: Pcm, stated: int, behind: bytes = b"") -> bytes:
    """A WAV whose header states so many bytes of sound."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    riff = struct.pack("<I", min(stated + 36, 0xFFFFFFFF))
    return b"RIFF" + riff + b"WAVEfmt " + form + b"data" + struct.pack("<I", stated) + samples.tobytes() + behind


@pytest.mark.parametrize("stated", [0, 2, 64_000, 2 * len(SOUND), 0x7FFFFFF0, 0xFFFFFFFF])
def test_a_stated_length_is_not_believed(tmp_path: Path, stated: int) -> None:
    """All that is there is heard, once, whatever the header says: none, less, more, or that it did not know."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(SOUND, stated))
    assert np.array_equal(heard(path)[0], SOUND)


@pytest.mark.parametrize("kind", ["aiff", "caf", "w64"])
def test_nor_is_it_in_other_containers(tmp_path: Path, kind: str) -> None:
    """Sound that a recorder wrote behind the length that its header states is heard."""
    codec = {"aiff": "pcm_s16be"}.get(kind, "pcm_s16le")
    path = write_media(tmp_path / f"a.{kind}", SOUND[: 4 * RATE_HZ], codec)
    with path.open("ab") as file:
        file.write(SOUND[4 * RATE_HZ :].astype(">i2" if kind == "aiff" else "<i2").tobytes())
    assert np.array_equal(heard(path)[0], SOUND)


def test_tags_are_no_sound(tmp_path: Path) -> None:
    """What a chunk behind the sound holds is not played."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(SOUND, 2 * len(SOUND), b"LIST" + struct.pack("<I", 20_000) + bytes(range(250)) * 80))
    assert np.array_equal(heard(path)[0], SOUND)


def test_two_recordings_in_one_file(tmp_path: Path) -> None:
    """One WAV put behind another, at another rate: both are heard."""
    path = tmp_path / "a.wav"
    second = chirp(3_000, 300, 2.0, rate_hz=8_000)
    path.write_bytes(wav(SOUND, 2 * len(SOUND)) + encoded(second, "wav", "pcm_s16le", rate_hz=8_000))
    records = [record for record in file_sound(path) if isinstance(record, Sound)]
    by_rate = {rate: np.concatenate([r.samples for r in records if r.rate_hz == rate]) for rate in (16_000, 8_000)}
    assert np.array_equal(by_rate[16_000], SOUND)
    assert np.array_equal(by_rate[8_000], second)


def test_what_ends_before_its_file_says_so(tmp_path: Path) -> None:
    """Where the rest cannot be heard, it is said how much there is, and what came before is good."""
    path = tmp_path / "a.mka"
    content = write_tracks(path, SOUND).read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\xff" * (len(content) - middle))
    with pytest.raises(
        SourceError, match=r"a\.mka: its sound ends after .* s, before the file does: \d+ bytes|damaged"
    ):
        heard(path)


LINKS = {
    "opus": lambda sound, _, channels: encoded(sound, "ogg", "libopus", rate_hz=48_000, channels=channels),
    "flac": lambda sound, rate_hz, channels: encoded(sound, "ogg", "flac", rate_hz=rate_hz, channels=channels),
}


@pytest.mark.parametrize("first", sorted(LINKS))
@pytest.mark.parametrize("second", sorted(LINKS))
def test_a_chain_that_changes_is_heard_on(tmp_path: Path, first: str, second: str) -> None:
    """Ogg streams one behind the other, of another codec, rate and number of channels: all of each is heard."""
    path = tmp_path / "a.ogg"
    parts = [chirp(300, 3_000, 2.0, rate_hz=16_000), chirp(300, 3_000, 3.0, rate_hz=48_000)]
    if first == "opus":
        parts[0] = chirp(300, 3_000, 2.0, rate_hz=48_000)
    path.write_bytes(LINKS[first](parts[0], 16_000, 1) + LINKS[second](parts[1], 48_000, 2))
    seconds = sum(record.n / record.rate_hz for record in file_sound(path))
    assert seconds == pytest.approx(5.0, abs=0.1)
    newest = [record.samples for record in file_sound(path) if isinstance(record, Sound) and record.rate_hz == 48_000]
    assert find(parts[1][48_000:96_000], np.concatenate(newest))[1] > 0.95


DAMAGED = ["adts aac", "mp3 libmp3lame", "mpegts aac", "flac flac", "ogg libopus", "matroska aac"]


@pytest.mark.parametrize("kind", DAMAGED)
def test_after_damage_the_rest_is_heard(tmp_path: Path, kind: str) -> None:
    """A hole in the middle of a minute: the end of it is heard, and what is missing is counted as lost."""
    container, codec = kind.split()
    sound = np.tile(SOUND, 4)
    sound = np.concatenate([sound, chirp(3_000, 300, 4.0)])
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    sound = np.repeat(sound, rate_hz // RATE_HZ)
    content = bytearray(encoded(sound, container, codec, rate_hz=rate_hz))
    start, rng = len(content) // 3, np.random.default_rng(1)
    content[start : start + len(content) // 50] = rng.bytes(len(content) // 50)
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    samples, lost, _ = heard(path)
    assert lost > 0
    assert (len(samples) + lost) / len(sound) == pytest.approx(1.0, abs=0.03)
    assert len(samples) / len(sound) > 0.75
    assert find(sound[-2 * rate_hz : -rate_hz // 2], samples[-4 * rate_hz :])[1] > 0.9
