"""Cameras: a real RTSP server, its codecs, its password, and its death."""

from pathlib import Path

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.rtsp_server import camera
from tests.support.servers.sockets import free_port
from tests.support.sound.matching import find, joined, listen, wait_for_state
from tests.support.sound.sounds import chirp, write_wav

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s that no part of is like another."""
    return write_wav(tmp_path_factory.mktemp("camera") / "chirp.wav", chirp(200, 3000, 20.0))


@pytest.mark.parametrize(("codec", "rate_hz"), [("aac", 44_100), ("opus", 48_000), ("alaw", 8_000), ("l16", 16_000)])
def test_codecs(wav: Path, codec: str, rate_hz: int) -> None:
    """The sound of a camera is heard, whatever it is coded in and although it sends a picture too."""
    with camera(wav, codec) as port:
        source = StreamSource("cam", f"rtsp://127.0.0.1:{port}/live", Inbox("cam"))
        source.start()
        chunks = listen(source.inbox, 2.0)
        assert source.stop(PATIENCE_S)
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    _, fit = find(joined(chunks)[rate_hz : 2 * rate_hz], chirp(200, 3000, 20.0, rate_hz=rate_hz))
    assert fit > 0.9


def test_password(wav: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A camera's password works from the URL; a wrong one is told, and never shown."""
    with camera(wav, "l16", login=("admin", "right-pass")) as port:
        source = StreamSource("cam", f"rtsp://admin:right-pass@127.0.0.1:{port}/live", Inbox("cam"))
        source.start()
        listen(source.inbox, 0.5)
        assert source.stop(PATIENCE_S)
        source = StreamSource("cam", f"rtsp://admin:wrong-pass@127.0.0.1:{port}/live", Inbox("cam"))
        source.start()
        wait_for_state(source, SourceState.AUTH_FAILED)
        assert source.stop(PATIENCE_S)
    assert "refuses this user and password" in source.status().detail
    assert "-pass" not in source.status().detail + caplog.text


def test_death_and_return(wav: Path) -> None:
    """A killed camera is a drop, and is heard again once it is back."""
    port = free_port()
    with camera(wav, "l16", port):
        source = StreamSource("cam", f"rtsp://127.0.0.1:{port}/live", Inbox("cam"))
        source.start()
        listen(source.inbox, 0.5)
    wait_for_state(source, SourceState.RECONNECTING)
    with camera(wav, "l16", port):
        wait_for_state(source, SourceState.LIVE)
        listen(source.inbox, 0.5)
        assert source.stop(PATIENCE_S)
    assert source.status().reconnects == 1
