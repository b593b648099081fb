"""The `home_assistant` part of the configuration."""

from typing import Annotated

from pydantic import StringConstraints

from service.settings.base import Part

Prefix = Annotated[str, StringConstraints(pattern=r"^[^\s/+#$][^\s/+#]*(/[^\s/+#]+)*$", max_length=100)]
"""Topic levels without wildcards, and none that belongs to the broker (`$SYS`)."""


class HomeAssistantConfig(Part):
    """Whether and where Home Assistant finds our devices."""

    discovery: bool = True
    """Whether they are announced; switched off, those announced before are removed."""
    prefix: Prefix = "homeassistant"
    """Home Assistant's own default; change both or none."""
