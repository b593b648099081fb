"""Fingerprints of certificates, as people copy them."""

import re


def plain_fingerprint(text: str) -> str:
    """Returns the 64 digits of a SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` or a browser shows it.

    Raises:
        ValueError: It is none.
    """
    digits = re.sub(r"[:\s]", "", re.sub(r"^\s*sha-?256( fingerprint)?\s*[:= ]", "", text, flags=re.IGNORECASE)).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError(
            "is no SHA-256 fingerprint: write its 64 hexadecimal digits, with or without colons, in quotes, as "
            "`openssl x509 -noout -fingerprint -sha256` prints it"
        )
    return digits
