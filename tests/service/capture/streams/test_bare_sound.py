"""Sound that says nothing of itself: known by the web server's Content-Type, or by what the family wrote."""

import socket
import threading

import numpy as np
import pytest

from monitord.types import Pcm
from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.bare import Bare, named, written
from service.capture.streams.how import How
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.paced_http import PacedHttp, evenly
from tests.support.servers.sockets import free_port
from tests.support.sound.matching import find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp


def sound(rate_hz: int) -> Pcm:
    """40 s, no part of it like another."""
    return chirp(200, 3000, 40.0, rate_hz=rate_hz)


MULAW = encoded(sound(8_000), "mulaw", "pcm_mulaw", rate_hz=8_000)
ALAW = encoded(sound(8_000), "alaw", "pcm_alaw", rate_hz=8_000)
L16 = sound(16_000).astype(">i2").tobytes()
TWO = np.repeat(sound(16_000), 2).astype(">i2").tobytes()


def assert_heard(source: StreamSource, rate_hz: int) -> None:
    """The sound comes out, at its rate."""
    chunks = listen(source.inbox, 2.0)
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    _, fit = find(joined(chunks)[rate_hz // 2 : 3 * rate_hz // 2], sound(rate_hz))
    assert fit > 0.9


@pytest.mark.parametrize(
    ("content_type", "content", "rate_hz"),
    [
        ("audio/basic", MULAW, 8_000),
        ("audio/PCMU", MULAW, 8_000),
        ("audio/pcma;rate=8000", ALAW, 8_000),
        ("audio/L16;rate=16000;channels=1", L16, 16_000),
        ("audio/l16; rate=16000; channels=2", TWO, 16_000),
    ],
)
def test_content_type(content_type: str, content: bytes, rate_hz: int) -> None:
    """What the answer's Content-Type names is heard without any setting, and again after a break, asked first."""
    with PacedHttp(evenly(content, 40.0), content_type).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"))
        source.start()
        assert_heard(source, rate_hz)
        port = server.port
    wait_for_state(source, SourceState.RECONNECTING)
    with PacedHttp(evenly(content, 40.0), content_type, port=port).running() as server:
        wait_for(lambda: source.status().state is SourceState.LIVE, "it comes back", 300.0)
        assert len(server.asked) == 1
        assert source.stop(PATIENCE_S)


@pytest.mark.parametrize(
    ("text", "content", "rate_hz"),
    [("PCMU", MULAW, 8_000), ("pcma/8000", ALAW, 8_000), ("L16/16000", L16, 16_000), ("L16/16000/2", TWO, 16_000)],
)
@pytest.mark.parametrize("content_type", [None, "application/octet-stream"])
def test_setting(text: str, content: bytes, rate_hz: int, content_type: str | None) -> None:
    """What the family says it is, it is, at the first attempt."""
    with PacedHttp(evenly(content, 40.0), content_type).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"), how=How(bare=written(text)))
        source.start()
        assert_heard(source, rate_hz)
        assert source.stop(PATIENCE_S)
        assert len(server.asked) == 1


def test_recording_is_heard_in_real_time() -> None:
    """Bare sound of a stated length is a recording: it is played, not poured in."""
    with PacedHttp([(0.0, MULAW)], "audio/basic", length=True).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"), how=How(bare=written("PCMU")))
        source.start()
        listen(source.inbox, 1.0)
        assert source.inbox.tally().captured < 20 * 16_000
        assert source.stop(PATIENCE_S)


def test_udp() -> None:
    """Datagrams of bare samples are heard where the family says what they are."""
    address = ("127.0.0.1", free_port())
    source = StreamSource("cam", f"udp://127.0.0.1:{address[1]}", Inbox("cam"), how=How(bare=written("L16/16000")))
    over = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for start in range(0, len(L16), 640):
                sender.sendto(L16[start : start + 640], address)
                if over.wait(0.02):
                    return

    thread = threading.Thread(target=send)
    thread.start()
    source.start()
    assert_heard(source, 16_000)
    over.set()
    thread.join()
    assert source.stop(PATIENCE_S)


def test_a_page_is_no_sound() -> None:
    """A page to log in is not played as noise, whatever the family says it is."""
    page = [(0.0, b"<html>log in</html>" * 1000)]
    with PacedHttp(page, "text/html; charset=utf-8", length=True).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"), how=How(bare=written("PCMU")))
        source.start()
        wait_for_state(source, SourceState.DECODE_ERROR)
        assert "answers 200 with text/html; charset=utf-8, which is no bare sound" in source.status().detail
        assert source.inbox.tally().captured == 0
        assert source.stop(PATIENCE_S)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("PCMU", Bare("mulaw")),
        ("mulaw/16000", Bare("mulaw", 16_000)),
        ("L16/44100/2", Bare("s16be", 44_100, 2)),
        ("s16le/16000/1", Bare("s16le", 16_000)),
    ],
)
def test_written(text: str, bare: Bare) -> None:
    """Names as RTP and FFmpeg write them, with or without rate and channels."""
    assert written(text) == bare


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L16", "write L16/16000"),
        ("opus", "must be one of PCMU"),
        ("L16/x", "must be one of PCMU"),
        ("L16/16000/1/1", "must be one of PCMU"),
        ("L16/100", "4000 to 384000 Hz"),
        ("L16/16000/0", "1 to 8 channels"),
    ],
)
def test_written_wrong(text: str, words: str) -> None:
    """What cannot be read says what is allowed."""
    with pytest.raises(ValueError, match=words):
        written(text)


@pytest.mark.parametrize(
    ("content_type", "bare"),
    [
        ("audio/basic", Bare("mulaw")),
        ("Audio/X-MULAW; rate=16000", Bare("mulaw", 16_000)),
        ("audio/axis-mulaw-128", Bare("mulaw", 16_000)),
        ("audio/L24;rate=48000;channels=2", Bare("s24be", 48_000, 2)),
        ("audio/L16", None),  # without a rate nobody knows
        ("audio/L16;rate=0", None),
        ("audio/mpeg", None),
        ("video/basic", None),
        ("", None),
    ],
)
def test_named(content_type: str, bare: Bare | None) -> None:
    """Content-Types of bare sound, and others."""
    assert named(content_type) == bare
