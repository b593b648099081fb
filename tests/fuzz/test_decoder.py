"""Damaged and hostile media, and a decoder or a recorder that lies: a fault with words, and the daemon goes on."""

import json
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.errors import SourceError
from monitord.tally import MOST_LOST_S
from service.capture.child import process
from service.capture.child.decoder import Decoder
from service.capture.child.decoder_request import Request
from service.capture.child.process import RATES_HZ, ChildError
from service.capture.child.protocol import ENDED, FAILED, HEADER, LOST, MOST_SAMPLES, OPENED, SOUND
from service.capture.child.sound import Lost
from service.capture.devices import choose
from service.capture.inbox import Inbox
from service.capture.microphone import MicrophoneSource, Recorder
from service.capture.recording import file_chunks
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import drain, wait_for
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp

SOUND_S = chirp(300, 3000, 0.5)
RECORDINGS = {
    "wav": encoded(SOUND_S, "wav", "pcm_s16le"),
    "mp4": encoded(SOUND_S, "mp4", "aac"),
    "ogg": encoded(SOUND_S, "ogg", "libopus", rate_hz=48_000),
    "flac": encoded(SOUND_S, "flac", "flac"),
    "mp3": encoded(SOUND_S, "mp3", "libmp3lame"),
    "mka": encoded(SOUND_S, "matroska", "pcm_s16le"),
    "ts": encoded(SOUND_S, "mpegts", "aac"),
    "aiff": encoded(SOUND_S, "aiff", "pcm_s16be"),
}

DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "fill", "repeat", "insert"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=8,
)


def damaged(content: bytes, damage: list[tuple[str, float, bytes]]) -> bytes:
    """Changes bytes at places that are shares of the whole; half of them in the first 200, where the headers are."""
    for kind, share, extra in damage:
        at = int(2 * share * 200) if share < 0.5 else int((2 * share - 1) * len(content))
        match kind:
            case "flip":
                content = (
                    content[:at]
                    + bytes(a ^ b for a, b in zip(content[at:], extra, strict=False))
                    + content[at + len(extra) :]
                )
            case "cut":
                content = content[:at]
            case "fill":
                content = content[:at] + b"\xff" * len(extra) + content[at + len(extra) :]
            case "repeat":
                content = content[:at] + content[at : at + 500] * 3 + content[at + 500 :]
            case "insert":
                content = content[:at] + extra + content[at:]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For one file, written again and again."""
    return tmp_path_factory.mktemp("fuzz")


def children() -> list[str]:
    """Processes that this one has started and that are not gone."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@settings(max_examples=60)
@given(kind=st.sampled_from(sorted(RECORDINGS)), damage=DAMAGE)
def test_damaged_media(folder: Path, kind: str, damage: list[tuple[str, float, bytes]]) -> None:
    """Any damage to any container gives sound that is sound, or a sentence with the file's name; no child stays."""
    path = folder / f"x.{kind}"
    path.write_bytes(damaged(RECORDINGS[kind], damage))
    said = str(path)
    try:
        for samples, rate_hz in file_chunks(path):
            assert samples.dtype == np.int16
            assert RATES_HZ[0] <= rate_hz <= RATES_HZ[1]
    except SourceError as error:
        said = str(error)
    assert str(path) in said
    assert children() == []


def record(kind: bytes, rate_hz: int, length: int, content: bytes) -> bytes:
    """One record; the length may be a lie."""
    return HEADER.pack(kind, rate_hz, length) + content


def text(kind: bytes, content: bytes) -> bytes:
    """A record that says its own length."""
    return record(kind, 0, len(content), content)


KINDS = st.sampled_from([OPENED, SOUND, LOST, FAILED, ENDED, b"?"])
NUMBERS = st.sampled_from([0, 1, 4_000, 16_000, MOST_SAMPLES, MOST_SAMPLES + 1, 2**31, 2**32 - 1]) | st.integers(
    0, 2**32 - 1
)
RECORDS = st.one_of(
    st.binary(max_size=40),
    st.builds(record, KINDS, NUMBERS, NUMBERS, st.binary(max_size=40)),
    st.builds(text, st.sampled_from([OPENED, FAILED]), st.binary(max_size=40)),
    st.builds(
        text,
        st.sampled_from([OPENED, FAILED]),
        st.sampled_from(
            [b"[" * 5_000, b"1" * 9_000, b"null", b'{"kinds": 3}', b'{"errno": "x"}', b'{"format": [[]], "ends": 2}']
        ),
    ),
    st.integers(1, 50).map(lambda n: record(SOUND, 16_000, n, bytes(2 * n))),
)
GOOD_START = text(OPENED, b'{"format": "wav", "ends": true}')


@settings(max_examples=150)
@given(start=st.sampled_from([b"", GOOD_START]), records=st.lists(RECORDS, max_size=6))
def test_a_decoder_that_lies(folder: Path, start: bytes, records: list[bytes]) -> None:
    """Whatever a decoder sends that somebody has taken over, it is sound within bounds or a `ChildError`."""
    path = folder / "records"
    path.write_bytes(start + b"".join(records))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(process, "command", lambda _module: ("cat", str(path)))
        request = Request("file:/x", "x", {})
        with suppress(ChildError), Decoder(request) as decoder:
            assert decoder.opened() is not None
            for heard in decoder.sound(5.0):
                assert RATES_HZ[0] <= heard.rate_hz <= RATES_HZ[1]
                assert 0 < heard.n <= MOST_LOST_S * heard.rate_hz


DEVICE = {"index": 0, "name": "x", "host_api": "ALSA", "channels": 2, "rate_hz": 16_000, "is_default": True}
LISTED = text(OPENED, json.dumps({"devices": [DEVICE]}).encode())
RECORDING = LISTED + text(OPENED, b'{"rate_hz": 16000, "channels": 2}')


@settings(max_examples=100)
@given(start=st.sampled_from([b"", LISTED, RECORDING]), records=st.lists(RECORDS, max_size=6))
def test_a_recorder_that_lies(folder: Path, start: bytes, records: list[bytes]) -> None:
    """Whatever PortAudio's process sends, it is sound within bounds or a `SourceError`."""
    path = folder / "records"
    path.write_bytes(start + b"".join(records))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(process, "command", lambda _module: ("cat", str(path)))
        with suppress(SourceError), Recorder() as recorder:
            for heard in recorder.sound(choose(recorder.devices() or [], "default")):
                assert 0 < heard.n <= (MOST_LOST_S * heard.rate_hz if isinstance(heard, Lost) else MOST_SAMPLES)


def test_a_recorder_that_overflows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What PortAudio dropped is counted as lost; two channels become one; its end is told with its status."""
    path = folder / "records"
    ones = np.ones(640, np.int16).tobytes()
    sound = record(SOUND, 16_000, 640, ones)
    path.write_bytes(RECORDING + sound + record(LOST, 16_000, 320, b"") + sound)
    monkeypatch.setattr(process, "command", lambda _module: ("cat", str(path)))
    source = MicrophoneSource("nursery", "default", Inbox("nursery"))
    source.start()
    wait_for(lambda: "ended with status 0" in source.status().detail, "its end")
    assert source.stop(PATIENCE_S)
    chunks = drain(source.inbox)
    assert [(chunk.start, len(chunk.samples)) for chunk in chunks[:2]] == [(0, 320), (640, 320)]
    assert source.inbox.lost_device >= 320


@pytest.mark.parametrize("rate_hz", [1, 100, 3_999, 384_001, 2**31 - 1])
def test_rates_that_nobody_records_at(folder: Path, rate_hz: int) -> None:
    """A file that says one sample a second would be hours of sound: it is refused by its rate."""
    path = folder / "rate.wav"
    body = RECORDINGS["wav"]
    at = body.index(b"fmt ") + 12  # after the name, the length, the format and the channels
    path.write_bytes(body[:at] + struct.pack("<II", rate_hz, min(2 * rate_hz, 2**32 - 1)) + body[at + 8 :])
    with pytest.raises(SourceError, match=r"rate\.wav.*(Hz|FFmpeg)"):
        list(file_chunks(path))


def test_a_decoder_that_cannot_be_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that is gone, or that fails at once, is told in words."""
    path = folder / "x.wav"
    path.write_bytes(RECORDINGS["wav"])
    monkeypatch.setattr(process, "command", lambda _module: ("/nowhere/python",))
    with pytest.raises(SourceError, match="cannot be started: No such file"):
        list(file_chunks(path))
    monkeypatch.setattr(process, "command", lambda _module: (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(SourceError, match="ended with status 3"):
        list(file_chunks(path))
