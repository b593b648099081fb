"""Words say what was seen there: a name, a connection, an answer, how much came; and what helps."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.errors import lasted
from service.capture.streams.evidence import evidence
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.paced_http import PacedHttp, evenly
from tests.support.sound.matching import wait_for

NOISE = bytes(range(256)) * 4000


def words_of(url: str, *, read_s: float = 8.0) -> tuple[SourceState, str]:
    """What is said of an address at the first attempt that is over."""
    source = StreamSource("cam", url, Inbox("cam"), read_s=read_s)
    source.start()
    wait_for(lambda: source.status().detail != "" and "no sound yet" not in source.status().detail, "words", 300.0)
    assert source.stop(PATIENCE_S)
    return source.status().state, source.status().detail


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A port that gives each connection these bytes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    for answer in answers:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_sound_of_an_unknown_kind() -> None:
    """An answer with bytes that FFmpeg cannot read is no missing answer: status, type and amount are told."""
    with PacedHttp(evenly(NOISE, 128.0), "application/octet-stream").running() as server:
        state, words = words_of(server.url)
    assert state in {SourceState.RECONNECTING, SourceState.DECODE_ERROR}
    assert "answers 200 with application/octet-stream" in words
    assert "bytes came within 1 s" in words
    assert "no answer" not in words


def test_answer_and_nothing_more() -> None:
    """A server that answers and then sends nothing is told so."""
    with PacedHttp([(0.0, b""), (1e6, b"")], "audio/wav").running() as server:
        _, words = words_of(server.url, read_s=2.0)
    assert "answers 200 with audio/wav; nothing came within 1 s" in words


def test_page() -> None:
    """A page is said to be one."""
    with PacedHttp([(0.0, b"<html></html>" * 99)], "text/html", length=True).running() as server:
        state, words = words_of(server.url)
    assert state is SourceState.DECODE_ERROR
    assert "sends a page, no sound (answers 200 with text/html; 1287 bytes came)" in words


@pytest.mark.parametrize("status", [418, 500, 503])
def test_status(status: int) -> None:
    """Any other answer is told by its number."""
    with PacedHttp([], "text/plain", status=status, length=True).running() as server:
        _, words = words_of(server.url)
    assert f"answers {status}" in words


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_what_is_no_http(scheme: str) -> None:
    """Another protocol at the port is not taken for silence."""
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        _, words = words_of(f"{scheme}://127.0.0.1:{port}/x", read_s=2.0)
    assert "no answer: is it on" not in words
    if scheme == "http":
        assert "answers what is no HTTP: 'SSH-2.0-OpenSSH_9.2" in words


def test_no_tls_there() -> None:
    """Https to a port that speaks http says that there is no TLS."""
    with PacedHttp(evenly(NOISE, 10.0), "audio/wav").running() as server:
        _, words = words_of(server.url.replace("http:", "https:"))
    assert "no TLS there" in words


def test_local_names() -> None:
    """A .local name that is not known says what it takes, and what goes without."""
    _, words = words_of("http://no-such-camera-9f3.local/audio")
    assert "libnss-mdns" in words or "an address needs none" in words


def test_the_daemon_believes_no_more_than_can_be() -> None:
    """What the decoder's process tells is checked: it reads what strangers send."""
    assert evidence(None) is None
    assert evidence({"status": "200"}) is None
    assert evidence({}) is None
    true = {
        "name": "",
        "connected": True,
        "tls": "",
        "fingerprint": "",
        "status": 200,
        "content_type": "a\x1b[31m" + "b" * 1000,
        "came": 3,
        "ended": False,
        "strange": "",
        "rtsp": False,
    }
    seen = evidence(true)
    assert seen is not None
    assert seen.content_type.isprintable()
    assert len(seen.content_type) == 100
    assert evidence(true | {"came": True}) is None


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (7_400, "2 h 3 min")])
def test_lasted(seconds: float, words: str) -> None:
    """A time as a person says it."""
    assert lasted(seconds) == words


def test_looking_is_for_failures_alone() -> None:
    """A stream that is well costs no HTTP and no TLS of ours: the decoder's process never loads them."""
    code = (
        "import sys, service.capture.child.decoder_main, service.capture.child.stream_opening\n"
        "print(sorted({'ssl', 'http.client', 'urllib.request', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-S", "-P", "-c", code], env={"PYTHONPATH": ":".join(sys.path)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "[]\n"
