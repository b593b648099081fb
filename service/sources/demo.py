"""The built-in demo sound as a source: for a machine without a microphone, over the very same road."""

import time

from monitord.demo import demo_sound
from monitord.types import RATE_HZ
from service.inbox import Inbox
from service.sources.base import SourceStatus
from service.sources.capture import Capture
from service.sources.pace import Pace

CHUNK = RATE_HZ // 10
"""Samples at 16 kHz: 0.1 s, as recordings come."""


class DemoSource:
    """Plays the demo sound in real time, over and over."""

    def __init__(self, source_id: str, inbox: Inbox) -> None:
        self.inbox = inbox
        self._capture = Capture(source_id, self._attempt)

    @property
    def id(self) -> str:
        """The source's id."""
        return self._capture.source_id

    def start(self) -> None:
        """Starts to play."""
        self._capture.start()

    def stop(self, timeout_s: float) -> bool:
        """Stops at most a chunk later."""
        return self._capture.stop(timeout_s)

    def status(self) -> SourceStatus:
        """What the thread is doing."""
        return self._capture.status()

    def _attempt(self) -> None:
        sound = demo_sound()
        pace = Pace()
        position = 0
        while pace.wait(CHUNK, RATE_HZ, self._capture.stopping):
            chunk = sound[position : position + CHUNK]
            self.inbox.write(chunk, RATE_HZ, time.time() - len(chunk) / RATE_HZ)
            self._capture.live()
            position = (position + CHUNK) % len(sound)
