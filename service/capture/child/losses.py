"""Packets that never came: RTP numbers them, FFmpeg says in its log how many it missed, and nowhere else."""

import logging
import re
from typing import Final

from monitord.tally import MOST_LOST_S

_MISSED: Final = re.compile(r"RTP: missed (\d+) packets")
"""libavformat/rtpdec.c."""


class Losses(logging.Handler):
    """Counts what is missing of one stream, from its making on.

    Args:
        url: Of the stream; only those over RTP have numbers, and only for them FFmpeg's log is heard.
    """

    def __init__(self, url: str) -> None:
        super().__init__(logging.WARNING)
        self._missed = 0  # packets
        if url.startswith("rtsp"):
            import av.logging  # noqa: PLC0415 - after the limits

            av.logging.set_skip_repeated(False)
            av.logging.set_level(av.logging.WARNING)
            log = logging.getLogger("libav")
            log.propagate = False
            log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a line of FFmpeg's log; it holds no sound, and goes nowhere."""
        if found := _MISSED.search(record.getMessage()):
            self._missed += int(found[1])

    def take(self, length: int, rate_hz: int, known: int = 0) -> int:
        """Returns the samples that are missing before a frame, each packet taken to be as long as it is (samples).

        Args:
            length: Of the frame (samples).
            rate_hz: Of the frame.
            known: Samples that are missing for another reason.
        """
        missed, self._missed = self._missed, 0
        return min(known + missed * length, round(MOST_LOST_S * rate_hz))
