"""Fingerprints of certificates, as people copy them."""

import pytest

from service.settings.fingerprints import plain_fingerprint


@pytest.mark.parametrize("text", ["", "AB:CD", "g" * 64, "a" * 63, "sha1=" + "a" * 40])
def test_what_is_no_fingerprint(text: str) -> None:
    """It is refused, with what one looks like."""
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        plain_fingerprint(text)


@pytest.mark.parametrize("text", ["{}", "sha256 Fingerprint={}", "SHA-256: {}", "sha256:{}", "SHA256 {}"])
def test_fingerprints_as_people_copy_them(text: str) -> None:
    """From openssl, from a browser, with or without a name before it."""
    assert plain_fingerprint(text.format("AA:" * 31 + "AA")) == "aa" * 32
