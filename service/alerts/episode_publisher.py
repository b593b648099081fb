"""How an episode is told: its events with their texts, its attributes, and the state of the rooms that hear it."""

import time

from monitord.household import Episode
from monitord.tracker import NONE
from monitord.types import CryEvent
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.messages import cry_messages
from service.messages.cry_messages import Telling
from service.messages.texts import Kind


class EpisodePublisher:
    """Used by the worker alone.

    Args:
        publisher: Where it is told.
        settings: Of the rooms: who may be woken.
    """

    def __init__(self, publisher: Publisher, settings: Settings) -> None:
        self._publisher, self._settings = publisher, settings

    def wakes(self, source: str) -> bool:
        """Whether a cry in this room may wake somebody."""
        return self._settings.of(source).profile != "silent"

    def event(
        self,
        episode: Episode,
        event: CryEvent,
        ts: float,
        kind: Kind | None = None,
        *,
        until: float = 0.0,
        **more: object,
    ) -> None:
        """Tells an event in the words of `kind`, else in those of its type; `more` goes into its payload."""
        publisher, source = self._publisher, event.source
        told, monotonic = time.time(), time.monotonic()
        unacknowledged_s = 0.0 if episode.acknowledged else monotonic - episode.told_at
        alert = event.event_type in ("started", "escalated") and not episode.acknowledged and self.wakes(source)
        episode.alerted |= alert
        text = publisher.texts.say(
            kind or event.event_type,
            room=publisher.names[source],
            since=episode.since,
            lasted_s=unacknowledged_s if event.event_type == "escalated" else ts - episode.since,
            until=until,
            reason=event.reason,
        )
        telling = Telling(
            cry_messages.event_id(publisher.node, episode.id, episode.since, event.event_type),
            episode.id,
            since=episode.since,
            ts=ts,
            told=told,
            room=publisher.names[source],
            rooms=tuple(episode.rooms),
            profile=self._settings.of(source).profile,
            alert=alert,
            alerted=episode.alerted and not episode.acknowledged,
            unacknowledged_s=unacknowledged_s,
            text=text,
            more=more,
        )
        publisher.tell(event, telling)

    def attributes(self, episode: Episode, event: CryEvent, ended: float | None = None) -> None:
        """Tells `<source>/episode` of every room that hears or heard it; `ended` is wall time (Unix seconds)."""
        for source in [
            one for one in episode.heard if one in self._publisher.names
        ]:  # a room of an earlier run may be gone
            self._publisher.send(
                cry_messages.episode(
                    self._publisher.node,
                    source,
                    episode=episode.id,
                    since=episode.since,
                    ended=ended,
                    p_cry=event.p_cry,
                    reason=event.reason,
                    reason_p=event.reason_p,
                    reasons=event.reasons,
                    rooms=episode.rooms,
                    acknowledged=episode.acknowledged,
                )
            )

    def state(self, source: str, since: float | None, episode: Episode | None, last: CryEvent | None) -> None:
        """Tells `<source>/state`.

        Args:
            source: Id of the room.
            since: Wall time at which the state began (Unix seconds); None before the first sound.
            episode: That the room is crying in.
            last: Its newest event.
        """
        self._publisher.send(
            cry_messages.state(
                self._publisher.node,
                source,
                crying=episode is not None,
                reason=NONE if last is None else last.reason,
                reason_p=0.0 if last is None else last.reason_p,
                since=since,
                episode=None if episode is None else episode.id,
                acknowledged=episode is not None and episode.acknowledged,
            )
        )
