"""Cameras with one transport, and with a bad network: they are heard, and what is lost on the way is counted."""

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.how import How, Transport
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.rtp_camera import PACKET, Camera
from tests.support.sound.matching import find, joined, listen, wait_for, wait_for_state
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 20.0, rate_hz=8_000)
"""20 s, no part of it like another."""

MULAW = encoded(SOUND, "mulaw", "pcm_mulaw", rate_hz=8_000)


def source_of(camera: Camera, transport: Transport = "auto") -> StreamSource:
    """Listens to a camera."""
    return StreamSource("cam", f"rtsp://127.0.0.1:{camera.port}/live", Inbox("cam"), how=How(transport))


@pytest.mark.parametrize("status", ["461 Unsupported Transport", "400 Bad Request", "459 No", "500 Oops", "551 No"])
def test_udp_alone(status: str) -> None:
    """A camera that refuses TCP, by the right number or by another, is heard over UDP by itself."""
    with Camera(MULAW, refuses="TCP", status=status).running() as camera:
        source = source_of(camera)
        source.start()
        heard = joined(listen(source.inbox, 1.5))
        assert source.stop(PATIENCE_S)
    assert camera.transports[0] == "TCP"
    assert camera.transports[-1] == "UDP"
    _, fit = find(heard[2_000:10_000], SOUND)
    assert fit > 0.9


@pytest.mark.parametrize(("transport", "asked"), [("auto", "TCP"), ("tcp", "TCP"), ("udp", "UDP")])
def test_setting(transport: Transport, asked: str) -> None:
    """A camera that takes both is asked for TCP, unless the family says UDP."""
    with Camera(MULAW).running() as camera:
        source = source_of(camera, transport)
        source.start()
        listen(source.inbox, 0.5)
        assert source.stop(PATIENCE_S)
    assert set(camera.transports) == {asked}


@pytest.mark.parametrize(("transport", "refuses", "other"), [("tcp", "TCP", "udp"), ("udp", "UDP", "tcp")])
def test_setting_that_is_refused(transport: Transport, refuses: str, other: str) -> None:
    """Where the family's own choice is refused, it is not gone round: the other setting is named."""
    with Camera(MULAW, refuses=refuses).running() as camera:
        source = source_of(camera, transport)
        source.start()
        wait_for_state(source, SourceState.RECONNECTING)
        assert source.stop(PATIENCE_S)
    assert f"refuses the transport ({transport}): try `transport: {other}`" in source.status().detail
    assert set(camera.transports) == {refuses}


def test_losses_are_counted() -> None:
    """Packets that UDP loses are counted by their numbers, and so every tenth is a tenth of the time."""
    with Camera(MULAW, loses=10).running() as camera:
        source = source_of(camera, "udp")
        source.start()
        listen(source.inbox, 2.0)
        wait_for(lambda: source.inbox.lost_device >= 10 * 2 * PACKET, "ten losses")
        assert source.stop(PATIENCE_S)
    tally = source.inbox.tally()
    assert tally.lost % (2 * PACKET) == 0  # whole packets, at 16 kHz
    assert 0.05 < tally.lost / tally.captured < 0.15


def test_camera_that_plays_nothing_by_tcp() -> None:
    """A camera that takes TCP and sends nothing by it says so, and is heard by UDP at the next attempt."""
    with Camera(MULAW, mute="TCP").running() as camera:
        source = source_of(camera)
        source.start()
        wait_for_state(source, SourceState.RECONNECTING)
        assert "connected, but sends nothing" in source.status().detail
        listen(source.inbox, 0.5)
        assert source.stop(PATIENCE_S)
    assert camera.transports[0] == "TCP"
    assert camera.transports[-1] == "UDP"
