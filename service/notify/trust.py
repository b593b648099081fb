"""Which server a channel believes: whom this machine trusts, an authority of the family's own, or one certificate."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REMEDY: Final = "name its authority in ca_file, or this very certificate in fingerprint"

_CLOCK: Final = frozenset({9, 10})
"""Not yet valid, expired: OpenSSL's numbers (X509_V_ERR_..., x509_vfy.h)."""
_NAME: Final = frozenset({62, 64})
"""Another host name, another address."""


@dataclass(frozen=True, slots=True)
class Trust:
    """At most one of the two is given."""

    ca_file: Path | None = None
    """Certificates (PEM) of those who may sign; None: those that this machine trusts."""
    fingerprint: str | None = None
    """SHA-256 of the one certificate that holds, 64 hexadecimal digits; its name and its dates do not matter then."""

    def context(self) -> ssl.SSLContext:
        """Returns how a server is verified; with a fingerprint `is_pinned` has to look at it afterwards.

        Raises:
            OSError: The file cannot be read, or holds no certificates (`ssl.SSLError` is one).
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.fingerprint is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def certificate_words(error: BaseException) -> str | None:
    """Says what is wrong with a certificate, and the way out; None: that is not what went wrong.

    Args:
        error: As it came, with all its causes.
    """
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = f"its certificate does not hold ({cause.verify_message})"
            if cause.verify_code in _CLOCK:
                return f"{why}; renew it there (or is the clock of this machine wrong?), or {REMEDY}"
            if cause.verify_code in _NAME:
                return f"{why}; write the name that it is for, or this very certificate in fingerprint"
            return f"{why}; {REMEDY}"
        if found := re.search(r"Fingerprints did not match\..* got \"([0-9a-f:]+)\"", str(cause)):
            return other_fingerprint(found[1])
        if isinstance(cause, ssl.SSLError):
            return f"no TLS there ({cause.reason or 'the connection broke off'}); check the scheme and the port"
    return None


def other_fingerprint(found: str) -> str:
    """Says that another certificate came than the one of the configuration."""
    return f"its certificate is another one: its fingerprint is {found}; if it was renewed there, write that"


def causes(error: BaseException) -> list[BaseException]:
    """Returns an error and all that led to it: causes, contexts, and what libraries wrap as a `reason` or argument."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        it = waiting.pop(0)
        if isinstance(it, BaseException) and it not in found:
            found.append(it)
            waiting += [getattr(it, "reason", None), *it.args, it.__cause__, it.__context__]
    return found
