"""What is remembered of what was heard, so that the family may correct it: a few numbers a window, no sound."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from model.adaptation.learning import BEFORE_S
from monitord.household import Household
from monitord.types import RATE_HZ, Scores
from service.adaptation.documents import HeardWindow, KeptSounds, Sound, dump_sounds, read_sounds
from service.messages.message import iso_utc
from service.pipeline.channel import SourceChannel
from service.storage.documents import DocumentStore

DOCUMENT: Final = "heard"
"""Name in the store."""
MOST_EPISODES: Final = 50
"""Episodes that may be corrected, the newest: those of some days, and 250 KB on disk."""
KEEP_S: Final = 7 * 86_400.0
"""Seconds for which an episode may be corrected: nobody remembers longer what it was."""
LEAST_P: Final = 0.02
"""Calibrated probability from which a window may belong to a missed cry: a quiet room has none."""
MISSED_KEEP_S: Final = 3600.0
"""Seconds for which such windows are kept; in memory alone, so a restart forgets them."""
MOST_MISSED: Final = 2000
"""Such windows at most, the newest: eight minutes without a pause, and 2 MB."""
AROUND_S: Final = 15.0
"""Seconds around the time that a parent names in which a missed cry is looked for: they look at a clock, not at us."""


class Memory:
    """All methods run in the worker's thread.

    Args:
        channels: By source.
        household: Which episodes are open.
        store: Keeps the episodes over a restart.
        bundle_id: Of the bundle that scores.
    """

    def __init__(
        self, channels: Mapping[str, SourceChannel], household: Household, store: DocumentStore, bundle_id: str
    ) -> None:
        self._channels, self._household, self._store, self._bundle_id = channels, household, store, bundle_id
        kept = read_sounds(store.read(DOCUMENT, KeptSounds), bundle_id)
        self._episodes = {one.name: one for one in kept}
        self._open: set[str] = set()  # ids of episodes that were open at the last look
        self._seen = dict.fromkeys(channels, 0)  # by source: end of the newest window taken (samples at 16 kHz)
        self._unheard: deque[tuple[float, str, HeardWindow]] = deque(maxlen=MOST_MISSED)  # of no episode, by wall time

    def tick(self) -> None:
        """Takes the newest windows of all rooms; keeps what is over."""
        for source, channel in self._channels.items():
            self._take(source, channel)
        still = {episode.id for episode in self._household.episodes}
        if self._open - still:
            self._forget()
            self._store.save(DOCUMENT, dump_sounds(self._bundle_id, list(self._episodes.values())))
        self._open = still

    def episode(self, source: str, episode_id: str | None) -> Sound | None:
        """Returns an episode that a room heard; without an id its newest. None where nothing is kept of it."""
        heard = [one for one in self._episodes.values() if source in one.rooms and episode_id in (None, one.name)]
        return heard[-1] if heard else None

    def missed(self, source: str, at: float) -> Sound | None:
        """Returns what a room heard around wall time `at` (Unix seconds) outside of any episode; None: nothing."""
        oldest = time.time() - MISSED_KEEP_S
        windows = [
            window
            for heard_at, room, window in self._unheard
            if room == source and abs(heard_at - at) <= AROUND_S and heard_at >= oldest
        ]
        name = f"missed {source} {iso_utc(at)}"
        return Sound(name, source, frozenset(), at).heard(source, windows) if windows else None

    def _take(self, source: str, channel: SourceChannel) -> None:
        episode, position = self._household.of(source), channel.listener.position
        known = episode is not None and source in self._rooms_of(episode.id)
        # What an episode rests on was heard before it was one.
        after = self._seen[source] if episode is None or known else position - int(BEFORE_S * RATE_HZ)
        fresh = [one for one in channel.scored if one.end > after]
        if not fresh:
            return
        self._seen[source] = fresh[-1].end
        if episode is not None:
            sound = self._episodes.get(
                episode.id, Sound(episode.id, episode.told_by, frozenset({episode.told_by}), episode.since)
            )
            self._episodes[episode.id] = sound.heard(source, [_window(one.scores) for one in fresh])
            return
        for one in fresh:
            if one.scores.p_cry >= LEAST_P:
                self._unheard.append((channel.listener.at(one.end), source, _window(one.scores)))

    def _rooms_of(self, episode_id: str) -> frozenset[str]:
        sound = self._episodes.get(episode_id)
        return frozenset() if sound is None or not sound.windows else sound.rooms

    def _forget(self) -> None:
        """Lets the oldest episodes go."""
        oldest = time.time() - KEEP_S
        young = [one for one in self._episodes.values() if one.at >= oldest and one.windows]
        self._episodes = {one.name: one for one in young[-MOST_EPISODES:]}


def _window(scores: Scores) -> HeardWindow:
    return HeardWindow(scores.p_cry, scores.log_odds, scores.embedding)
