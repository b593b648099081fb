"""A mail server on loopback: as much SMTP (RFC 5321) as a client needs, with TLS, logins and refusals."""

import base64
import contextlib
import queue
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Final

from tests.support.servers.http_serving import serving


@dataclass
class MailServer:
    """What came, and how it answers; may be changed while it runs."""

    port: int = 0
    mails: queue.Queue[bytes] = field(default_factory=queue.Queue)
    logins: list[str] = field(default_factory=list)
    """What was given to AUTH PLAIN."""
    answers: dict[str, str] = field(default_factory=dict)
    """Answers that are not the usual ones, by command; `.` is the end of a mail."""


@contextmanager
def mail_server(tls: tuple[Path, Path] | None = None, *, starttls: bool = False) -> Iterator[MailServer]:
    """Serves until the end of the block; with a certificate and its key over TLS, at once or when it is asked for."""
    server = _Server(("127.0.0.1", 0), _Conversation)
    server.site = MailServer(server.server_address[1])
    server.starttls = starttls
    if tls is not None:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(*tls)
    with serving(server):
        yield server.site


class _Server(ThreadingTCPServer):
    daemon_threads = True
    site: MailServer
    tls: ssl.SSLContext | None = None
    starttls = False


class _Conversation(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            if self.server.tls is not None and not self.server.starttls:
                self._encrypt()
            self._say("220 mail.test ready")
            while words := self.rfile.readline().decode().split():
                command = words[0].upper()
                if command in self.server.site.answers:
                    self._say(self.server.site.answers[command])
                else:
                    self._obey(command, words)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _obey(self, command: str, words: list[str]) -> None:
        site = self.server.site
        offered = "250-STARTTLS\r\n250 AUTH PLAIN" if self.server.starttls else "250 AUTH PLAIN"
        if command == "AUTH":
            site.logins.append(base64.b64decode(words[2]).decode())
        self._say(f"250-mail.test\r\n{offered}" if command == "EHLO" else _ANSWERS.get(command, "250 fine"))
        if command == "STARTTLS":
            self._encrypt()
        if command == "DATA":
            mail = b"".join(iter(self.rfile.readline, b".\r\n"))
            if "." not in site.answers:
                site.mails.put(mail)
            self._say(site.answers.get(".", "250 taken"))

    def _encrypt(self) -> None:
        assert self.server.tls is not None
        self.rfile.close()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")

    def _say(self, line: str) -> None:
        self.connection.sendall(f"{line}\r\n".encode())


_ANSWERS: Final = {"STARTTLS": "220 go on", "AUTH": "235 welcome", "DATA": "354 go on", "QUIT": "221 bye"}
