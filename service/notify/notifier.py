"""Tells the family through every channel of the configuration; nobody waits for anybody else."""

import time
from collections.abc import Callable, Sequence
from typing import Self

from service.notify.channel import Channel
from service.notify.notice import Notice
from service.notify.settings import NotifyConfig


class Notifier:
    """All channels; each calls back from a thread of its own."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels

    @classmethod
    def build(
        cls,
        config: NotifyConfig,
        delivered: Callable[[str, Notice], None],
        refused: Callable[[str, Notice, str], None] = lambda *_: None,
    ) -> Self:
        """Makes the channels of the configuration; opens no connection and starts no thread.

        Args:
            config: Who is told.
            delivered: Called with a channel's name and a notice that its service took.
            refused: Called with a channel's name, a notice that was not taken, and why; it is tried again.

        Raises:
            ConfigError: A file that holds an URL cannot be read any more.
        """
        return cls(
            [
                Channel(settings.audience(name), settings.sender(), delivered, refused=refused)
                for name, settings in config.channels.items()
            ]
        )

    def start(self) -> None:
        """Starts one thread for each channel."""
        for channel in self._channels:
            channel.start()

    def tell(self, notice: Notice) -> None:
        """Passes a notice to every channel that wants it; never blocks, never raises."""
        for channel in self._channels:
            channel.tell(notice)

    def stop(self, timeout_s: float) -> None:
        """Tries what waits once more, for so long at most in all; says what was given up."""
        for channel in self._channels:
            channel.end()
        until = time.monotonic() + timeout_s
        for channel in self._channels:
            channel.join(max(until - time.monotonic(), 0.0))
