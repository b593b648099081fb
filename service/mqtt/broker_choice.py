"""Which broker is talked to: the family's, a private one that is started here, or one that was found at its address."""

import contextlib
import logging
from pathlib import Path
from typing import Literal

from monitord.errors import ConfigError
from service.mqtt.claims import held
from service.mqtt.embedded_broker import EmbeddedBroker
from service.mqtt.settings import MqttSettings

log = logging.getLogger(__name__)


def choose_broker(
    settings: MqttSettings, state: Path, stack: contextlib.ExitStack, *, node: str
) -> tuple[MqttSettings, Literal["private", "found", "configured"], EmbeddedBroker | None]:
    """Returns where the broker is, whose it is, and what found it; a private one runs until the stack is closed.

    Args:
        settings: As configured.
        state: Where a private one keeps its state.
        stack: Closed when the daemon ends.
        node: Whose broker it becomes.

    Raises:
        ConfigError: Another monitord of that node has the private broker of this machine, or none can be had.
    """
    if not settings.embedded:
        return settings, "configured", None
    broker = EmbeddedBroker(state)
    found = MqttSettings(host=broker.host, port=broker.port)
    # Both would have one client id at it, and throw each other out for ever.
    if not stack.enter_context(held(f"{node}@{found.where}")):
        raise ConfigError(
            f"another monitord has the node name {node!r} at the private broker of this machine ({found.where});"
            " stop it, or give this one a node and a state_dir of its own"
        )
    stack.enter_context(broker)
    ours = stack.enter_context(held(f"broker@{found.where}"))
    if not broker.reused:
        return found, "private", None
    if not ours:
        log.warning(
            "broker: the one on %s is the private one of another monitord, and ends with it; then one of our own takes"
            " its place. For one that outlives both: mqtt.host",
            found.where,
        )
    return found, "found", broker
