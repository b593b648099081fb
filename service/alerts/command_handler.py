"""Commands obeyed by the worker, between two rounds, so that a stuck one cannot pretend to obey: a method for each."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import singledispatchmethod

from service.adaptation.adapter import Adapter
from service.alerts.command_queue import CommandQueue
from service.alerts.episodes import Episodes
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.alerts.telemetry import Telemetry
from service.alerts.test_alarm import TestAlarms
from service.messages import commands, node_messages
from service.messages.corrections import Correct
from service.messages.tuning import Tune, UndoTuning
from service.pipeline.channel import SourceChannel

_log = logging.getLogger(__name__)


class CommandHandler:
    """Used by the worker alone.

    Args:
        queue: Where commands wait.
        publisher: Tells the settings as they are in force.
        channels: By source.
        settings: Of the rooms.
        episodes: Acknowledges.
        test_alarms: Runs test alarms.
        telemetry: Sends a heartbeat on demand.
        adapter: Takes the family's word on episodes.
        restart: Called when somebody asks for a restart.
    """

    def __init__(
        self,
        queue: CommandQueue,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        *,
        settings: Settings,
        episodes: Episodes,
        test_alarms: TestAlarms,
        telemetry: Telemetry,
        adapter: Adapter,
        restart: Callable[[], None],
    ) -> None:
        self._queue, self._publisher, self._channels, self._settings = queue, publisher, channels, settings
        self._episodes, self._test_alarms, self._telemetry = episodes, test_alarms, telemetry
        self._adapter, self._restart = adapter, restart
        self._snoozed: dict[str, float | None] = {}  # by source, as told last

    def begin(self) -> None:
        """Puts the kept settings in force, and tells them."""
        for source in self._channels:
            self._put_in_force(source)

    def tick(self) -> None:
        """Obeys what waits; and tells when a snooze is over."""
        for command in self._queue.take():
            self.obey(command)
        now = time.time()
        for source, told in self._snoozed.items():
            if told is not None and told <= now:
                self._put_in_force(source)
                self._episodes.wake(source)

    @singledispatchmethod
    def obey(self, command: commands.Command) -> None:
        """Obeys one command; there is a method below for each kind."""
        raise TypeError(f"nobody obeys {command}")

    @obey.register
    def _(self, command: commands.TestAlarm) -> None:
        for source in self._channels if command.source is None else [command.source]:
            self._test_alarms.begin(source, over_db=command.over_db)

    @obey.register
    def _(self, command: commands.Received) -> None:
        self._test_alarms.received(command.source, command.episode, command.receiver)

    @obey.register
    def _(self, command: commands.NotReceived) -> None:
        self._test_alarms.not_received(command.source, command.episode, command.receiver, command.reason)

    @obey.register
    def _(self, _command: commands.Restart) -> None:
        self._restart()

    @obey.register
    def _(self, _command: commands.TellAgain) -> None:
        self._telemetry.tell_again()
        self._episodes.tell_again()

    @obey.register
    def _(self, command: commands.SetEnabled) -> None:
        self._settings.change(command.source, enabled=command.enabled)
        self._put_in_force(command.source)
        if not command.enabled:
            self._episodes.switched_off(self._channels[command.source])

    @obey.register
    def _(self, command: commands.SetThreshold) -> None:
        self._settings.set_threshold(command.source, command.threshold)
        self._put_in_force(command.source)

    @obey.register
    def _(self, command: Tune) -> None:
        self._settings.tune(command.source, command.gain_db, command.threshold)
        self._put_in_force(command.source)

    @obey.register
    def _(self, command: UndoTuning) -> None:
        self._settings.undo_tuning(command.source)
        self._put_in_force(command.source)

    @obey.register
    def _(self, command: commands.SetProfile) -> None:
        try:
            self._settings.change(command.source, profile=command.profile)
        except ValueError:
            _log.warning("%s: there is no profile %r", command.source, command.profile)
        self._put_in_force(command.source)

    @obey.register
    def _(self, command: commands.Acknowledge) -> None:
        self._episodes.acknowledge(command.source, command.episode, by=command.by)

    @obey.register
    def _(self, command: commands.Snooze) -> None:
        self._settings.change(command.source, snoozed_until=time.time() + 60 * command.minutes)
        self._put_in_force(command.source)
        if command.minutes:
            self._episodes.snooze(command.source)
        else:
            self._episodes.wake(command.source)

    @obey.register
    def _(self, command: Correct) -> None:
        self._adapter.correct(command)

    @obey.register
    def _(self, _command: commands.Adapt) -> None:
        self._adapter.adapt()

    @obey.register
    def _(self, _command: commands.UndoAdaptation) -> None:
        self._adapter.undo()

    def _put_in_force(self, source: str) -> None:
        """Lets the room's settings take effect, and tells them as they are in force now."""
        channel, settings = self._channels[source], self._settings
        settings.put_in_force(channel)
        self._snoozed[source] = settings.snoozed_until(source, time.time())
        self._publisher.send(
            node_messages.settings(
                self._publisher.node,
                source,
                enabled=channel.enabled,
                threshold=channel.threshold,
                profile=settings.of(source).profile,
                snoozed_until=self._snoozed[source],
                gain_db=channel.inbox.gain_db,
                tuned=settings.of(source).before is not None,
            )
        )
