"""What may be written of a stream beside its address, and where each key belongs."""

from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.capture.spec import StreamSpec
from service.capture.streams.bare import Bare
from service.capture.streams.how import How
from service.config import load_config

FINGERPRINT = "AB:" * 31 + "cd"


def spec_of(folder: Path, source: str) -> object:
    """Reads the one source of a file."""
    path = folder / "monitord.yaml"
    path.write_text(f"sources: {{a: {{{source}}}}}")
    path.chmod(0o600)
    (folder / "ca.crt").touch()
    return load_config(path).sources["a"].spec


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("stream: 'rtsp://c/x'", How()),
        ("stream: 'rtsp://c/x', transport: udp", How("udp")),
        ("stream: 'rtsps://c/x', transport: tcp, verify: true", How("tcp", verify=True)),
        ("stream: 'http://c/x', format: PCMU", How(bare=Bare("mulaw"))),
        ("stream: 'udp://0.0.0.0:1', format: L16/16000/2", How(bare=Bare("s16be", 16_000, 2))),
        ("listen: true, stream: 'http://0.0.0.0:80/x', format: PCMA/8000", How(bare=Bare("alaw"))),
        ("stream: 'https://c/x', verify: false", How()),
        (f"stream: 'https://c/x', fingerprint: '{FINGERPRINT}'", How(verify=True, fingerprint="ab" * 31 + "cd")),
        (f"stream: 'rtmps://c/x', fingerprint: 'sha256:{'0' * 64}'", How(verify=True, fingerprint="0" * 64)),
    ],
)  # fmt: skip
def test_read(tmp_path: Path, source: str, how: How) -> None:
    """Each key arrives, and a certificate that is given is one that is asked for."""
    spec = spec_of(tmp_path, source)
    assert isinstance(spec, StreamSpec)
    assert spec.how == how


def test_the_authority_is_seen_from_the_file(tmp_path: Path) -> None:
    """A relative path is one beside the configuration."""
    spec = spec_of(tmp_path, "stream: 'https://c/x', ca_file: ca.crt")
    assert isinstance(spec, StreamSpec)
    assert spec.how == How(verify=True, ca_file=tmp_path / "ca.crt")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("microphone: default, transport: tcp", "transport belongs to a stream"),
        ("microphone: default, format: PCMU", "format belongs to a stream"),
        ("microphone: default, verify: true", "verify belongs to a stream"),
        ("file: ca.crt, fingerprint: ab", "fingerprint belongs to a stream"),
        ("stream: 'http://c/x', transport: udp", "transport belongs to a stream that is read by rtsp or rtsps"),
        ("listen: true, stream: 'rtsp://0.0.0.0:1/x', transport: udp", "transport belongs to a stream that is read"),
        ("stream: 'rtsp://c/x', transport: sctp", "transport"),
        ("stream: 'rtsp://c/x', format: PCMU", "format belongs to a stream by http, https or udp"),
        ("stream: 'http://c/x', format: opus", "format must be one of PCMU, PCMA, L16"),
        ("stream: 'http://c/x', format: L16", "write L16/16000"),
        ("stream: 'http://c/x', verify: true", "belong to a stream that is read by https, rtsps or rtmps"),
        ("stream: 'rtsp://c/x', ca_file: ca.crt", "belong to a stream that is read by https, rtsps or rtmps"),
        ("stream: 'https://c/x', ca_file: no.crt", "there is no file"),
        ("stream: 'https://c/x', fingerprint: 'ab:cd'", "64 hexadecimal digits"),
        (f"stream: 'https://c/x', ca_file: ca.crt, fingerprint: '{FINGERPRINT}'", "not both"),
        ("stream: 'https://c/x', verify: false, ca_file: ca.crt", "verify: false does not go with"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, source: str, words: str) -> None:
    """A key that does not belong there is refused, with where it belongs."""
    with pytest.raises(ConfigError) as caught:
        spec_of(tmp_path, source)
    assert "sources.a" in str(caught.value)
    assert words in str(caught.value)
