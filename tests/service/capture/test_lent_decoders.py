"""Processes that decode one recording after the other: each as if it were alone, whatever became of those before."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import SourceError
from monitord.types import Pcm
from service.capture.child.decoder import Decoders
from service.capture.child.process import ChildProcess
from service.capture.child.sound import Lost
from service.capture.recording import file_sound
from tests.bench.process import children
from tests.support.sound.matching import wait_for
from tests.support.sound.media import write_media
from tests.support.sound.sounds import noise, tone, write_wav


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    """None yet; at the end of the test none is left."""
    before = set(children(os.getpid()))
    with Decoders() as made:
        yield made
    assert not set(children(os.getpid())) - before


def heard(path: Path, lent: ChildProcess | None) -> Pcm:
    """All samples of a recording."""
    return np.concatenate([sound.samples for sound in file_sound(path, lent=lent) if not isinstance(sound, Lost)])


def test_one_process_decodes_all(decoders: Decoders, tmp_path: Path) -> None:
    """What comes out is what a process of its own gives, of each format, and the process stays the same."""
    sound = tone(440.0, 1.0, peak_dbfs=-12.0)
    paths = [write_wav(tmp_path / "a.wav", sound), write_media(tmp_path / "b.flac", sound, "flac", channels=2)]
    used = []
    for path in [*paths, *paths]:
        lent = decoders.lend()
        assert lent is not None
        np.testing.assert_array_equal(heard(path, lent), heard(path, None))
        decoders.take_back(lent)
        used.append(lent)
    assert len(set(map(id, used))) == 1
    assert used[0].alive


def test_as_many_as_are_lent_at_once(decoders: Decoders, tmp_path: Path) -> None:
    """Two recordings at the same time have two processes."""
    path = write_wav(tmp_path / "a.wav", noise(0.5))
    first, second = decoders.lend(), decoders.lend()
    assert first is not second
    for lent in (first, second):
        assert len(heard(path, lent)) == 8_000
        decoders.take_back(lent)
    third = decoders.lend()
    assert third in (first, second)
    decoders.take_back(third)


def test_a_bad_recording_harms_no_other(decoders: Decoders, tmp_path: Path) -> None:
    """It says what it says by itself, and the next one is heard."""
    (tmp_path / "bad.wav").write_text("feed at nine\n" * 100)
    good = write_wav(tmp_path / "good.wav", noise(0.5))
    with pytest.raises(SourceError) as alone:
        heard(tmp_path / "bad.wav", None)
    for _ in range(2):
        lent = decoders.lend()
        with pytest.raises(SourceError) as error:
            heard(tmp_path / "bad.wav", lent)
        assert str(error.value) == str(alone.value)
        decoders.take_back(lent)
        lent = decoders.lend()
        assert len(heard(good, lent)) == 8_000
        decoders.take_back(lent)


def test_a_crash_is_told_and_the_next_has_another_process(decoders: Decoders, tmp_path: Path) -> None:
    """FFmpeg crashes in one recording: its words are those of any crash, and what comes after it is heard."""
    pipe, good = tmp_path / "pipe.wav", write_wav(tmp_path / "good.wav", noise(0.5))
    os.mkfifo(pipe)
    before = set(children(os.getpid()))
    lent = decoders.lend()
    [process] = set(children(os.getpid())) - before
    sound = file_sound(pipe, lent=lent)
    with pytest.raises(SourceError, match=r"pipe\.wav: .*FFmpeg's process was ended by SIGSEGV"):
        _crash_while(sound, process)
    decoders.take_back(lent)
    again = decoders.lend()
    assert again is not lent
    assert len(heard(good, again)) == 8_000
    decoders.take_back(again)


def _crash_while(sound: Iterator[object], process: int) -> None:
    def crash() -> None:
        wait_for(lambda: bool(children(process)), "the copy that decodes")
        os.kill(children(process)[0], signal.SIGSEGV)

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        next(sound)
    finally:
        thread.join()


def test_one_that_is_stopped_is_ended(decoders: Decoders, tmp_path: Path) -> None:
    """What was left in the middle of a recording is not given to the next."""
    path = write_wav(tmp_path / "long.wav", noise(60.0))
    lent = decoders.lend()
    assert lent is not None
    sound = file_sound(path, lent=lent)
    next(sound)
    sound.close()  # type: ignore[attr-defined]  # a generator
    decoders.take_back(lent)
    assert not lent.alive
    following = decoders.lend()
    assert following is not lent
    decoders.take_back(following)
