"""The episodes of the whole house, told: one cry is one episode, however many rooms hear it and phones answer it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from monitord.household import Episode, Household
from monitord.intensity import is_hard
from monitord.tracker import NONE
from monitord.types import RATE_HZ, CryEvent, EventType
from service.alerts.open_episodes import left_open, save_open
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.alerts.today import Counts
from service.messages import cry_messages
from service.messages.message import iso_utc
from service.messages.texts import Kind
from service.pipeline.channel import SourceChannel
from service.storage.documents import DocumentStore

COUNT_S: Final = 30.0
"""Seconds between two countings of today: minutes of crying are told with one decimal, and midnight may pass."""
DISTRESS_STEP: Final = 0.1
"""By so much an episode must have got harder for its state to be told again: it never gets easier after five seconds,
so a cry has ten such messages at most."""
LOUDNESS_S: Final = 0.5
"""Seconds between two looks at how loud the crying rooms are: two hops of the windows."""


class Episodes:
    """All methods run in the worker's thread.

    Args:
        publisher: Where it is told.
        channels: By source.
        settings: Of the rooms.
        store: Keeps the open episodes, and what was counted, over a kill.
        household: Empty; which episodes are open, for whoever asks.
    """

    def __init__(
        self,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        settings: Settings,
        store: DocumentStore,
        household: Household,
    ) -> None:
        self._publisher, self._counts = publisher, Counts(publisher, store)
        self._channels, self._settings, self._store = channels, settings, store
        self._household = household
        self._last: dict[str, CryEvent] = {}  # by episode: the newest of the room that tells it
        self._distress: dict[str, float | None] = {}  # by episode: how hard it was cried, as told last
        self._snoozed: set[str] = set()  # episodes that were not answered but put off
        self._since = dict.fromkeys(channels, 0.0)  # wall time at which the state of each room began
        self._looked_at = self._counted_at = 0.0  # monotonic seconds
        self._alive_at = time.time()  # as kept: what an end after a kill is counted up to (Unix seconds)

    def begin(self) -> None:
        """Ends what an earlier run left open, and tells the first state of every room.

        Whoever still cries is told again within seconds; a phone must not show for ever what nobody follows any more.
        """
        left, alive_at = left_open(self._store)
        for episode in left:
            event = CryEvent(0, episode.told_by, "ended", 0, 0, 0.0, NONE, 0.0)
            until = max(episode.since, alive_at)
            self._counts.ended(episode.told_by, episode.since, until)
            if episode.told_by in self._channels:
                self._tell(episode, event, time.time(), "restarted", cause="restart")
            self._tell_attributes(episode, event, until)
        self._counts.close()
        self._save()
        for source in self._channels:
            self._tell_state(source)
            self._counts.tell(source)

    def open(self, source: str) -> Episode | None:
        """Returns the open episode that a room is crying in."""
        return self._household.of(source)

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """A room's episode moved: tells what that is to the house."""
        if event.event_type == "started":
            self._started(channel, event)
        elif event.event_type == "ended":
            self._ended(channel, event)
        elif (episode := self.open(channel.source)) is not None and episode.told_by == channel.source:
            self._last[episode.id] = event
            self._tell(episode, event, channel.listener.at(event.decided))
            self._tell_rooms(episode)

    def switched_off(self, channel: SourceChannel) -> None:
        """The family does not want this room to be listened to any more: what was open in it ends."""
        for event in channel.tracker.flush(channel.listener.position):
            self.event(channel, event)

    def acknowledge(self, source: str, episode_id: str | None = None, *, by: str = "") -> None:
        """Somebody is on the way, for all phones; None means what this room hears now. `by` is as of `Episode`."""
        which = source if episode_id is None else episode_id
        for episode in self._household.episodes:
            if episode.id in self._snoozed and which in (episode.id, *episode.heard):
                # It was put off, not answered: now it is.
                self._snoozed.discard(episode.id)
                episode.acknowledged = False
        for episode in self._household.acknowledge(which):
            episode.answered_by = by
            self._save()
            self._by_hand(episode, "acknowledged")

    def snooze(self, source: str) -> None:
        """Nobody wants to be told for a while, on no phone."""
        for episode in self._household.acknowledge(source):
            self._snoozed.add(episode.id)
            self._save()
            self._by_hand(episode, "acknowledged")

    def wake(self, source: str) -> None:
        """A snooze is over: what still cries then is told again, also where this room is quiet by now."""
        for episode in self._household.episodes:
            if source in episode.heard and episode.id in self._snoozed:
                self._snoozed.discard(episode.id)
                episode.acknowledged, episode.reminded_at = False, time.monotonic()
                self._save()
                self._by_hand(episode, "escalated")

    def tell_again(self) -> None:
        """Reminds at once of what nobody has answered: Home Assistant may have been away when it was told."""
        for episode in self._household.episodes:
            if not episode.acknowledged and self._settings.wakes(episode.told_by):
                self._by_hand(episode, "escalated")

    def tick(self) -> None:
        """Keeps loudness and distress up to date, and reminds of what nobody has answered."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_S:
            self._counted_at, self._alive_at = now, time.time()
            self._save()
            for source in self._channels:
                self._counts.tell(source)
        if now - self._looked_at < LOUDNESS_S or not self._household.episodes:
            return
        self._looked_at = now
        for source, channel in self._channels.items():
            if self.open(source) is not None:
                self._household.hear(source, channel.loudness_db(), now)
        for episode in self._household.due(now, self._remind_after_s):
            self._by_hand(episode, "escalated")
        for episode in self._household.episodes:
            told, now_is = self._distress.get(episode.id), self._hear_distress(episode)
            if now_is is not None and (told is None or abs(now_is - told) >= DISTRESS_STEP):
                self._tell_rooms(episode)

    def _hear_distress(self, episode: Episode) -> float | None:
        """Lets an episode know how hard it was cried in its rooms by now, and returns it."""
        for source in episode.crying:
            if source in self._channels:  # a room of an earlier run may be gone
                self._household.judge(source, *self._channels[source].judged)
        return episode.distress

    def _remind_after_s(self, episode: Episode) -> float | None:
        return self._settings.remind_after_s(episode.told_by, hard=is_hard(episode.distress))

    def _started(self, channel: SourceChannel, event: CryEvent) -> None:
        now = time.monotonic()
        onset_at = channel.listener.at(event.start)
        self._since[channel.source] = onset_at
        # A cry in a room that may wake somebody is never silenced by one in a room that may not.
        wakes = self._settings.wakes(channel.source)
        joined = self._household.join(
            channel.source,
            onset_at,
            channel.loudness_db(),
            now,
            among=lambda e: self._settings.wakes(e.told_by) or not wakes,
        )
        if joined is None:
            joined = self._begin(channel, event, now)
        self._tell_rooms(joined)
        self._save()

    def _begin(self, channel: SourceChannel, event: CryEvent, now: float) -> Episode:
        """Opens an episode, told by the loudest of the rooms that have heard anything of it by now."""
        heard = {channel.source: (channel, event), **self._join(channel)}
        loudness = {source: one.loudness_db() for source, (one, _) in heard.items()}
        reporter = max(loudness, key=lambda source: loudness[source])
        channel, event = heard.pop(reporter)
        since = self._since[reporter] = channel.listener.at(event.start)
        episode = self._household.begin(
            cry_messages.episode_id(reporter, since, event.episode), reporter, since, loudness[reporter], now
        )
        for source, (other, one) in heard.items():
            self._since[source] = other.listener.at(one.start)
            self._household.join(source, since, loudness[source], now)
        self._last[episode.id] = event
        if self._settings.snoozed_until(reporter, time.time()) is not None:
            self._snoozed.add(episode.id)
            episode.acknowledged = True
        # Kept first: an alarm whose end is not told would stay on the phones for ever.
        self._save_open()
        self._tell(episode, event, channel.listener.at(event.decided))
        if episode.acknowledged:
            self._by_hand(episode, "acknowledged")
        self._counts.started(reporter, since)
        return episode

    def _join(self, channel: SourceChannel) -> dict[str, tuple[SourceChannel, CryEvent]]:
        """Lets the rooms that have heard anything of a cry by now open their episodes with the room that decided it."""
        wakes = self._settings.wakes(channel.source)
        return {
            source: (other, event)
            for source, other in self._channels.items()
            if other.enabled and self._settings.wakes(source) == wakes and self.open(source) is None
            for event in other.tracker.join(other.listener.position)
        }

    def _ended(self, channel: SourceChannel, event: CryEvent) -> None:
        episode = self.open(channel.source)
        if episode is not None:
            self._hear_distress(episode)
            if episode.told_by == channel.source:
                self._last[episode.id] = event
        over = self._household.leave(channel.source)
        until = channel.listener.at(event.decided)
        self._since[channel.source] = until
        if over is not None:
            self._counts.ended(over.told_by, over.since, until)
            last = self._last[over.id]
            # Not to be heard any more is not quiet.
            cause = "off" if not channel.enabled else "stopped" if channel.flushed else "quiet"
            event = replace(last, event_type="ended", decided=self._position(over, until))
            self._tell(over, event, until, "ended" if cause == "quiet" else "stopped", cause=cause)
            self._tell_attributes(over, last, until)
            del self._last[over.id]
            self._distress.pop(over.id, None)
            self._snoozed.discard(over.id)
        self._save()
        self._tell_state(channel.source)
        if over is None and episode is not None:
            self._tell_rooms(episode)

    def _by_hand(self, episode: Episode, event_type: EventType) -> None:
        """Tells what no sound decided."""
        last, now = self._last[episode.id], time.time()
        event = replace(last, event_type=event_type, decided=self._position(episode, now))
        until = self._settings.snoozed_until(episode.told_by, now) if episode.id in self._snoozed else None
        if event_type != "acknowledged":
            self._tell(episode, event, now)
        elif until is not None:
            self._tell(episode, event, now, "snoozed", until=until, snoozed_until=iso_utc(until))
        else:
            self._tell(episode, event, now, by=episode.answered_by)
        self._tell_rooms(episode)

    def _position(self, episode: Episode, at: float) -> int:
        """Position of a wall time in the stream of the room that tells (samples at 16 kHz)."""
        return self._last[episode.id].start + max(0, round((at - episode.since) * RATE_HZ))

    def _tell(
        self,
        episode: Episode,
        event: CryEvent,
        ts: float,
        kind: Kind | None = None,
        *,
        until: float = 0.0,
        **more: object,
    ) -> None:
        """As `Publisher.tell`; decides who is woken."""
        settings, source = self._settings, event.source
        event = replace(event, distress=self._hear_distress(episode))
        alert = event.event_type in ("started", "escalated") and not episode.acknowledged and settings.wakes(source)
        episode.alerted |= alert
        profile = settings.of(source).profile
        self._publisher.tell(event, episode, ts, kind, profile=profile, alert=alert, until=until, **more)

    def _tell_attributes(self, episode: Episode, last: CryEvent, ended: float | None = None) -> None:
        self._distress[episode.id] = episode.distress
        for source in episode.heard:
            if source in self._publisher.names:  # a room of an earlier run may be gone
                self._publisher.send(cry_messages.episode(self._publisher.node, source, episode, last, ended))

    def _tell_rooms(self, episode: Episode) -> None:
        self._tell_attributes(episode, self._last[episode.id])
        for source in episode.crying:
            self._tell_state(source)

    def _tell_state(self, source: str) -> None:
        episode = self.open(source)
        last = None if episode is None else self._last[episode.id]
        since = self._since[source] or None
        self._publisher.send(cry_messages.state(self._publisher.node, source, since, episode, last))

    def _save(self) -> None:
        self._save_open()
        self._counts.save()

    def _save_open(self) -> None:
        save_open(self._store, self._household, self._alive_at)
