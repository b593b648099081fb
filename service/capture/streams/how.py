"""How a stream is opened, where the family knows more than its address says: transport, format, whom to trust."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from monitord.errors import ConfigError
from service.capture.streams.bare import Bare, written
from service.capture.streams.protocols import SECURED
from service.settings.fingerprints import plain_fingerprint

Transport = Literal["auto", "tcp", "udp"]

_TRANSPORT: Final = ("rtsp", "rtsps")
_BARE: Final = ("http", "https", "udp")
"""Protocols to which each belongs."""


@dataclass(frozen=True, slots=True)
class How:
    """What else is known of a stream."""

    transport: Transport = "auto"
    """Of RTSP; auto: TCP, and UDP where the camera refuses that."""
    bare: Bare | None = None
    """What the sound is that says nothing of itself; None: it says so, or the web server does."""
    verify: bool = False
    """Whether the certificate must hold: signed by whom this machine trusts or by `ca_file`, for this host."""
    ca_file: Path | None = None
    """The authority that signed the certificate, or the certificate itself (PEM)."""
    fingerprint: str | None = None
    """SHA-256 of the one certificate that is trusted (64 hexadecimal digits), whatever host it names."""


AS_IT_IS: Final = How()
"""Nothing else is known."""


def how(
    url: str,
    *,
    listen: bool = False,
    transport: Transport = "auto",
    sound: str | None = None,
    verify: bool | None = None,
    ca_file: Path | None = None,
    fingerprint: str | None = None,
) -> How:
    """Reads the keys of a stream.

    Args:
        url: As `stream_spec` returns it.
        listen: Whether the daemon waits for a phone.
        transport: As in `How`.
        sound: The key `format`.
        verify: As in `How`; None: as the two below say.
        ca_file: As in `How`.
        fingerprint: With or without colons.

    Raises:
        ConfigError: A key does not belong to this stream, or cannot be read.
    """
    scheme = url.partition("://")[0]
    if transport != "auto" and (listen or scheme not in _TRANSPORT):
        raise ConfigError("transport belongs to a stream that is read by rtsp or rtsps")
    if sound is not None and scheme not in _BARE:
        raise ConfigError(f"format belongs to a stream by http, https or udp; {scheme} says itself what it carries")
    bare = None
    if sound is not None:
        try:
            bare = written(sound)
        except ValueError as error:
            raise ConfigError(f"format {error}") from None
    if (verify or ca_file or fingerprint) and (listen or scheme not in SECURED):
        raise ConfigError("verify, ca_file and fingerprint belong to a stream that is read by https, rtsps or rtmps")
    if ca_file and fingerprint:
        raise ConfigError("give ca_file or fingerprint, not both: a fingerprint trusts one certificate alone")
    if verify is False and (ca_file or fingerprint):
        raise ConfigError("verify: false does not go with ca_file or fingerprint")
    digits = None
    if fingerprint is not None:
        try:
            digits = plain_fingerprint(fingerprint)
        except ValueError as error:
            raise ConfigError(f"fingerprint {error}") from None
    return How(transport, bare, bool(verify or ca_file or fingerprint), ca_file, digits)


def readable(digits: str) -> str:
    """`AB:CD:...`, as a person compares it."""
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2)).upper()
