"""Asks a running daemon over its broker, from another terminal; and `monitord status`."""

import json
import socket
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.messages.commands import BROKER
from service.messages.node_messages import OFFLINE, ONLINE
from service.mqtt.settings import read_credentials
from service.settings.hosts import unknown_name

ANSWER_S: Final = 5.0
"""Longest wait for the broker, and for the daemon behind it (seconds)."""
RETAINED_S: Final = 0.7
"""Silence after which every retained message has come (seconds): on a loopback or home network they come in one go."""

Told = dict[str, str]
"""Payload by topic, without the node's root."""


def print_status(config_path: Path | None) -> int:
    """Prints what the daemon says of itself and of each source. Returns 0 when all are heard, else 1."""
    config = Config() if config_path is None else load_config(config_path)
    told: Told = {}
    with listening(config, told):
        pass
    # Without a configuration, all that the broker remembers, also rooms of an earlier start.
    sources = sources_of(told) if config_path is None else sorted(config.sources)
    for line in status_lines(config.node, sources, told):
        print(line)
    well = bool(sources) and all(told.get(topic) == ONLINE for topic in ["status", *(f"{s}/status" for s in sources)])
    return 0 if well else 1


def status_lines(node: str, sources: Sequence[str], told: Told) -> Iterator[str]:
    """Writes retained messages as a person reads them: the node, then one line for each source."""
    yield f"{node}: {told.get('status', 'never seen by this broker')}"
    for source in sources:
        state, health = json_of(told.get(f"{source}/state")), json_of(told.get(f"{source}/health"))
        heard = told.get(f"{source}/status", OFFLINE) == ONLINE
        words = ("CRYING" if state.get("crying") else "quiet") if heard else "NOT HEARD"
        fault = health.get("fault", "ok")
        part = f"; hears {health['hears']}" if health.get("hears") and heard else ""
        proof = proven_words(json_of(told.get(f"{source}/proof")))
        yield f"  {source}: {words}" + ("" if fault == "ok" else f" ({fault})") + part + (f"; {proof}" if proof else "")


def proven_words(proof: Mapping[str, Any]) -> str:
    """Says when the way was last proven, and as far as whom: `last proven 19:02, 1.4 s, by mother`.

    Empty where it never was.
    """
    if not proof.get("proven"):
        return ""
    at = datetime.fromisoformat(proof["proven"]).astimezone()
    day = "" if at.date() == datetime.now().astimezone().date() else f"{at:%d %b} "
    took = f", {proof['published_ms'] / 1000:.1f} s" if proof.get("published_ms") is not None else ""
    return f"last proven {day}{at:%H:%M}{took}{_proven_by(proof)}"


def _proven_by(proof: Mapping[str, Any]) -> str:
    """A broker alone wakes nobody; what an older daemon has proven does not say by whom."""
    if not (names := proof.get("proven_by")):
        return ""
    phones = [name for name in names if name != BROKER]
    return f", by {', '.join(phones)}" if phones else ", as far as the broker, no phone"


@contextmanager
def listening(config: Config, told: Told) -> Iterator[paho.Client]:
    """Connects, takes what the broker kept into `told`, and goes on taking while the client's `loop` is called.

    Raises:
        ConfigError: No broker answers, or it lets us not in.
    """
    settings = config.mqtt
    credentials = read_credentials(settings)
    root = f"monitord/{config.node}/"
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"monitord-ask-{uuid.uuid4().hex[:8]}")
    if settings.username is not None:
        client.username_pw_set(settings.username, credentials.password)
    if credentials.tls is not None:
        client.tls_set_context(credentials.tls)
    refusals: list[str] = []

    def connected(client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401
        # Any: paho's callback types are its own.
        if reason.is_failure:
            refusals.append(str(reason))
        client.subscribe(root + "#", qos=1)

    def came(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:  # noqa: ANN401 - paho
        told[message.topic.removeprefix(root)] = message.payload.decode(errors="replace")

    client.on_connect, client.on_message = connected, came
    try:
        client.connect(settings.host, settings.port, keepalive=30)
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(f"{settings.where}: {unknown_name(settings.host)} ({error})") from error
    except OSError as error:
        raise ConfigError(f"{settings.where}: no broker answers ({error}); is monitord running?") from error
    until = time.monotonic() + ANSWER_S
    while not client.is_connected() and not refusals and time.monotonic() < until:
        client.loop(0.1)
    if not client.is_connected() or refusals:
        raise ConfigError(f"{settings.where}: the broker lets us not in ({', '.join(refusals) or 'no answer'})")
    try:
        _settle_client(client, told)
        yield client
    finally:
        client.disconnect()


def _settle_client(client: paho.Client, told: Told) -> None:
    """Takes what the broker kept, until nothing came for a while."""
    last, count = time.monotonic(), -1
    while time.monotonic() - last < RETAINED_S:
        if len(told) != count:
            last, count = time.monotonic(), len(told)
        client.loop(0.1)


def sources_of(told: Told) -> list[str]:
    """Returns the rooms that the broker has heard of."""
    return sorted({topic.split("/")[0] for topic in told if topic.endswith("/status")})


def json_of(payload: str | None) -> dict[str, Any]:
    """Reads a JSON object; empty where it is none. Any: values of JSON."""
    try:
        value = json.loads(payload or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
