"""Certificates of cameras: verified where the family asks, and what does not hold is said, with the way out."""

import hashlib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.how import how
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import authority, certificate
from tests.support.servers.paced_http import ENDLESS_WAV, PacedHttp, evenly
from tests.support.servers.rtp_camera import Camera
from tests.support.sound.matching import find, joined, listen, wait_for_state
from tests.support.sound.media import encoded
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 20.0, rate_hz=8_000)
"""20 s, no part of it like another."""

MULAW = encoded(SOUND, "mulaw", "pcm_mulaw", rate_hz=8_000)


@dataclass
class Keys:
    """A certificate with its key, and who signed it."""

    file: Path
    key: Path
    authority: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal digits."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.file.read_text())).hexdigest()

    @property
    def server(self) -> ssl.SSLContext:
        """Of a camera that has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Signed by an authority, for the address of the tests."""
    folder = tmp_path_factory.mktemp("signed")
    ours = authority(folder)
    return Keys(*certificate(folder, ours, "camera", "IP:127.0.0.1"), ours[0])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Of a camera that signs for itself, under a name that nobody can look up."""
    made, key = authority(tmp_path_factory.mktemp("own"), "ipcam-4711")
    return Keys(made, key, made)


@contextmanager
def serving(scheme: str, keys: Keys) -> Iterator[str]:
    """A camera; gives its URL."""
    if scheme == "rtsps":
        with Camera(MULAW).running(keys.server) as camera:
            yield f"rtsps://127.0.0.1:{camera.port}/live"
    else:
        raw = chirp(200, 3000, 20.0).tobytes()
        pieces = [(0.0, ENDLESS_WAV), *evenly(raw, 20.0)]
        with PacedHttp(pieces, "audio/wav").running(keys.server) as server:
            yield server.url


def is_heard(url: str, **keys: object) -> None:
    """Its sound comes."""
    source = StreamSource("cam", url, Inbox("cam"), how=how(url, **keys))  # type: ignore[arg-type]
    source.start()
    chunks = listen(source.inbox, 1.5)
    assert source.stop(PATIENCE_S)
    rate_hz = chunks[0].rate_hz
    _, fit = find(joined(chunks)[rate_hz // 4 : 5 * rate_hz // 4], chirp(200, 3000, 20.0, rate_hz=rate_hz))
    assert fit > 0.9


def words_of(url: str, **keys: object) -> str:
    """What is said; nothing is heard."""
    source = StreamSource("cam", url, Inbox("cam"), how=how(url, **keys))  # type: ignore[arg-type]
    source.start()
    wait_for_state(source, SourceState.RECONNECTING)
    assert source.stop(PATIENCE_S)
    assert source.inbox.tally().captured == 0
    return source.status().detail


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
def test_heard(scheme: str, signed: Keys, own: Keys) -> None:
    """Unasked any certificate is taken; asked, one that the authority signed, and the one of the fingerprint."""
    with serving(scheme, own) as url:
        is_heard(url)
        is_heard(url, fingerprint=own.fingerprint)
        is_heard(url, fingerprint=":".join(re.findall("..", own.fingerprint)).upper())
    with serving(scheme, signed) as url:
        is_heard(url, ca_file=signed.authority)
        is_heard(url, verify=True, ca_file=signed.authority)
        is_heard(url, fingerprint=signed.fingerprint)


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
def test_refused(scheme: str, signed: Keys, own: Keys) -> None:
    """Another authority, another name, another certificate: not heard, and said why and what helps."""
    with serving(scheme, own) as url:
        words = words_of(url, verify=True)
        assert "its certificate does not hold (self-signed certificate)" in words
        assert own.fingerprint in words.replace(":", "").lower()
        assert "ca_file, or trust this one alone" in words
        words = words_of(url, ca_file=own.authority)
        assert "does not hold (IP address mismatch" in words
        words = words_of(url, fingerprint=signed.fingerprint)
        assert "its certificate is not the one of `fingerprint`" in words
        assert own.fingerprint in words.replace(":", "").lower()


def test_the_systems_own_authorities(signed: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """`verify: true` alone trusts what this machine trusts, which SSL_CERT_FILE can say."""
    monkeypatch.setenv("SSL_CERT_FILE", str(signed.authority))
    with serving("https", signed) as url:
        is_heard(url, verify=True)


def test_bare_sound_is_verified_too(signed: Keys, own: Keys) -> None:
    """What we ask for ourselves, in place of FFmpeg, trusts the same."""
    for keys, sure in ((signed, {"ca_file": signed.authority}), (own, {"fingerprint": own.fingerprint})):
        with PacedHttp(evenly(MULAW, 20.0), "audio/basic").running(keys.server) as server:
            is_heard(server.url, sound="PCMU", **sure)
    with PacedHttp(evenly(MULAW, 20.0), "audio/basic").running(own.server) as server:
        assert "does not hold" in words_of(server.url, sound="PCMU", verify=True)


def test_no_camera_and_no_tls(own: Keys) -> None:
    """With a fingerprint, too, a port where nobody is, and one without TLS, are told as what they are."""
    assert "nobody answers at this port" in words_of("https://127.0.0.1:1/x", fingerprint=own.fingerprint)
    with PacedHttp([], "text/plain").running() as server:
        url = server.url.replace("http:", "https:")
        assert "no TLS there" in words_of(url, fingerprint=own.fingerprint)
