"""FFmpeg at arm's length: a child process decodes, and sound comes out of it record by record."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final, Self

from service.capture.child.decoder_request import Opened, Request
from service.capture.child.process import GRACE_S, START_S, ChildProcess
from service.capture.child.sound import Lost, Sound

MODULE: Final = "service.capture.child.decoder_main"

_PASSED_ON: Final = ("PATH", "LANG", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What of our environment the child gets; the rest may name secrets."""


class Decoder:
    """One child, from its start to its end; a with-block ends it, whatever it does.

    Args:
        request: What to decode.
        stopping: Once set, the records end.
        calm: Whether sound has time until the next look; None: never.
    """

    def __init__(
        self,
        request: Request,
        stopping: threading.Event | None = None,
        calm: Callable[[], bool] | None = None,
    ) -> None:
        self._request = request
        self._child = ChildProcess(MODULE, "FFmpeg's process", stopping, calm=calm, environment=_PASSED_ON)

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            ChildError: The system has no process or pipe left.
        """
        self._child.__enter__()
        self._child.ask(asdict(self._request) | {"daemon": os.getpid()})
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()

    def opened(self) -> Opened | None:
        """Returns what FFmpeg found, or None where it was told to stop before.

        Raises:
            ChildError: It cannot be opened.
        """
        found = self._child.opened(START_S + 2 * (self._request.open_s or 0.0) + GRACE_S)
        return None if found is None else Opened(str(found.get("format")), ends=found.get("ends") is True)

    def sound(self, silence_s: float) -> Iterator[Sound | Lost]:
        """Yields all sound until its end, or until it was told to stop.

        Args:
            silence_s: Longest wait for the next (seconds).

        Raises:
            ChildError: It broke off. What was yielded before is good.
        """
        return self._child.sound(silence_s + GRACE_S)
