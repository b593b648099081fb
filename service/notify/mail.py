"""Mail through Apprise, over a connection that is verified as the channel says, with the server's own words."""

import hashlib
import smtplib
import socket
import ssl
import warnings
from collections.abc import Mapping
from typing import Any, Final, Self

from service.notify.trust import certificate_words, other_fingerprint
from service.notify.web import current_way

with warnings.catch_warnings():
    # What encrypts mail asks for a module of Python that is about to go.
    warnings.simplefilter("ignore", DeprecationWarning)
    from apprise.plugins.email import base as apprise_mail
    from apprise.plugins.email.base import NotifyEmail
    from apprise.plugins.email.smtp import AppriseSMTPController, SMTPSecureMode


class HouseMail(AppriseSMTPController):
    """One connection to a mail server: as Apprise makes it, but for who is trusted and what is told of a failure."""

    _socket: Any  # SMTP or SMTP_SSL; Apprise types it as None

    def __enter__(self) -> Self:
        way = current_way()
        try:
            self._open()
        except (OSError, smtplib.SMTPException, RuntimeError) as error:
            way.faults.append(_words(error))
            self.__exit__(None, None, None)
            self._socket = None
            raise
        return self

    def sendmail(self, from_addr: str, to_addrs: list[str], message: str) -> bool:
        """Hands one mail over; whether the server took it for every receiver."""
        way = current_way()
        try:
            refused = self._socket.sendmail(from_addr, to_addrs, message)
        except (OSError, smtplib.SMTPException, RuntimeError) as error:
            way.faults.append(_words(error))
            return False
        if refused:
            way.faults.append(f"it refuses {len(refused)} of {len(to_addrs)} receivers ({_codes(refused)})")
            return False
        way.mails += 1
        return True

    def _open(self) -> None:
        trust = current_way().trust
        context = trust.context()
        if not self.verify_certificate and trust.ca_file is None:  # the family's own words in the URL: verify=no
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        where = (self.host, self.port)
        if self.secure_mode == SMTPSecureMode.SSL:
            self._socket = smtplib.SMTP_SSL(*where, timeout=self.socket_connect_timeout, context=context)
        else:
            self._socket = smtplib.SMTP(*where, timeout=self.socket_connect_timeout)
        if self.secure_mode == SMTPSecureMode.STARTTLS:
            self._socket.starttls(context=context)
        if trust.fingerprint is not None:
            _check(self._socket.sock, trust.fingerprint)
        if self.user and self.password:
            self._socket.login(self.user, self.password)


def watch_everybody() -> None:
    """From now on Apprise's mail uses a `HouseMail`; if a release does not, `Push` believes none of its mails."""
    setattr(apprise_mail, "AppriseSMTPController", HouseMail)  # noqa: B010 - as in `web`


def is_encrypted(service: object) -> bool:
    """Whether a mail server is reached over TLS, at once or by STARTTLS."""
    return getattr(service, "secure_mode", "") != SMTPSecureMode.INSECURE


def is_mail(service: object) -> bool:
    """Whether a service of Apprise is mail over SMTP."""
    return isinstance(service, NotifyEmail)


def _check(connection: ssl.SSLSocket | None, fingerprint: str) -> None:
    """Raises `_OtherCertificateError` before anything is told to the wrong one."""
    certificate = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
    found = hashlib.sha256(certificate or b"").hexdigest()
    if found != fingerprint:
        raise _OtherCertificateError(other_fingerprint(found) if certificate else "its connection is not encrypted")


class _OtherCertificateError(OSError):
    """Not the certificate of the configuration; says so."""


_ENDS: Final[Mapping[type[Exception], str]] = {
    smtplib.SMTPNotSupportedError: "it lacks what the address asks of it: STARTTLS (or write mode=ssl), or a login",
    smtplib.SMTPServerDisconnected: "it breaks the connection off",
    FileNotFoundError: "the certificates to trust cannot be read (ca_file)",
    TimeoutError: "it does not answer in time",
    socket.gaierror: "it cannot be reached: nobody knows its name",
}


def _words(error: Exception) -> str:
    match error:
        case _OtherCertificateError():
            return str(error)
        case smtplib.SMTPRecipientsRefused():
            return f"it refuses every receiver ({_codes(error.recipients)})"
        case smtplib.SMTPAuthenticationError():
            return f"it refuses the user or the password ({error.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"it answers {error.smtp_code}"
    said = next((words for kind, words in _ENDS.items() if isinstance(error, kind)), "it cannot be reached")
    return certificate_words(error) or said


def _codes(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(sorted({str(code) for code, _ in refused.values()}))
