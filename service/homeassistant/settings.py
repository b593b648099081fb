"""The `home_assistant` part of the configuration."""

from typing import Annotated

from pydantic import StringConstraints

from service.settings.base import Part

Prefix = Annotated[str, StringConstraints(pattern=r"^[^\s/+#$][^\s/+#]*(/[^\s/+#]+)*$", max_length=100)]
"""Topic levels without wildcards, and none that belongs to the broker (`$SYS`)."""


class HomeAssistantConfig(Part):
    """Whether and where Home Assistant finds our devices, and how it says that it started."""

    discovery: bool = True
    """Whether they are announced; switched off, those announced before are removed."""
    prefix: Prefix = "homeassistant"
    """Home Assistant's own default; change both or none."""
    birth_topic: Prefix | None = None
    """Where Home Assistant says that it started. Left out: `status` under the prefix, and Home Assistant's own default,
    which does not follow its prefix."""
    birth_payload: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "online"
    """What it says there; Home Assistant's own default."""
