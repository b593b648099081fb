"""What is told of the node and its rooms: pure functions to MQTT messages, one for each topic of the contract.

What is told of a cry stands in `cry_messages`, of a fault in `fault_messages`.
"""

from collections.abc import Iterable, Mapping, Sequence

from monitord.listening.gate import SILENCE_DBFS
from monitord.tally import Tally
from service.messages.message import Keep, Message, Node, iso_utc, json_message, probability

ONLINE = "online"
OFFLINE = "offline"


def node_status(node: Node, *, online: bool) -> Message:
    """`status`: also the last will."""
    return Message(f"{node.root}/status", ONLINE if online else OFFLINE, retain=True, qos=1, keep=Keep.LATEST)


def heartbeat(node: Node, *, ts: float, uptime_s: float, sources_ok: int, sources_total: int, lag_ms: float) -> Message:
    """`heartbeat`: sent by the worker, so that a stuck worker cannot send it.

    Args:
        node: Who speaks.
        ts: Wall time (Unix seconds).
        uptime_s: Since the daemon started.
        sources_ok: Sources that are heard.
        sources_total: Sources configured.
        lag_ms: Age of the newest sound that was scored.
    """
    values = {
        "ts": iso_utc(ts),
        "uptime_s": round(uptime_s),
        "sources_ok": sources_ok,
        "sources_total": sources_total,
        "lag_ms": round(lag_ms),
    }
    return json_message(node, f"{node.root}/heartbeat", values, Keep.LIVE)


def info(
    node: Node,
    *,
    version: str,
    model: str,
    model_sha: str,
    metrics: Mapping[str, object],
    adaptation: Mapping[str, object],
    fault: str = "",
    problems: Sequence[str] = (),
) -> Message:
    """`info`: which program and model listen here; `fault` is of the network, the disk or the broker.

    Args:
        node: Who speaks.
        version: Of the program.
        model: Name of the bundle.
        model_sha: Its id.
        metrics: A handful of figures, as `model_figures.headline` picks them: people read this on a terminal.
        adaptation: What this home has taught the model, as `corrections.adaptation` makes it.
        fault: In words; empty where nothing is wrong.
        problems: The same for programs: `network`, `disk`, `disk_full`, `disk_read_only`, `broker`.
    """
    values = {
        "version": version,
        "model": model,
        "model_sha": model_sha,
        "metrics": dict(metrics),
        "adaptation": dict(adaptation),
        "fault": fault,
        "problems": list(problems),
    }
    return json_message(node, f"{node.root}/info", values, Keep.LATEST)


def forgotten(node: Node, sources: Iterable[str]) -> list[Message]:
    """Takes away what a demo left on a broker that keeps it, and what a room tells anew only with its next cry."""
    topics = [f"{node.root}/{source}/{topic}" for source in sources for topic in ("episode", "spectrogram")]
    return [Message(topic, "", retain=True, qos=1, keep=Keep.LATEST) for topic in topics]


def source_status(node: Node, source: str, *, online: bool) -> Message:
    """`<source>/status`."""
    topic = f"{node.root}/{source}/status"
    return Message(topic, ONLINE if online else OFFLINE, retain=True, qos=1, keep=Keep.LATEST)


def level(
    node: Node,
    source: str,
    *,
    dbfs: float,
    floor_dbfs: float,
    evidence: float,
    on: float,
    quiet_from: float | None,
) -> Message:
    """`<source>/level`, at most one a second; no audio is no message.

    Args:
        node: Who speaks.
        source: Id of the source.
        dbfs: Level (dB re full scale); told as -96 at least.
        floor_dbfs: Noise floor of the room (dB re full scale); told as -96 at least.
        evidence: What speaks for crying (natural log-odds), 0 to `on`.
        on: Evidence at which an episode opens.
        quiet_from: The lowest threshold at which the evidence since the last level was under half of `on`, 0.05 to
            0.95; None: at none of them.
    """
    values = {
        "dbfs": round(max(dbfs, SILENCE_DBFS), 1),
        "floor": round(max(floor_dbfs, SILENCE_DBFS), 1),
        "evidence": round(evidence, 2),
        "on": round(on, 2),
        "quiet_from": quiet_from,
    }
    return json_message(node, f"{node.root}/{source}/level", values, Keep.LIVE, qos=0)


def health(
    node: Node, source: str, *, fault: str, tally: Tally, reconnects: int, last_audio: float | None, hears: str = ""
) -> Message:
    """`<source>/health`.

    Args:
        node: Who speaks.
        source: Id of the source.
        fault: One of `monitord.faults.Fault`.
        tally: Samples at 16 kHz since the start.
        reconnects: How often the source was opened again.
        last_audio: Wall time of the newest sample (Unix seconds); None before the first.
        hears: Which of several tracks or channels is heard, in words; empty where it is all.
    """
    values = {
        "fault": fault,
        "lost": tally.lost,
        "captured": tally.captured,
        "quiet": tally.quiet,
        "segmented": tally.segmented,
        "held": tally.held,
        "reconnects": reconnects,
        "last_audio": None if last_audio is None else iso_utc(last_audio),
        "hears": hears,
    }
    return json_message(node, f"{node.root}/{source}/health", values, Keep.LATEST)


def settings(
    node: Node,
    source: str,
    *,
    enabled: bool,
    threshold: float,
    profile: str,
    snoozed_until: float | None = None,
    gain_db: float = 0.0,
    tuned: bool = False,
) -> Message:
    """`<source>/settings`: what is in force, so that a sender of `set` sees what became of it.

    Args:
        node: Who speaks.
        source: Id of the source.
        enabled: Whether the room is listened to.
        threshold: Calibrated probability from which a window speaks for crying.
        profile: Alert profile.
        snoozed_until: Wall time (Unix seconds); None where no snooze is on.
        gain_db: By how much louder than captured the room is heard (decibels).
        tuned: Whether there is a tuning that can be undone.
    """
    values = {
        "enabled": enabled,
        "threshold": probability(threshold),
        "profile": profile,
        "snoozed_until": None if snoozed_until is None else iso_utc(snoozed_until),
        "gain_db": gain_db,
        "tuned": tuned,
    }
    return json_message(node, f"{node.root}/{source}/settings", values, Keep.LATEST)
