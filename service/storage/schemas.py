"""The values that a document of the state directory may have: a hand or a disk may have spoilt it.

Whoever reads a document validates it with these, and lets the store set aside what does not fit: a daemon that cannot
start because of what it once wrote would be a deaf one.
"""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field, FiniteFloat

LAST_S: Final = 4_102_444_800.0
"""End of the year 2099 (Unix seconds): later is no time that anything here was written, or put off to."""

Instant = Annotated[FiniteFloat, Field(ge=0.0, le=LAST_S)]
"""Wall time (Unix seconds) that every calendar can show."""


def _with_zone(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("has no time zone")
    return text


IsoTime = Annotated[str, AfterValidator(_with_zone)]
"""A time in ISO 8601, with its zone."""


class KeptRoom(BaseModel):
    """A room in an episode that was open."""

    peak_db: FiniteFloat
    crying: bool


class KeptEpisode(BaseModel):
    """An episode that was open, as `service.alerts.open_episodes` writes it."""

    id: str
    teller: str
    since: Instant
    acknowledged: bool
    rooms: Annotated[dict[str, KeptRoom], Field(min_length=1)]


class KeptEpisodes(BaseModel):
    """All of them, and when they were still followed."""

    episodes: list[KeptEpisode] = Field(default_factory=list)
    at: Instant = 0.0


class KeptCounts(BaseModel):
    """Beginning and end of each episode by room, as `Today.dump` writes them; an open one has no end."""

    rooms: dict[str, list[tuple[Instant, Instant | None]]] = Field(default_factory=dict)
