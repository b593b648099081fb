"""FFmpeg at arm's length: a child process decodes, and sound comes out of it record by record."""

import os
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from typing import Final, Self

from service.capture.child.decoder_request import Opened, Request
from service.capture.child.process import GRACE_S, START_S, ChildError, ChildProcess
from service.capture.child.sound import Lost, Sound

MODULE: Final = "service.capture.child.decoder_main"

_PASSED_ON: Final = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What of our environment the child gets; the rest may name secrets."""

_PROXIES: Final = ("http_proxy", "no_proxy")
"""What FFmpeg obeys, where the request names a proxy; else it goes straight there."""


_NAME: Final = "FFmpeg's process"


class Decoders:
    """Processes that decode one recording after the other, for whoever hears many; a with-block ends them.

    To start one takes 0.13 s of a core, to hear a clip of 5 s takes 0.04 s. Each recording is decoded by a copy of the
    process, so that none meets what another has left there. One thread uses this, and the processes end with it.
    """

    def __init__(self) -> None:
        self._idle: list[ChildProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop().__exit__()

    def lend(self) -> ChildProcess | None:
        """Returns one for a `Decoder`; None where the system has no process left, as a `Decoder` itself then says."""
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            child.__exit__()
        try:
            return ChildProcess(MODULE, _NAME, environment=_PASSED_ON).__enter__()
        except ChildError:
            return None

    def take_back(self, child: ChildProcess | None) -> None:
        """Keeps it for the next, where it has done what it was asked; else it is ended."""
        if child is None:
            return
        if child.over:
            self._idle.append(child)
        else:
            child.__exit__()


class Decoder:
    """One child, from its start to its end; a with-block ends it, whatever it does.

    Args:
        request: What to decode.
        stopping: Once set, the records end.
        calm: Whether sound has time until the next look; None: never.
        files: Descriptors of ours that it may read.
        lent: Of `Decoders`, in place of a process of its own; it stays where it has done what was asked.
    """

    def __init__(
        self,
        request: Request,
        stopping: threading.Event | None = None,
        calm: Callable[[], bool] | None = None,
        files: Collection[int] = (),
        lent: ChildProcess | None = None,
    ) -> None:
        self._request = request
        self._lent = lent
        environment = _PASSED_ON + (_PROXIES if request.proxy else ())
        self._child = lent or ChildProcess(MODULE, _NAME, stopping, calm=calm, environment=environment, files=files)
        if lent is not None:
            lent.stopping = stopping or threading.Event()

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            ChildError: The system has no process or pipe left.
        """
        if self._lent is None:
            self._child.__enter__()
        self._child.ask(asdict(self._request) | {"daemon": os.getpid(), "more": self._lent is not None})
        return self

    def __exit__(self, *_: object) -> None:
        if self._lent is None or not self._lent.over:
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
