"""Recordings: every container, exact and fast in replay, in real time in run, and clear words for the rest."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import ConfigError, SourceError
from monitord.types import RATE_HZ, AudioChunk, Pcm
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.recording import check_file, file_chunks
from service.capture.source import SourceState
from tests.support.paths import SHARED
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import drain, find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import encoded, write_media, write_video
from tests.support.sound.sounds import chirp, write_wav

SOUND = chirp(300, 3000, 2.0)
"""2 s at 16 kHz."""

DONATEACRY = SHARED / "donateacry"


def played(path: Path) -> list[AudioChunk]:
    """Plays the file once, as fast as it goes, and returns all chunks."""
    inbox = Inbox("file", waits=True)
    source = FileSource("file", path, inbox, realtime=False, loop=False)
    source.start()
    chunks: list[AudioChunk] = []

    def over() -> bool:
        chunks.extend(drain(inbox))
        return inbox.drained

    wait_for(over, f"the end of {path.name}")
    assert source.stop(PATIENCE_S)
    return chunks


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.caf", "pcm_s16be"),
        ("a.mka", "pcm_s16le"),
        ("a.aiff", "pcm_s16be"),
    ],
)
def test_lossless_formats_are_exact(tmp_path: Path, name: str, codec: str) -> None:
    """A lossless recording comes out sample for sample, without a hole, and longer than the inbox can hold."""
    sound = np.tile(SOUND, 20)  # 40 s, the ring holds 30
    chunks = played(write_media(tmp_path / name, sound, codec))
    assert np.array_equal(joined(chunks), sound)
    ends = np.cumsum([len(chunk.samples) for chunk in chunks])
    assert [chunk.start for chunk in chunks] == [0, *ends[:-1]]


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.m4a", "aac", 16_000),
        ("a.mp4", "aac", 44_100),
        ("a.3gp", "aac", 16_000),
        ("a.ogg", "libopus", 48_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.caf", "adpcm_ima_qt", 16_000),
    ],
)
def test_lossy_formats_are_heard(tmp_path: Path, name: str, codec: str, rate_hz: int) -> None:
    """What phones record is heard at its own rate."""
    sound = chirp(300, 3000, 2.0, rate_hz=rate_hz)
    chunks = played(write_media(tmp_path / name, sound, codec, rate_hz=rate_hz))
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    _, fit = find(sound[rate_hz // 2 : rate_hz], joined(chunks))
    assert fit > 0.95


def test_stereo_is_mixed(tmp_path: Path) -> None:
    """Two equal channels make the one."""
    chunks = played(write_wav(tmp_path / "a.wav", np.stack([SOUND, SOUND], axis=1)))
    assert np.abs(joined(chunks).astype(int) - SOUND).max() <= 1


def test_video_gives_its_sound(tmp_path: Path) -> None:
    """A phone's video is heard as its sound."""
    _, fit = find(SOUND[8_000:16_000], joined(played(write_video(tmp_path / "a.mp4", SOUND))))
    assert fit > 0.95


def test_real_time(tmp_path: Path) -> None:
    """In real time each chunk comes no earlier than it would have been recorded, and says when that was."""
    source = FileSource("file", write_wav(tmp_path / "a.wav", SOUND), Inbox("file"), realtime=True, loop=False)
    source.start()
    wait_for_state(source, SourceState.ENDED)
    chunks = drain(source.inbox)
    assert np.array_equal(joined(chunks), SOUND)
    played_s = (chunks[-1].start - chunks[0].start) / RATE_HZ  # 1.9 s of 2 s: starts of the first and last chunk
    assert chunks[-1].at - chunks[0].at > played_s - 0.2
    assert source.stop(PATIENCE_S)


def test_loop_has_no_gap(tmp_path: Path) -> None:
    """A looped recording follows on itself without a hole or a doubled sample, and stops in the middle."""
    sound = SOUND[:1_700]  # no multiple of a chunk
    source = FileSource("file", write_wav(tmp_path / "a.wav", sound), Inbox("file"), realtime=True, loop=True)
    source.start()
    heard = listen(source.inbox, 0.5)
    assert source.stop(PATIENCE_S)
    samples = joined(heard)
    assert np.array_equal(samples, np.resize(sound, len(samples)))
    assert heard[-1].start == sum(len(chunk.samples) for chunk in heard[:-1])


def test_stop_frees_a_waiting_reader(tmp_path: Path) -> None:
    """A reader that waits for room in a full inbox leaves when told to."""
    inbox = Inbox("file", waits=True)
    path = write_wav(tmp_path / "a.wav", np.tile(SOUND, 30))  # 60 s, the ring holds 30
    source = FileSource("file", path, inbox, realtime=False, loop=False)
    source.start()
    wait_for(lambda: inbox.held > 29 * RATE_HZ, "a full inbox")
    assert source.stop(PATIENCE_S)


def test_check_accepts_sound(tmp_path: Path) -> None:
    """A good recording passes, however long."""
    check_file(write_wav(tmp_path / "a.wav", SOUND))


@pytest.mark.parametrize("name", ["missing.wav", "."])
def test_wrong_path_is_the_operators(tmp_path: Path, name: str) -> None:
    """A path that is none is refused before anything starts, by its name."""
    with pytest.raises(ConfigError, match=str(tmp_path / name)):
        check_file(tmp_path / name)


def test_a_pipe_is_played_when_somebody_writes(tmp_path: Path) -> None:
    """It is not looked at before, for what is read of it once is gone; while nobody writes, nothing hangs."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check_file(path)
    source = FileSource("file", path, Inbox("file"), realtime=False, loop=False)
    source.start()
    with path.open("wb") as pipe:  # waits until it is read
        assert source.status().state is SourceState.STARTING
        pipe.write(write_wav(tmp_path / "a.wav", SOUND).read_bytes())
    wait_for_state(source, SourceState.ENDED)
    assert np.array_equal(joined(drain(source.inbox)), SOUND)
    waits = FileSource("file", path, Inbox("file"), realtime=True, loop=False)
    waits.start()
    assert waits.stop(PATIENCE_S)


def test_a_loop_never_ends_quietly(tmp_path: Path) -> None:
    """Gone, it is tried again; without any sound any more, it says so: neither is a recording that is over."""
    path = write_wav(tmp_path / "a.wav", SOUND[:1_600])
    source = FileSource("file", path, Inbox("file"), realtime=True, loop=True)
    source.start()
    wait_for_state(source, SourceState.LIVE)
    path.unlink()
    wait_for_state(source, SourceState.RECONNECTING)
    assert "no such file" in source.status().detail
    write_wav(path, SOUND[:0])
    wait_for_state(source, SourceState.DECODE_ERROR)
    assert source.stop(PATIENCE_S)


def broken_files(folder: Path) -> list[tuple[Path, str]]:
    """Files that give no sound, and a word of what is said about each."""
    cases = [
        (folder / "notes.txt", b"feed at 3\n" * 100),
        (folder / "notes.wav", b"RIFFed"),
        (folder / "empty.mp4", b""),
    ]
    for path, content in cases:
        path.write_bytes(content)
    return [
        *((path, "no recording that|a text, no recording") for path, _ in cases),
        (write_video(folder / "mute.mp4", None), "holds no sound"),
        (write_wav(folder / "nothing.wav", SOUND[:0]), "empty"),
    ]


def test_no_sound_is_said_by_name(tmp_path: Path) -> None:
    """Text, rubbish, video without sound and an empty recording are named with what they are, checked or played."""
    for path, word in broken_files(tmp_path):
        with pytest.raises(SourceError, match=word) as refusal:
            check_file(path)
        assert str(path) in str(refusal.value)
        source = FileSource("file", path, Inbox("file"), realtime=True, loop=False)
        source.start()
        wait_for_state(source, SourceState.DECODE_ERROR)
        assert re.search(word, source.status().detail)
        assert source.stop(PATIENCE_S)


def test_a_path_that_the_system_refuses_is_said_once(tmp_path: Path) -> None:
    """A name that is too long for any disk, checked or played: neither a crash nor one try after the other."""
    path = tmp_path / ("a" * 300 + ".wav")
    with pytest.raises(SourceError, match="File name too long"):
        check_file(path)
    assert not played(path)


class Refusing(Inbox):
    """Takes nothing, as where there is a bug."""

    def write(self, *_: object, **__: object) -> None:
        """Fails."""
        raise ZeroDivisionError("a bug")


def test_a_bug_ends_a_recording(tmp_path: Path) -> None:
    """It is not met again and again by the same recording, for which whoever waits for its end would wait for ever."""
    inbox = Refusing("file", waits=True)
    source = FileSource("file", write_wav(tmp_path / "a.wav", SOUND), inbox, realtime=False, loop=False)
    source.start()
    wait_for(lambda: inbox.drained, "the end")
    assert source.status().state is SourceState.DECODE_ERROR
    assert "a bug, see the log: ZeroDivisionError" in source.status().detail
    assert source.stop(PATIENCE_S)


def test_damage_keeps_what_came_before(tmp_path: Path) -> None:
    """A recording that breaks off is played to the break, then said to be damaged."""
    flac = encoded(np.tile(SOUND, 5), "flac", "flac")
    path = tmp_path / "a.flac"
    path.write_bytes(flac[: len(flac) // 2] + b"\0" * 5_000)
    heard: list[Pcm] = []
    with pytest.raises(SourceError, match="damaged after"):  # noqa: PT012  # what came before is the point
        for chunk, _ in file_chunks(path):
            heard.append(chunk)  # a comprehension would lose it
    assert np.array_equal(np.concatenate(heard), np.tile(SOUND, 5)[: sum(map(len, heard))])


@pytest.mark.skipif(not DONATEACRY.exists(), reason="needs ../shared: real phone recordings")
@pytest.mark.parametrize("folder", ["android", "ios"])
def test_real_phone_recordings(folder: str) -> None:
    """Real uploads of phones (AMR-NB in 3gp, IMA ADPCM in caf) come out whole."""
    for path in sorted((DONATEACRY / folder).iterdir())[:5]:
        chunks = played(path)
        rates = {chunk.rate_hz for chunk in chunks}
        assert rates == {8_000 if folder == "android" else 16_000}
        assert len(joined(chunks)) > 2 * rates.pop()
