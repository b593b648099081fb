"""Which rooms hear the same cry, and which one tells it: the same cry on two microphones is one episode.

It errs on the side of telling. What joins an open episode makes no alarm of its own, so a room joins only where the cry
began in both at once, or is clearly the other room's, heard through the wall. Two babies are two episodes.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

JOIN_S: Final = 3.0
"""Seconds between the first sounds in two rooms that are still one cry: a phone's stream lags by up to 2 s, and a room
further away misses the first, soft sound."""
HEARD_S: Final = 2.0
"""Seconds after which a room is no longer crying right now: longer than a breath."""
SPILL_DB: Final = 6.0
"""Decibels by which a cry is quieter through a wall, at least: half the amplitude. A choice on the side of telling:
a shut door takes more, and two babies in two rooms rarely differ by so much, each over its own room's floor."""


@dataclass(slots=True)
class Heard:
    """One room in one episode."""

    peak_db: float
    """Loudest so far (decibels over the room's own noise floor)."""
    crying: bool = True
    """Whether it hears the cry still, pauses for breath included."""
    distress: float | None = None
    """How hard it was cried there so far, 0 to 1, see `monitord.intensity`; None where nobody knows."""
    told_up_to: float | None = None
    """The highest threshold at which the room would have told it, see `monitord.hindsight`; None: nobody knows."""
    recent: deque[tuple[float, float]] = field(default_factory=deque)
    """When it was heard (monotonic seconds) and how loud (decibels over the floor), oldest first, of `HEARD_S`."""

    def take(self, loudness_db: float, now: float) -> None:
        """Takes the loudness of a newest sound."""
        self.crying = True
        self.peak_db = max(self.peak_db, loudness_db)
        self.recent.append((now, loudness_db))
        while self.recent[0][0] < now - HEARD_S:
            self.recent.popleft()

    def now_db(self, now: float) -> float:
        """How loud it is right now (decibels over the floor); minus infinity where it is silent."""
        return max((db for at, db in self.recent if at >= now - HEARD_S), default=float("-inf"))


@dataclass(slots=True)
class Episode:
    """One cry in the house, from the first room that hears it to the last. Only the household changes it."""

    id: str
    """Unique for ever."""
    told_by: str
    """The source on whose topic it is told, from its beginning to its end."""
    since: float
    """Wall time of its first sound (Unix seconds)."""
    told_at: float
    """When it began to be told (monotonic seconds)."""
    reminded_at: float
    """When the newest reminder was due (monotonic seconds); `told_at` before the first."""
    acknowledged: bool = False
    """Whether a parent is on the way."""
    answered_by: str | None = None
    """Who said so: the name of a device of the family; empty: somebody over MQTT. None: nobody, or it was put off."""
    alerted: bool = False
    """Whether a phone was woken for it; told, not kept over a restart."""
    heard: dict[str, Heard] = field(default_factory=dict)
    """Every room that hears or heard it, by source."""

    @property
    def distress(self) -> float | None:
        """How hard it was cried so far, 0 to 1, where that was hardest; None where nobody knows."""
        return max((room.distress for room in self.heard.values() if room.distress is not None), default=None)

    @property
    def rooms(self) -> list[str]:
        """Sources that hear or heard it, loudest first."""
        return sorted(self.heard, key=lambda source: -self.heard[source].peak_db)

    @property
    def crying(self) -> list[str]:
        """Sources that hear it still, loudest first."""
        return [source for source in self.rooms if self.heard[source].crying]

    def now_db(self, now: float) -> float:
        """How loud it is right now in its loudest room (decibels over the floor); minus infinity where all pause."""
        return max(room.now_db(now) for room in self.heard.values())

    def is_heard_in(self, source: str, onset_at: float, loudness_db: float, now: float) -> bool:
        """Says whether a room that starts to hear a cry hears this one.

        It does where the cry began in both at once; where it told the episode itself; where it is the quieter one by
        far; and where it was in this episode before and is not the louder one by far now. While all rooms of the
        episode are silent, what another room hears is a cry of its own.
        """
        if source == self.told_by or abs(onset_at - self.since) <= JOIN_S:
            return True
        louder_db = loudness_db - self.now_db(now)
        return louder_db < SPILL_DB if source in self.heard else louder_db <= -SPILL_DB


class Household:
    """Follows the open episodes of one house. `now` is monotonic seconds throughout, and never runs backwards."""

    def __init__(self) -> None:
        self._episodes: dict[str, Episode] = {}

    @property
    def episodes(self) -> list[Episode]:
        """Those that are open, oldest first."""
        return list(self._episodes.values())

    def of(self, source: str) -> Episode | None:
        """Returns the open episode that a room is crying in."""
        return next((e for e in self.episodes if source in e.heard and e.heard[source].crying), None)

    def join(
        self,
        source: str,
        onset_at: float,
        loudness_db: float,
        now: float,
        *,
        among: Callable[[Episode], bool] = lambda _: True,
    ) -> Episode | None:
        """A room starts to hear a cry: puts it into the open episode that it hears, the loudest if there are more.

        Args:
            source: The room; it is in no episode, or has left it.
            onset_at: Wall time of the first sound in it (Unix seconds).
            loudness_db: Decibels over the room's own noise floor.
            now: Monotonic seconds.
            among: Which episodes may be joined at all.

        Returns:
            None where it is a cry of its own: `begin` is due.
        """
        assert self.of(source) is None
        same = [e for e in self.episodes if among(e) and e.is_heard_in(source, onset_at, loudness_db, now)]
        if not same:
            return None
        episode = max(same, key=lambda e: e.now_db(now))
        episode.heard.setdefault(source, Heard(loudness_db)).take(loudness_db, now)
        return episode

    def begin(self, episode_id: str, told_by: str, since: float, loudness_db: float, now: float) -> Episode:
        """Opens an episode in the room that tells it; the arguments are those of `join`."""
        assert self.of(told_by) is None
        assert episode_id not in self._episodes
        episode = Episode(episode_id, told_by, since, told_at=now, reminded_at=now, heard={told_by: Heard(loudness_db)})
        episode.heard[told_by].take(loudness_db, now)
        self._episodes[episode_id] = episode
        return episode

    def hear(self, source: str, loudness_db: float, now: float) -> None:
        """A room that is in an episode heard more of it: keeps its loudness up to date."""
        episode = self.of(source)
        if episode is not None:
            episode.heard[source].take(loudness_db, now)

    def judge(self, source: str, distress: float | None, told_up_to: float | None) -> None:
        """What a room that is in an episode makes of it so far, as in `Heard`."""
        episode = self.of(source)
        if episode is not None:
            episode.heard[source].distress, episode.heard[source].told_up_to = distress, told_up_to

    def leave(self, source: str) -> Episode | None:
        """A room hears its cry no more; returns the episode if that was the last room, and the episode has ended."""
        episode = self.of(source)
        if episode is None:
            return None
        episode.heard[source].crying = False
        return None if episode.crying else self._episodes.pop(episode.id)

    def acknowledge(self, which: str) -> list[Episode]:
        """A parent is on the way, to an episode by its id, or to all that a room hears or heard.

        Returns:
            Those for which that is news.
        """
        news = [e for e in self.episodes if which in (e.id, *e.heard) and not e.acknowledged]
        for episode in news:
            episode.acknowledged = True
        return news

    def due(self, now: float, remind_after_s: Callable[[Episode], float | None]) -> list[Episode]:
        """Returns the open episodes of which a parent must be reminded now, each reminder once.

        The k-th is due k times `remind_after_s` after the beginning; missed ones are made good by one.

        Args:
            now: Monotonic seconds.
            remind_after_s: Of an episode: seconds, over 0, or None for no reminders.
        """
        due = []
        for episode in self.episodes:
            after_s = remind_after_s(episode)
            if after_s is None or episode.acknowledged:
                continue
            missed = int((now - episode.reminded_at) / after_s)
            if missed > 0:
                episode.reminded_at += missed * after_s
                due.append(episode)
        return due

    def unanswered(self) -> frozenset[str]:
        """Returns the ids of the episodes that are open and that nobody has answered; any thread may ask."""
        return frozenset(episode.id for episode in self.episodes if not episode.acknowledged)
