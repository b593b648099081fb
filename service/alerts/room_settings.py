"""What the family has set for each room, from Home Assistant or by MQTT; it outlives a restart."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from monitord.quiet_minutes import MOST_GAIN_DB
from service.pipeline.channel import SourceChannel
from service.settings.profiles import PROFILES, ProfilesConfig, Threshold
from service.storage.documents import DocumentStore
from service.storage.schemas import Instant

DOCUMENT: Final = "settings"
"""Name in the store."""


Gain = Annotated[float, Field(ge=0.0, le=MOST_GAIN_DB)]
"""By how much louder than captured a room is heard (decibels)."""


class BeforeTuning(BaseModel):
    """What a tuning replaced."""

    gain_db: Gain
    profile: str
    """In which the room was."""
    threshold: Threshold | None
    """That the family had chosen for it; None: none."""


class RoomSettings(BaseModel):
    """One room's."""

    model_config = ConfigDict(validate_assignment=True)

    enabled: bool = True
    """Whether the family wants the room to be listened to."""
    profile: str = Field(default="day", pattern=f"^({'|'.join(PROFILES)})$")
    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    """Calibrated probability by profile, where the family has moved it."""
    snoozed_until: Instant = 0.0
    """Wall time up to which new episodes count as acknowledged (Unix seconds)."""
    gain_db: Gain = 0.0
    before: BeforeTuning | None = None
    """What was before the last tuning; None: nothing can be undone."""


class Settings:
    """Of all rooms. Used by the worker alone.

    Args:
        store: Where they are kept.
        sources: Ids of the rooms.
        profiles: From the configuration.
    """

    def __init__(self, store: DocumentStore, sources: Iterable[str], profiles: ProfilesConfig) -> None:
        self._store, self._profiles = store, profiles
        kept = store.entries(DOCUMENT, lambda _, room: RoomSettings.model_validate(room))
        # A room that is not configured now may come back with the next start: its settings stay.
        self._kept = {source: room.model_dump() for source, room in kept.items()}
        self._rooms = {source: kept.get(source, RoomSettings()) for source in sources}

    def of(self, source: str) -> RoomSettings:
        """Returns a room's settings; `change` them."""
        return self._rooms[source]

    def wakes(self, source: str) -> bool:
        """Whether a cry in this room may wake somebody."""
        return self.of(source).profile != "silent"

    def threshold(self, source: str) -> float | None:
        """Returns the threshold in force: the family's, else the profile's; None is the bundle's."""
        room = self._rooms[source]
        return room.thresholds.get(room.profile, self._profiles.of(room.profile).threshold)

    def put_in_force(self, channel: SourceChannel) -> None:
        """Lets a room's settings take effect on how it is heard."""
        channel.enabled = self.of(channel.source).enabled
        channel.on_p = self.threshold(channel.source)
        channel.inbox.gain_db = self.of(channel.source).gain_db

    def remind_after_s(self, source: str, *, hard: bool = False) -> float | None:
        """Returns the seconds after which a parent is reminded, where it is crying hard or not; None is never."""
        profile = self._profiles.of(self._rooms[source].profile)
        if profile.remind_after_min is None:
            return None
        return (30 if hard and profile.escalate_when_hard else 60) * profile.remind_after_min

    def snoozed_until(self, source: str, now: float) -> float | None:
        """Returns the end of a snooze that is on at wall time `now` (Unix seconds), or None."""
        until = self._rooms[source].snoozed_until
        return until if until > now else None

    def set_threshold(self, source: str, threshold: float) -> None:
        """Moves the threshold of the profile that the room is in."""
        room = self._rooms[source]
        self.change(source, thresholds={**room.thresholds, room.profile: threshold})

    def tune(self, source: str, gain_db: float | None, threshold: float | None) -> None:
        """Sets what is not None, and remembers what was before."""
        room = self._rooms[source]
        before = BeforeTuning(gain_db=room.gain_db, profile=room.profile, threshold=room.thresholds.get(room.profile))
        self.change(source, before=before, gain_db=room.gain_db if gain_db is None else gain_db)
        if threshold is not None:
            self.set_threshold(source, threshold)

    def undo_tuning(self, source: str) -> None:
        """Sets what was before the last tuning, in the profile in which it was made; without one, nothing."""
        before = self._rooms[source].before
        if before is None:
            return
        thresholds = {name: one for name, one in self._rooms[source].thresholds.items() if name != before.profile}
        if before.threshold is not None:
            thresholds[before.profile] = before.threshold
        self.change(source, before=None, gain_db=before.gain_db, thresholds=thresholds)

    def change(self, source: str, **values: object) -> None:
        """Sets fields of `RoomSettings` and keeps them.

        Raises:
            ValueError: A value that is not allowed; nothing has changed.
        """
        for name, value in values.items():
            setattr(self._rooms[source], name, value)
        self._kept[source] = self._rooms[source].model_dump()
        self._store.save(DOCUMENT, self._kept)
