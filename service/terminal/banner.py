"""The first screen of `monitord run`: what it listens to, where it tells, and how to watch that. Pure."""

import shlex
from collections.abc import Iterable
from typing import Final, Literal

from service.capture.redact import redact
from service.capture.spec import FileSpec, MicrophoneSpec, SourceSpec, StreamSpec
from service.config import Config
from service.mqtt.settings import MqttSettings
from service.terminal.console_text import printable

BrokerKind = Literal["private", "found", "configured"]
"""Started by the daemon; one that answered at the address already; the family's own, from the configuration."""

_BROKERS: Final = {
    "private": "a private broker, for this machine only",
    "found": "a broker that was running here already",
    "configured": "your broker",
}

HOW_TO_GIVE_A_SOURCE: Final = (
    ("mic:NAME", "a microphone; monitord devices lists them"),
    ("rtsp://192.168.1.20:8554/live", "a camera, or a phone with a camera app"),
    ("http://192.168.1.21:8080/audio.wav", "a phone with an app that serves sound"),
    ("listen+rtmp://0.0.0.0:1935/live", "a phone with an app that sends"),
    ("recording.m4a", "a file: a recording or a video"),
)
"""Examples of SOURCE, with what each is."""


def banner(config: Config, *, version: str, model: str, broker: MqttSettings, kind: BrokerKind, demo: bool) -> str:
    """Returns the lines of the first screen.

    Args:
        config: What was configured.
        version: Of the program.
        model: Name of the bundle.
        broker: Where MQTT really is, which for an embedded broker the configuration does not say.
        kind: Whose broker it is.
        demo: Whether the demo sound plays because there is no capture device.
    """
    listens = [
        (config.name_of(source_id), "the demo sound, over and over" if demo else source_words(source.spec))
        for source_id, source in config.sources.items()
    ]
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    where = f"MQTT at {host}:{broker.port} ({_BROKERS[kind]}), topics monitord/{config.node}/..."
    rows = [
        *zip(["listens to", *[""] * (len(listens) - 1)], _columns(listens), strict=True),
        ("tells", where),
        ("watch it", subscribe_line(broker, config.node)),
        ("model", model),
    ]
    lines = [f"monitord {version}. Not a medical device. Ctrl-C ends it.", ""]
    if demo:
        lines += [*_demo_notice(), ""]
    return "\n".join([*lines, *(f"  {line}" for line in _columns(rows)), ""])


def subscribe_line(broker: MqttSettings, node: str) -> str:
    """Returns the command with which a second terminal sees everything; a password stays in its file."""
    words = ["mosquitto_sub", "-h", broker.host, "-p", str(broker.port), "-v", "-t", f"monitord/{node}/#"]
    if broker.username is not None:
        words += ["-u", broker.username]
    if broker.tls is not None:
        ca_file = broker.tls.ca_file
        words += ["--capath", "/etc/ssl/certs"] if ca_file is None else ["--cafile", str(ca_file)]
        if broker.tls.cert_file is not None:
            words += ["--cert", str(broker.tls.cert_file), "--key", str(broker.tls.key_file or broker.tls.cert_file)]
    line = shlex.join(words)
    if broker.password_file is not None:
        line += f' -P "$(cat {shlex.quote(str(broker.password_file))})"'
    return line


def source_words(spec: SourceSpec) -> str:
    """Says what is opened; no password in it."""
    match spec:
        case MicrophoneSpec("default"):
            return "the default microphone"
        case MicrophoneSpec(int() as number):
            return f"microphone number {number}"
        case MicrophoneSpec(name):
            return f"the microphone {printable(str(name))}"
        case StreamSpec(url, listen):
            return f"a phone that sends to {redact(url)}" if listen else redact(url)
        case FileSpec(path, loop):
            return f"{printable(str(path))}, in real time{', over and over' if loop else ''}"


def _demo_notice() -> list[str]:
    return [
        "  *** DEMO: there is no microphone here. What you see comes from an invented sound. ***",
        "  To listen for real, give one or more sources:",
        *(f"    {line}" for line in _columns(HOW_TO_GIVE_A_SOURCE)),
    ]


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max(len(left) for left, _ in rows)
    return [f"{left:<{width}}  {right}" for left, right in rows]
