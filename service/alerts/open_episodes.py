"""The episodes that are open, as a document that outlives a kill of the daemon."""

import time
from typing import Final

from monitord.household import Episode, Heard, Household
from service.storage.documents import DocumentStore
from service.storage.schemas import KeptEpisode, KeptEpisodes, KeptRoom

DOCUMENT: Final = "episodes"
"""Name in the store."""


def save_open(store: DocumentStore, household: Household, at: float) -> None:
    """Keeps what is open, and when it was still followed (Unix seconds)."""
    kept = [
        KeptEpisode(
            id=one.id,
            teller=one.told_by,
            since=one.since,
            acknowledged=one.acknowledged,
            rooms={source: KeptRoom(peak_db=room.peak_db, crying=room.crying) for source, room in one.heard.items()},
        )
        for one in household.episodes
    ]
    store.save(DOCUMENT, KeptEpisodes(episodes=kept, at=at).model_dump() if kept else {})


def left_open(store: DocumentStore) -> tuple[list[Episode], float]:
    """Returns what an earlier run left open, and when it was last followed (Unix seconds)."""
    kept, now = store.read(DOCUMENT, KeptEpisodes), time.monotonic()
    episodes = [
        Episode(
            one.id,
            one.teller,
            one.since,
            told_at=now,
            reminded_at=now,
            acknowledged=one.acknowledged,
            heard={source: Heard(room.peak_db, room.crying) for source, room in one.rooms.items()},
        )
        for one in kept.episodes
    ]
    return episodes, kept.at
