"""A proxy in the environment: the house is reached without it, the world through it, and then it is named."""

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.proxy import proxy_of
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import HttpAudio
from tests.support.servers.paced_http import PacedHttp
from tests.support.sound.matching import listen, wait_for_state
from tests.support.sound.sounds import chirp

PROXY = "http://parent:secret-9@127.0.0.1:9"
"""Nobody is there."""


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "192.168.1.20", "10.1.2.3", "172.20.0.1:1", "169.254.1.1", "100.101.102.103", "[fd00::1]:80",
     "[fe80::1]", "camera.local", "camera", "cam.fritz.box", "localhost"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https", "rtsps", "rtsp"])
def test_the_house(scheme: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Private addresses and names of the house are reached directly."""
    monkeypatch.setenv("http_proxy", PROXY)
    assert proxy_of(f"{scheme}://u:p@{host}/x") is None


def test_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is elsewhere goes through the proxy, unless the environment says otherwise."""
    monkeypatch.setenv("http_proxy", PROXY)
    for url in ("http://1.1.1.1/x", "https://radio.example/x", "http://[2606:4700::1111]/x"):
        assert proxy_of(url) == PROXY
    assert proxy_of("rtsp://1.1.1.1/x") is None  # FFmpeg takes no proxy there
    monkeypatch.setenv("no_proxy", "radio.example,1.1.1.1")
    assert proxy_of("http://1.1.1.1/x") is None
    assert proxy_of("https://radio.example/x") is None
    monkeypatch.delenv("http_proxy")
    assert proxy_of("http://[2606:4700::1111]/x") is None


def test_camera_in_the_house_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead proxy takes no camera in the house away."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, PROXY)
    with HttpAudio(chirp(200, 3000, 20.0)).running() as phone:
        source = StreamSource("cam", phone.url("/audio.wav"), Inbox("cam"))
        source.start()
        listen(source.inbox, 0.5)
        assert source.stop(PATIENCE_S)


def test_the_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the proxy is what does not answer, or answers no, it stands in the words, without its password."""
    monkeypatch.setenv("http_proxy", PROXY)
    assert "127.0.0.1:9 of http_proxy" in _words("http://192.0.2.1.example/x")
    with PacedHttp([], "text/plain", status=502, length=True).running() as proxy:
        monkeypatch.setenv("http_proxy", f"http://parent:secret-9@127.0.0.1:{proxy.port}")
        words = _words("http://radio.example/x")
    assert "answers 502" in words
    assert f"through the proxy http://***@127.0.0.1:{proxy.port} of http_proxy" in words


def _words(url: str) -> str:
    source = StreamSource("cam", url, Inbox("cam"))
    source.start()
    wait_for_state(source, SourceState.RECONNECTING)
    assert source.stop(PATIENCE_S)
    assert "secret-9" not in source.status().detail
    return source.status().detail
