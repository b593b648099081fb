"""The built-in demo sound as a source: for a machine without a microphone, over the very same road."""

import time

from monitord.synthetic.demo import demo_sound
from monitord.types import RATE_HZ
from service.capture.captured_source import CapturedSource
from service.capture.clock import Pace

CHUNK = RATE_HZ // 10
"""Samples at 16 kHz: 0.1 s, as recordings come."""


class DemoSource(CapturedSource):
    """Plays the demo sound in real time, over and over."""

    def _attempt(self) -> None:
        sound = demo_sound()
        pace = Pace()
        position = 0
        while pace.wait(CHUNK, RATE_HZ, self._stopping):
            chunk = sound[position : position + CHUNK]
            self.inbox.write(chunk, RATE_HZ, time.time() - len(chunk) / RATE_HZ)
            self._live()
            position = (position + CHUNK) % len(sound)
