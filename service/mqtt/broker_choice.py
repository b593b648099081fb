"""Which broker is talked to: the family's, a private one that is started here, or one that was found at its address."""

import contextlib
from pathlib import Path
from typing import Literal

from service.mqtt.embedded_broker import EmbeddedBroker
from service.mqtt.settings import MqttSettings


def choose_broker(
    settings: MqttSettings, state: Path, stack: contextlib.ExitStack
) -> tuple[MqttSettings, Literal["private", "found", "configured"], EmbeddedBroker | None]:
    """Returns where the broker is, whose it is, and what found it; a private one runs until the stack is closed."""
    if not settings.embedded:
        return settings, "configured", None
    broker = stack.enter_context(EmbeddedBroker(state))
    found = MqttSettings(host=broker.host, port=broker.port)
    return (found, "found", broker) if broker.reused else (found, "private", None)
