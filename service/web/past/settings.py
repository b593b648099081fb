"""The `web.clips` part of the configuration."""

from typing import Annotated

from pydantic import Field

from service.settings.base import Part


class ClipSettings(Part):
    """Clips of crying, on this machine alone; without this section no sound is kept."""

    days: Annotated[int, Field(ge=1, le=365)] = 7
    """For which a clip is kept."""
    megabytes: Annotated[int, Field(ge=10)] = 500
    """That all clips may take; then the oldest goes. An hour of crying takes some 14."""
