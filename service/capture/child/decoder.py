"""FFmpeg at arm's length: a child process decodes, and sound comes out of it record by record."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final, Self

import numpy as np

from service.capture.child.decoder_request import Opened, Request
from service.capture.child.process import GRACE_S, START_S, ChildProcess, Lost, Sound
from service.capture.child.protocol import ENDED, LOST, MOST_SAMPLES, SOUND

RATES_HZ: Final = (4_000, 384_000)
"""Rates that are heard (hertz), the extremes of what recorders make. At 1 Hz a frame of samples would be hours."""

MOST_LOST_S: Final = 60.0
"""Longest hole that is believed (seconds): `damage` packets of a second each."""

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
        while (header := self._child.record(silence_s + GRACE_S)) is not None:
            kind, rate_hz, n = header
            if kind == ENDED:
                return
            if kind not in {SOUND, LOST} or n == 0:
                self._child.foreign(f"a record {kind!r} of {n}")
            if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
                self._child.foreign(f"sound at {rate_hz} Hz; heard are {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
            if n > (MOST_LOST_S * rate_hz if kind == LOST else MOST_SAMPLES):
                self._child.foreign(f"{n} samples at once")
            if kind == LOST:
                yield Lost(n, rate_hz)
                continue
            raw = self._child.read(2 * n, silence_s)
            if raw is None:
                return
            yield Sound(np.frombuffer(raw, np.int16), rate_hz)
