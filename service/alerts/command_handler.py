"""What the family asks is done: by the worker, between two rounds, so that a stuck one cannot pretend to obey."""

import logging
import queue
import time
from collections.abc import Callable, Mapping
from typing import Final

from service.alerts.episodes import Episodes
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.alerts.test_alarm import TestAlarms
from service.messages import commands, node_messages
from service.messages.commands import Command
from service.pipeline.channel import SourceChannel

COMMANDS_BOUND: Final = 100
"""Commands that may wait for the worker: more than a family's fingers make in a round; the rest is refused."""

_log = logging.getLogger(__name__)


class CommandHandler:
    """Takes commands from any thread, and obeys them in the worker's.

    Args:
        publisher: Tells the settings as they are in force.
        channels: By source.
        settings: Of the rooms.
        episodes: Acknowledges.
        test_alarms: Runs test alarms.
        restart: Called when the family asks for a restart.
    """

    def __init__(
        self,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        settings: Settings,
        episodes: Episodes,
        test_alarms: TestAlarms,
        *,
        restart: Callable[[], None],
    ) -> None:
        self._publisher, self._channels, self._settings, self._episodes = publisher, channels, settings, episodes
        self._test_alarms, self._restart = test_alarms, restart
        self._commands: queue.Queue[Command] = queue.Queue(COMMANDS_BOUND)
        self._snoozed: dict[str, float | None] = {}  # as told last

    def begin(self) -> None:
        """Puts the kept settings in force, and tells them."""
        for source, channel in self._channels.items():
            channel.enabled = self._settings.of(source).enabled
            self._tell(source)

    def ask(self, command: Command) -> None:
        """Takes a command from any thread; the worker obeys at its next tick."""
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            _log.warning("refused %s: %d commands wait already", command, COMMANDS_BOUND)

    def tick(self) -> None:
        """Obeys; and tells when a snooze is over."""
        while not self._commands.empty():
            self._obey(self._commands.get_nowait())
        now = time.time()
        for source, told in self._snoozed.items():
            if told is not None and told <= now:
                self._tell(source)
                self._episodes.wake(source)

    def _obey(self, command: Command) -> None:  # noqa: C901, PLR0912 - one arm per command
        match command:
            case commands.TestAlarm(source):
                for one in self._channels if source is None else [source]:
                    self._test_alarms.begin(one)
            case commands.Received(source, episode, receiver):
                self._test_alarms.received(source, episode, receiver)
            case commands.Restart():
                self._restart()
            case commands.TellAgain():
                self._episodes.tell_again()
            case commands.SetEnabled(source, enabled):
                self._settings.change(source, enabled=enabled)
                self._enable(self._channels[source], enabled)
                self._tell(source)
            case commands.SetThreshold(source, threshold):
                self._settings.set_threshold(source, threshold)
                self._tell(source)
            case commands.SetProfile(source, profile):
                try:
                    self._settings.change(source, profile=profile)
                except ValueError:
                    _log.warning("%s: there is no profile %r", source, profile)
                self._tell(source)
            case commands.Acknowledge(source, episode):
                self._episodes.acknowledge(source, episode)
            case commands.Snooze(source, minutes):
                self._settings.change(source, snoozed_until=time.time() + 60 * minutes)
                self._tell(source)
                if minutes:
                    self._episodes.snooze(source)
                else:
                    self._episodes.wake(source)

    def _enable(self, channel: SourceChannel, enabled: bool) -> None:  # noqa: FBT001 - what the switch says
        channel.enabled = enabled
        if not enabled:
            for event in channel.tracker.flush(channel.listener.position):
                self._episodes.event(channel, event)

    def _tell(self, source: str) -> None:
        channel, settings = self._channels[source], self._settings
        channel.on_p = settings.threshold(source)
        self._snoozed[source] = settings.snoozed_until(source, time.time())
        self._publisher.send(
            node_messages.settings(
                self._publisher.node,
                source,
                enabled=channel.enabled,
                threshold=channel.threshold,
                profile=settings.of(source).profile,
                snoozed_until=self._snoozed[source],
            )
        )
