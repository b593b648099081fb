"""Phones that push: the daemon listens, a real ffmpeg sends."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.options import LISTEN_S
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.sockets import free_port
from tests.support.sound.matching import find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import write_video
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 20.0)

PUSHES = {
    "rtmp": ["-f", "flv"],
    "rtsp": ["-f", "rtsp", "-rtsp_transport", "tcp"],
    "http": ["-f", "mpegts"],
}
"""Protocol: how ffmpeg is told to push."""


@contextmanager
def listening(scheme: str, port: int) -> Iterator[StreamSource]:
    """A source that waits for a phone, stopped at the end."""
    source = StreamSource("phone", f"{scheme}://127.0.0.1:{port}/live/nursery", Inbox("phone"), listen=True)
    source.start()
    try:
        yield source
    finally:
        assert source.stop(PATIENCE_S)


@contextmanager
def phone(video: Path, scheme: str, port: int) -> Iterator[None]:
    """A phone that pushes its camera and microphone until the block is left."""
    url = f"{scheme}://127.0.0.1:{port}/live/nursery"
    push = ["ffmpeg", "-v", "error", "-re", "-i", str(video), "-c:v", "mpeg2video", "-c:a", "aac", *PUSHES[scheme], url]
    if scheme == "rtmp":
        push[push.index("mpeg2video")] = "flv1"
    with subprocess.Popen(push, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
        try:
            yield
        finally:
            sender.kill()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone's video of 20 s."""
    return write_video(tmp_path_factory.mktemp("phone") / "video.mp4", SOUND, 20.0)


@pytest.fixture
def port() -> int:
    """One that is nobody else's."""
    return free_port()


def is_open(port: int) -> bool:
    """Whether something listens at this port of loopback, found out without a connection to it."""
    tables = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(columns[1] == f"0100007F:{port:04X}" and columns[3] == "0A" for columns in tables)


@pytest.mark.e2e
@pytest.mark.parametrize("scheme", sorted(PUSHES))
def test_push(video: Path, scheme: str, port: int) -> None:
    """A phone that pushes sound and picture is heard; when it hangs up, the port is open for the next."""
    with listening(scheme, port) as source:
        wait_for(lambda: is_open(port), "the port")
        assert "waiting for a phone" in source.status().detail
        with phone(video, scheme, port):
            chunks = listen(source.inbox, 2.5)
            assert source.status().state is SourceState.LIVE
        wait_for_state(source, SourceState.RECONNECTING)
        wait_for(lambda: is_open(port), "the port again")
        with phone(video, scheme, port):
            wait_for_state(source, SourceState.LIVE)
    rate_hz = chunks[0].rate_hz
    _, fit = find(joined(chunks)[rate_hz : 2 * rate_hz], SOUND)
    assert fit > 0.9


@pytest.mark.parametrize("scheme", sorted(PUSHES))
def test_stop_while_nobody_comes(scheme: str, port: int) -> None:
    """A stop ends the wait for a phone, which has a deadline of its own a minute away."""
    source = StreamSource("phone", f"{scheme}://127.0.0.1:{port}/live", Inbox("phone"), listen=True)
    source.start()
    wait_for(lambda: is_open(port), "the port")
    assert source.stop(LISTEN_S / 2)


@pytest.mark.parametrize("scheme", sorted(PUSHES))
def test_port_in_use(scheme: str) -> None:
    """A port that another program has is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as other, listening(scheme, other.getsockname()[1]) as source:
        wait_for(lambda: "another program has this port" in source.status().detail, "the port in use to be told")
        assert source.status().state is SourceState.RECONNECTING
