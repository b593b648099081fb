"""FFmpeg at arm's length: a child process decodes, and sound comes out of it record by record."""

import os
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from typing import Final, Self

from service.capture.child.decoder_request import Opened, Request
from service.capture.child.process import GRACE_S, START_S, ChildProcess
from service.capture.child.sound import Lost, Sound

MODULE: Final = "service.capture.child.decoder_main"

_PASSED_ON: Final = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What of our environment the child gets; the rest may name secrets."""

_PROXIES: Final = ("http_proxy", "no_proxy")
"""What FFmpeg obeys, where the request names a proxy; else it goes straight there."""


class Decoder:
    """One child, from its start to its end; a with-block ends it, whatever it does.

    Args:
        request: What to decode.
        stopping: Once set, the records end.
        calm: Whether sound has time until the next look; None: never.
        files: Descriptors of ours that it may read.
    """

    def __init__(
        self,
        request: Request,
        stopping: threading.Event | None = None,
        calm: Callable[[], bool] | None = None,
        files: Collection[int] = (),
    ) -> None:
        self._request = request
        environment = _PASSED_ON + (_PROXIES if request.proxy else ())
        self._child = ChildProcess(
            MODULE, "FFmpeg's process", stopping, calm=calm, environment=environment, files=files
        )

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

    def opened(self, noted: Callable[[dict[str, object]], None] | None = None) -> Opened | None:
        """Returns what FFmpeg found, or None where it was told to stop before.

        Args:
            noted: Takes what is seen of a stream meanwhile.

        Raises:
            ChildError: It cannot be opened.
        """
        request = self._request
        silence_s = START_S + 2 * (request.open_s or 0.0) + request.late_s + GRACE_S
        found = self._child.opened(silence_s, noted or (lambda _: None))
        if found is None:
            return None
        return Opened(str(found.get("format")), found.get("ends") is True, found.get("bare") is True)

    def sound(self, silence_s: float, first_s: float = 0.0) -> Iterator[Sound | Lost]:
        """Yields all sound until its end, or until it was told to stop.

        Args:
            silence_s: Longest wait for the next (seconds).
            first_s: Longest wait for the first where that is longer (seconds).

        Raises:
            ChildError: It broke off. What was yielded before is good.
        """
        return self._child.sound(silence_s + GRACE_S, first_s=first_s + GRACE_S)
