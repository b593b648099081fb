"""Streams over loopback: what phones and cameras send is heard, what goes wrong is said, and sound comes back."""

import itertools
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from monitord.errors import ConfigError
from monitord.types import RATE_HZ
from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.options import OPEN_S
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import PASSWORD, USER, HttpAudio, streaming
from tests.support.servers.http_serving import serving
from tests.support.servers.sockets import free_port
from tests.support.sound.matching import drain, find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 20.0)
"""20 s at 16 kHz, no part of it like another."""


@pytest.fixture
def phone() -> Iterator[HttpAudio]:
    """A phone app that serves `SOUND`."""
    with HttpAudio(SOUND).running() as audio:
        yield audio


def test_endless_wav_is_exact(phone: HttpAudio) -> None:
    """The endless WAV of phone apps comes out bit by bit on one time axis."""
    with streaming(phone.url("/audio.wav")) as source:
        chunks = listen(source.inbox, 3.0)
    heard = joined(chunks)
    assert np.array_equal(heard, SOUND[: len(heard)])
    assert chunks[-1].start == sum(len(chunk.samples) for chunk in chunks[:-1])
    assert source.inbox.lost_device == 0


@pytest.mark.parametrize(
    ("path", "rate_hz"), [("/audio.opus", 48_000), ("/audio.ts", RATE_HZ), ("/audio.mp3", RATE_HZ)]
)
def test_compressed_streams_are_heard(phone: HttpAudio, path: str, rate_hz: int) -> None:
    """Opus, AAC in MPEG-TS and MP3 over HTTP are heard at their own rate."""
    with streaming(phone.url(path)) as source:
        chunks = listen(source.inbox, 1.5)
    heard = joined(chunks)
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    _, fit = find(heard[rate_hz // 2 : rate_hz], SOUND)
    assert fit > 0.9


def test_recording_is_heard_in_real_time(phone: HttpAudio) -> None:
    """A file on a web server is played as if it were live, not poured in at once."""
    began_s = time.monotonic()
    with streaming(phone.url("/clip.wav")) as source:
        wait_for_state(source, SourceState.LIVE)
        time.sleep(1.0)
        heard = joined(drain(source.inbox))
    assert np.array_equal(heard, SOUND[: len(heard)])
    assert len(heard) < (time.monotonic() - began_s + 3.0) * RATE_HZ  # about one of its 20 s


def test_burst_is_kept(phone: HttpAudio) -> None:
    """What a server held back and sends at once is all heard."""
    with streaming(phone.url("/burst.wav")) as source:
        heard = joined(listen(source.inbox, 6.0))
    assert np.array_equal(heard, SOUND[: len(heard)])


def test_several_at_once(phone: HttpAudio) -> None:
    """A source that fails does not touch one that works."""
    with streaming(phone.url("/page.html")) as broken, streaming(phone.url("/audio.wav")) as working:
        wait_for_state(broken, SourceState.DECODE_ERROR)
        listen(working.inbox, 1.0)
        assert "sends no sound or video" in broken.status().detail
        assert phone.url("/page.html") in broken.status().detail


def test_password(phone: HttpAudio, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """With the password it is heard; without, or with a wrong one, it says so; no password is ever shown."""
    wrong = "open-sesame-99"
    with caplog.at_level(logging.DEBUG):
        with streaming(phone.url("/locked.wav", f"{USER}:{PASSWORD}@")) as source:
            listen(source.inbox, 0.2)
        with streaming(phone.url("/locked.wav")) as source:
            wait_for_state(source, SourceState.AUTH_FAILED)
            assert "wants a user and a password" in source.status().detail
        with streaming(phone.url("/locked.wav", f"{USER}:{wrong}@")) as source:
            wait_for_state(source, SourceState.AUTH_FAILED)
            assert "refuses this user and password" in source.status().detail
            shown = source.status().detail
    shown += caplog.text + "".join(capfd.readouterr())
    assert "phone: auth_failed" in shown
    assert wrong not in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http"])
def test_refused(scheme: str) -> None:
    """A port where nobody answers is said, with the address and without the password."""
    with streaming(f"{scheme}://u:secret@127.0.0.1:1/live/x") as source:
        wait_for_state(source, SourceState.RECONNECTING)
        detail = source.status().detail
    assert "nobody answers at this port" in detail
    assert "127.0.0.1:1/live/x" in detail
    assert "secret" not in detail


def test_no_such_path_and_no_such_host(phone: HttpAudio) -> None:
    """A wrong path and a wrong name are told apart."""
    with streaming(phone.url("/nothing")) as source:
        wait_for_state(source, SourceState.RECONNECTING)
        assert "no such stream" in source.status().detail
    with streaming("http://no-such-camera.invalid/audio") as source:
        wait_for_state(source, SourceState.RECONNECTING)
        assert "cannot look up" in source.status().detail


def test_mute_server(phone: HttpAudio) -> None:
    """A server that accepts and says nothing is told, within the timeout and not never."""
    with streaming(phone.url("/mute"), read_s=0.5) as source:
        wait_for_state(source, SourceState.RECONNECTING)
        assert source.status().detail


def test_stalled_stream(phone: HttpAudio) -> None:
    """A stream that stops in the middle, its connection alive, is told and connected again."""
    with streaming(phone.url("/stall.wav"), read_s=2.0) as source:
        wait_for_state(source, SourceState.LIVE)
        wait_for_state(source, SourceState.RECONNECTING)
        assert "sends nothing" in source.status().detail
        wait_for_state(source, SourceState.LIVE)
        assert source.status().reconnects >= 1


def test_server_dies_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """The end of a live stream is a drop, one log line each way, and the axis has no invented hole."""
    with caplog.at_level(logging.INFO, logger="service"):
        port = free_port()
        with HttpAudio(SOUND, port).running() as phone:
            url = phone.url("/audio.wav")
            source = StreamSource("phone", url, Inbox("phone"))
            source.start()
            chunks = listen(source.inbox, 1.0)
        wait_for_state(source, SourceState.RECONNECTING)
        wait_for(lambda: "nobody answers" in source.status().detail, "an attempt while it is gone")
        with HttpAudio(SOUND, port).running():
            wait_for_state(source, SourceState.LIVE)
            chunks += listen(source.inbox, 0.5)
            assert source.stop(PATIENCE_S)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]
    assert source.status().reconnects == 1
    assert chunks[-1].start == sum(len(chunk.samples) for chunk in chunks[:-1])


def test_udp() -> None:
    """MPEG-TS over UDP is heard, from a sender that starts later."""
    address = ("127.0.0.1", free_port())
    content = encoded(SOUND, "mpegts", "aac")
    heard = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for start in itertools.cycle(range(0, len(content), 7 * 188)):  # whole packets of MPEG-TS
                sender.sendto(content[start : start + 7 * 188], address)
                if heard.wait(0.05):
                    return

    with streaming(f"udp://127.0.0.1:{address[1]}", read_s=2.0) as source:
        wait_for_state(source, SourceState.RECONNECTING)
        assert "nobody has sent anything yet" in source.status().detail
        thread = threading.Thread(target=send)
        thread.start()
        samples = joined(listen(source.inbox, 2.0))
        heard.set()
        thread.join()
    _, fit = find(samples[8_000:24_000], SOUND)
    assert fit > 0.9


def test_camera_that_never_answers() -> None:
    """A camera that accepts and says nothing is one that does not answer, not one that sends rubbish."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = StreamSource("cam", f"rtsp://127.0.0.1:{mute.getsockname()[1]}/live", Inbox("cam"))
        source.start()
        wait_for_state(source, SourceState.RECONNECTING)  # after the 10 s that a sleepy camera may take
        assert "no answer" in source.status().detail
    assert source.stop(PATIENCE_S)


def test_stop_while_connecting() -> None:
    """A stop while a server says nothing needs no patience: nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        code = (
            "from service.capture.streams.stream import StreamSource\n"
            "from service.capture.inbox import Inbox\nimport time\n"
            f"s = StreamSource('phone', 'rtsp://127.0.0.1:{mute.getsockname()[1]}/live', Inbox('phone'))\n"
            "s.start(); time.sleep(0.5); began = time.monotonic()\n"
            f"print(s.stop({PATIENCE_S}), time.monotonic() - began < {OPEN_S})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


def test_bad_url_is_refused_without_its_password() -> None:
    """A URL whose port cannot be read is refused at once, and not quoted."""
    with pytest.raises(ConfigError) as refusal:
        StreamSource("phone", "rtsp://u:sec/ret@camera/live", Inbox("phone"))
    assert "sec" not in str(refusal.value)
    assert "%2F" in str(refusal.value)


class _Station(BaseHTTPRequestHandler):
    """Sends one Ogg link after the other, faster than they play."""

    sent: bytes

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/ogg")
        self.end_headers()
        with suppress(OSError):  # it hangs up where FFmpeg gives up
            for start in range(0, len(self.sent), 2_000):
                self.wfile.write(self.sent[start : start + 2_000])
                time.sleep(0.01)


def test_a_station_that_changes_its_format_is_heard_on() -> None:
    """An Ogg stream that goes on at another rate and with two channels: FFmpeg stops there, the room does not."""
    links = [encoded(SOUND[:48_000], "ogg", "flac")]
    second = chirp(200, 3_000, 10.0, rate_hz=48_000)  # longer than the damage that is waited for
    links.append(encoded(second, "ogg", "flac", rate_hz=48_000, channels=2))
    handler = type("Station", (_Station,), {"sent": b"".join(links)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(server, threading.Event()), streaming(f"http://127.0.0.1:{server.server_port}/x") as source:
        heard_s = {16_000: 0.0, 48_000: 0.0}  # by rate

        def both() -> bool:
            for chunk in drain(source.inbox):
                heard_s[chunk.rate_hz] += len(chunk.samples) / chunk.rate_hz
            return min(heard_s.values()) > 2.0

        wait_for(both, "two seconds of each link")
