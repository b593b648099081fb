"""Sound that starts later than the picture is waited for; only then a stream counts as one without."""

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.options import LATE_S
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.paced_http import ENDLESS_WAV, PacedHttp, Piece, evenly
from tests.support.servers.rtp_camera import Camera
from tests.support.sound.late_sound import late_flv, late_transport
from tests.support.sound.matching import find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 40.0)
"""40 s at 16 kHz, no part of it like another."""


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(late_flv(SOUND, 4.0, announced=False), id="flv"),
        pytest.param(late_flv(SOUND, 11.0, announced=False), id="flv, later than a silence may last"),
        pytest.param(late_flv(SOUND, 11.0, announced=True), id="flv that announces its sound"),
        pytest.param(late_transport(SOUND, 6.0), id="transport stream that names its sound later"),
    ],
)
def test_late_sound_is_heard(pieces: list[Piece]) -> None:
    """Whatever the container, and from servers that begin anew with each connection, the sound is heard."""
    with PacedHttp(pieces).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"))
        source.start()
        chunks = listen(source.inbox, 2.0)
        assert source.status().state is SourceState.LIVE
        assert source.stop(PATIENCE_S)
    rate_hz = chunks[-1].rate_hz
    heard = joined(chunks)
    _, fit = find(heard[rate_hz // 2 : 3 * rate_hz // 2], chirp(200, 3000, 40.0, rate_hz=rate_hz))
    assert fit > 0.9


def test_camera_that_sends_late() -> None:
    """A camera whose session is there long before its sound is waited for, on one connection."""
    with Camera(encoded(SOUND, "mulaw", "pcm_mulaw", rate_hz=8_000), late_s=12.0).running() as camera:
        source = StreamSource("cam", f"rtsp://127.0.0.1:{camera.port}/live", Inbox("cam"))
        source.start()
        listen(source.inbox, 1.0)
        assert source.stop(PATIENCE_S)
    assert camera.transports == ("TCP",)


def test_web_server_that_sends_late() -> None:
    """A server that has answered, and has no sound yet, is waited for."""
    pieces = [(0.0, ENDLESS_WAV), *((12.0 + due_s, piece) for due_s, piece in evenly(SOUND.tobytes(), 40.0))]
    with PacedHttp(pieces, "audio/wav").running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"))
        source.start()
        heard = joined(listen(source.inbox, 1.5))
        assert source.stop(PATIENCE_S)
    _, fit = find(heard[:16_000], SOUND)
    assert fit > 0.9


def test_video_alone_is_said_after_the_wait() -> None:
    """A picture without sound says at once what is waited for, and after the wait that there is none."""
    with PacedHttp(late_flv(SOUND, 100.0, announced=False)).running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"))
        source.start()
        wait_for_state(source, SourceState.RECONNECTING)
        assert f"no sound yet (found: video); waiting {LATE_S:.0f} s" in source.status().detail
        wait_for(lambda: source.status().state is SourceState.DECODE_ERROR, "the end of the wait", 200.0)
        assert "holds no sound (found: video)" in source.status().detail
        assert source.stop(PATIENCE_S)
