"""What a person types into a phone: the address of this machine, where a URL says "any"."""

import socket

import pytest

from service.capture.own_address import reachable


@pytest.mark.parametrize(
    "url", ["rtsp://192.0.2.7:8554/live", "rtmp://camera.local/live", "http://[2001:db8::7]:80/0.0.0.0"]
)
def test_an_address_stays(url: str) -> None:
    """Whatever it is."""
    assert reachable(url) == url


def test_any_address_becomes_one_of_this_machine() -> None:
    """One on which something can listen; as it is where there is no network at all."""
    url = reachable("rtmp://0.0.0.0:1935/live")
    host = url.removeprefix("rtmp://").removesuffix(":1935/live")
    socket.create_server((host, 0)).close()
