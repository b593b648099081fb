"""What the family asks is done: by the worker, between two rounds, so that a stuck one cannot pretend to obey."""

import logging
import queue
import time
from collections.abc import Callable, Mapping
from typing import Final

from service.alerts.episodes import Episodes
from service.alerts.publisher import Voice
from service.alerts.room_settings import Settings
from service.alerts.test_alarm import Proving
from service.messages import commands, messages
from service.messages.commands import Command
from service.pipeline.channel import Ear

COMMANDS_BOUND: Final = 100
"""Commands that may wait for the worker: more than a family's fingers make in a round; the rest is refused."""

_log = logging.getLogger(__name__)


class Family:
    """Takes commands from any thread, and obeys them in the worker's.

    Args:
        voice: Tells the settings as they are in force.
        ears: By source.
        settings: Of the rooms.
        episodes: Acknowledges.
        proving: Runs test alarms.
        restart: Called when the family asks for a restart.
    """

    def __init__(
        self,
        voice: Voice,
        ears: Mapping[str, Ear],
        settings: Settings,
        episodes: Episodes,
        proving: Proving,
        *,
        restart: Callable[[], None],
    ) -> None:
        self._voice, self._ears, self._settings, self._episodes = voice, ears, settings, episodes
        self._proving, self._restart = proving, restart
        self._commands: queue.Queue[Command] = queue.Queue(COMMANDS_BOUND)
        self._snoozed: dict[str, float | None] = {}  # as told last

    def begin(self) -> None:
        """Puts the kept settings in force, and tells them."""
        for source, ear in self._ears.items():
            ear.enabled = self._settings.of(source).enabled
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
                for one in self._ears if source is None else [source]:
                    self._proving.begin(one)
            case commands.Received(source, episode, receiver):
                self._proving.received(source, episode, receiver)
            case commands.Restart():
                self._restart()
            case commands.TellAgain():
                self._episodes.tell_again()
            case commands.SetEnabled(source, enabled):
                self._settings.change(source, enabled=enabled)
                self._enable(self._ears[source], enabled)
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

    def _enable(self, ear: Ear, enabled: bool) -> None:  # noqa: FBT001 - what the switch says
        ear.enabled = enabled
        if not enabled:
            for event in ear.tracker.flush(ear.listener.position):
                self._episodes.event(ear, event)

    def _tell(self, source: str) -> None:
        ear, settings = self._ears[source], self._settings
        ear.on_p = settings.threshold(source)
        self._snoozed[source] = settings.snoozed_until(source, time.time())
        self._voice.send(
            messages.settings(
                self._voice.node,
                source,
                enabled=ear.enabled,
                threshold=ear.threshold,
                profile=settings.of(source).profile,
                snoozed_until=self._snoozed[source],
            )
        )
