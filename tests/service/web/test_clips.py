"""Clips: from five seconds before a cry to its end, kept on this machine alone, for so many days and bytes."""

import contextlib
import io
import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from model.classifier import Classifier
from monitord.types import RATE_HZ, Pcm
from service.capture.inbox import Inbox
from service.messages.message import Node
from service.messages.spectrogram import SIZE
from service.web.past import clip_recorder
from service.web.past.clip_recorder import AHEAD_S, BEFORE_S, MOST_S, ClipRecorder, _Tape, at_16k
from service.web.past.clip_store import ClipStore
from service.web.past.past import Past
from service.web.past.settings import ClipSettings
from tests.support.daemon.household_daemon import CRY, HOLD, QUIET, House
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for
from tests.support.sound.sounds import silence, tone

EPISODE = "room-20261129T210000Z-{}"


@pytest.fixture
def store(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", ClipSettings())


def decoded(path: Path) -> Pcm:
    """A clip as int16 at 16 kHz."""
    with av.open(io.BytesIO(path.read_bytes())) as container:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray().ravel() for frame in frames])


@pytest.fixture
def recorder(classifier: Classifier, tmp_path: Path, store: ClipStore) -> Iterator[tuple[House, ClipRecorder]]:
    """A house whose only room is recorded."""
    house = House(classifier, tmp_path)
    recorder = ClipRecorder(Node("home"), {"room": house.channels["room"].inbox.tap}, store)
    recorder.start()
    yield house, recorder
    recorder.stop(PATIENCE_S)


def test_a_clip_begins_five_seconds_before_the_cry(recorder: tuple[House, ClipRecorder], store: ClipStore) -> None:
    """What is heard before the cry, and all of it; no sound of an hour ago, and none without a cry."""
    house, clips = recorder
    house.hear(*[QUIET] * 30)
    before = tone(1000, 4.0, peak_dbfs=-60.0)  # no cry, and not to be missed in the clip
    for sound in (before, CRY, HOLD):
        heard = len(house.messages)
        house.hear(sound)
        for message in house.messages[heard:]:
            clips.tell(message)
    (episode,) = {event["episode"] for event in house.told()}
    wait_for(lambda: store.has(episode), "the clip")
    path = store.path(episode)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    picture = store.picture(episode)
    assert picture is not None
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    with Image.open(picture) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", SIZE)
    clip = decoded(path)
    loud = np.flatnonzero(np.abs(clip) > 3000)
    told = house.told()[-1]
    since = datetime.fromisoformat(told["since"]).timestamp()
    cry_at = house.clock + 34.0  # after 30 s of quiet and 4 s of a tone
    assert told["event_type"] == "ended"
    assert loud[0] / RATE_HZ == pytest.approx(cry_at - since + BEFORE_S, abs=0.05)
    ended = datetime.fromisoformat(house.last("room/episode")["ended"]).timestamp()
    assert len(clip) / RATE_HZ >= ended - since + BEFORE_S


def test_what_is_held_before_and_in_a_cry_is_bounded() -> None:
    """Fifteen seconds while it is quiet, three minutes of a cry that does not end."""
    tape, inbox = _Tape(), Inbox("room")
    inbox.tap.open(tape.take, at_once=False)
    for second in range(60):
        inbox.write(silence(1.0), RATE_HZ, float(second))
    assert len(tape.chunks) == AHEAD_S + 1
    tape.episode, tape.begin_at = "one", 50.0
    for second in range(60, 600):
        inbox.write(silence(1.0), RATE_HZ, float(second))
    assert tape.chunks[-1].at == 50.0 + MOST_S - 1
    tape.episode = ""
    inbox.write(silence(1.0), RATE_HZ, 600.0)
    assert len(tape.chunks) == 1


def test_a_hole_in_the_sound_is_left_out() -> None:
    """Two runs at 48 kHz with a hole between them are as long as what was heard."""
    inbox, chunks = Inbox("room"), []
    inbox.tap.open(chunks.append, at_once=False)
    for _ in range(2):
        inbox.write(tone(440, 1.0, rate_hz=48_000), 48_000, 1.8e9)
        inbox.skip(4800, 48_000)
    assert len(at_16k(chunks)) == pytest.approx(2 * RATE_HZ, abs=2)


def test_only_so_many_days_and_bytes_are_kept(tmp_path: Path) -> None:
    """The oldest goes, with its picture; what was begun and never finished goes with its age."""
    store = ClipStore(tmp_path / "clips", ClipSettings(days=2, megabytes=10))
    for number in range(4):
        store.add(EPISODE.format(number), bytes(4_000_000), b"picture")
        os.utime(tmp_path / "clips" / f"{EPISODE.format(number)}.webm", (number, time.time() - 100 + number))
    store.prune()
    assert [store.has(EPISODE.format(number)) for number in range(4)] == [False, False, True, True]
    assert len(list((tmp_path / "clips").glob("*.png"))) == 2
    path = store.path(EPISODE.format(2))
    assert path is not None
    os.utime(path, (0, time.time() - 2 * 86_400 - 10))
    store.prune()
    assert [store.has(EPISODE.format(number)) for number in range(4)] == [False, False, False, True]


def test_what_is_too_old_goes_while_nobody_cries(
    tmp_path: Path, store: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many days are so many days, also in the weeks after the last cry."""
    monkeypatch.setattr(clip_recorder, "PRUNE_S", 0.01)
    recorder = ClipRecorder(Node("home"), {"room": Inbox("room").tap}, store)
    recorder.start()
    store.add(EPISODE.format(1), b"clip", b"picture")
    for path in (tmp_path / "clips").iterdir():
        os.utime(path, (0, time.time() - 8 * 86_400))
    wait_for(lambda: not list((tmp_path / "clips").iterdir()), "their end")
    recorder.stop(PATIENCE_S)


def test_a_disk_that_is_full_keeps_nothing_half(store: ClipStore, tmp_path: Path) -> None:
    """What it took of a clip would lie there for days."""
    (tmp_path / "clips" / f"{EPISODE.format(1)}.webm").mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory"):
        store.add(EPISODE.format(1), b"clip")
    assert [path.suffix for path in (tmp_path / "clips").iterdir()] == [".webm"]


def test_an_encoder_that_is_behind_stops_nobody(store: ClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon ends in its time, also with a queue that is full."""
    monkeypatch.setattr(clip_recorder, "PENDING", 1)
    stuck, began = threading.Event(), threading.Event()
    monkeypatch.setattr(clip_recorder, "encoded", lambda *_: (began.set(), stuck.wait(PATIENCE_S), (b"", b""))[2])
    recorder = ClipRecorder(Node("home"), {}, store)
    recorder.start()
    recorder._over.put(("one", 0.0, []))
    assert began.wait(PATIENCE_S)
    recorder._over.put(("two", 0.0, []))
    recorder.stop(0.0)
    stuck.set()
    recorder._over.put(None)
    recorder._thread.join(PATIENCE_S)


def test_clips_of_earlier_are_not_forgotten(tmp_path: Path, store: ClipStore, caplog: pytest.LogCaptureFixture) -> None:
    """Without `web.clips` nothing deletes them by age: a person is told."""
    for told in (False, True):
        with contextlib.ExitStack() as stack:
            Past.open(Node("home"), tmp_path, [], None, stack)
        assert (f"{tmp_path / 'clips'}: 1 clips of cries lie there" in caplog.text) == told
        store.add(EPISODE.format(1), b"clip", b"picture")


def test_a_clip_is_found_by_an_episode_and_by_no_path(store: ClipStore, tmp_path: Path) -> None:
    """What is no id of an episode is no clip, whatever lies there; one call deletes."""
    store.add(EPISODE.format(1), b"clip")
    (tmp_path / "secret.webm").write_text("secret")
    for wrong in ("../secret", "secret", "", "room-20261129T210000Z-1/../room-20261129T210000Z-1"):
        assert store.path(wrong) is None
        assert not store.delete(wrong)
    assert store.delete(EPISODE.format(1))
    assert not store.has(EPISODE.format(1))


def test_what_is_deleted_while_old_clips_are_looked_for_stops_nobody(store: ClipStore) -> None:
    """The encoder's thread looks through the folder while a parent's tap deletes what lies in it."""
    with ThreadPoolExecutor(1) as parent:
        for round_ in range(100):
            clips = [EPISODE.format(f"{round_}{number}") for number in range(10)]
            for clip in clips:
                store.add(clip, b"clip", b"picture")
            deleting = parent.submit(lambda clips=clips: [store.delete(clip) for clip in clips])
            while not deleting.done():
                store.prune()
            assert all(deleting.result())
