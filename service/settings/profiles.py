"""Alert profiles: how sensitive a room is and how soon a parent is reminded. They never change health."""

from typing import Annotated, Final

from pydantic import Field

from service.settings.base import Part

PROFILES: Final = ("day", "night", "silent")
"""`silent` tells everything, and wakes nobody."""

Threshold = Annotated[float, Field(gt=0, lt=1)]


class ProfileConfig(Part):
    """What a profile changes in every room that is set to it."""

    threshold: Threshold | None = None
    """Calibrated probability from which a window speaks for crying; None: the bundle's. What the family sets for a room
    comes before it."""
    remind_after_min: Annotated[float, Field(ge=0.5, le=60)] | None = None
    """Minutes after which a parent who has not answered is reminded, and again after as many; None: never.
    Half a minute is the time to find the phone."""
    escalate_when_hard: bool = False
    """Whether the reminder comes in half the time where it is crying hard."""


class ProfilesConfig(Part):
    """The three profiles."""

    day: ProfileConfig = ProfileConfig(remind_after_min=3)
    """Three minutes: a nappy that is being changed, a pan on the stove."""
    night: ProfileConfig = ProfileConfig(remind_after_min=1)
    """A minute: who sleeps has not heard the first alarm."""
    silent: ProfileConfig = ProfileConfig()
    """Nobody is woken, so nobody is reminded either."""

    def of(self, name: str) -> ProfileConfig:
        """Returns the profile of that name."""
        return {"day": self.day, "night": self.night, "silent": self.silent}[name]
