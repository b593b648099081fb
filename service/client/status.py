"""`monitord status`: what the broker keeps of a running daemon, as a person reads it."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from service.client.daemon_query import NoBrokerError, Told, query
from service.config import Config, load_config
from service.messages.commands import BROKER
from service.messages.node_messages import OFFLINE, ONLINE


def print_status(config_path: Path | None) -> int:
    """Prints what the daemon says of itself and of each source. Returns 0 when all are heard, else 1."""
    config = Config() if config_path is None else load_config(config_path)
    told: Told = {}
    try:
        with query(config, told) as question:
            lacks = question.lacks
    except NoBrokerError as error:
        print(f"monitord: {error}", file=sys.stderr)
        return 1
    # Without a configuration, all that the broker remembers, also rooms of an earlier start.
    sources = sources_of(told) if config_path is None else sorted(config.sources)
    for line in status_lines(config.node, sources, told):
        print(line)
    if lacks:
        print(f"monitord: {config.mqtt.where}: {lacks}", file=sys.stderr)
    well = bool(sources) and all(told.get(topic) == ONLINE for topic in ["status", *(f"{s}/status" for s in sources)])
    return 0 if well else 1


def status_lines(node: str, sources: Sequence[str], told: Told) -> Iterator[str]:
    """Writes retained messages as a person reads them: the node, then one line for each source."""
    fault = json_of(told.get("info")).get("fault")
    yield f"{node}: {told.get('status', 'never seen by this broker')}" + (f"; {fault}" if fault else "")
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
