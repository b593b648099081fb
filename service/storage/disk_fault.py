"""Whether the disk takes what somebody writes: said once in the log when it changes, and asked by whoever tells."""

import logging
from typing import Final

_log: Final = logging.getLogger(__name__)


class DiskFault:
    """Used under its owner's lock.

    Args:
        what: What is written, plural, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.words = ""
        """What is wrong, for a person; empty where nothing is."""

    def set(self, words: str) -> None:
        """Takes how it stands now."""
        if words and words != self.words:
            _log.error("%s: the disk refuses, they are kept in memory only: %s", self._what, words)
        elif self.words and not words:
            _log.info("%s: the disk takes them again", self._what)
        self.words = words
