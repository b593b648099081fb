"""The first screen of `monitord run`: what it listens to, where it reports, and how to watch that."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from service.capture.own_address import reachable
from service.capture.redact import redact
from service.capture.spec import FileSpec, MicrophoneSpec, PageSpec, SourceSpec, StreamSpec
from service.settings.command import command
from service.terminal.console_text import printable
from service.terminal.qr_code import qr_code

BrokerKind = Literal["private", "found", "configured"]
"""Started by the daemon; one that answered at the address already; the family's own, from the configuration."""

_BROKERS: Final = {
    "private": "a private broker, for this machine only",
    "found": "a broker that was running here already",
    "configured": "your broker",
}

HOW_TO_GIVE_A_SOURCE: Final = (
    ("mic:NAME", f"a microphone; {command('devices')} lists them"),
    ("rtsp://192.168.1.20:8554/live", "a camera, or a phone with a camera app"),
    ("http://192.168.1.21:8080/audio.wav", "a phone with an app that serves sound"),
    ("listen+rtmp://0.0.0.0:1935/live", "a phone with an app that sends"),
    ("recording.m4a", "a file: a recording or a video"),
)
"""Examples of SOURCE, with what each is."""

_NO_PHONE: Final = "and to no phone but those of Home Assistant; README.md, On your phone, says how"


def banner(
    node: str,
    sources: Iterable[tuple[str, SourceSpec]],
    *,
    version: str,
    model: str,
    broker: str,
    kind: BrokerKind,
    phones: Sequence[str],
    watch: str,
    demo: bool,
) -> str:
    """Returns the lines of the first screen.

    Args:
        node: Of the topics.
        sources: What people call each, and what is opened.
        version: Of the program.
        model: Name of the bundle.
        broker: Host and port.
        kind: Whose broker it is.
        phones: What the configuration calls those whom it tells besides MQTT.
        watch: The command with which a second terminal sees everything.
        demo: Whether the demo sound plays because there is no capture device.
    """
    listens = [(name, "the demo sound, over and over" if demo else source_words(spec)) for name, spec in sources]
    where = f"MQTT at {broker} ({_BROKERS[kind]}), topics monitord/{node}/..."
    rows = [
        *zip(["listens to", *[""] * (len(listens) - 1)], _columns(listens) or ["no room yet"], strict=True),
        ("reports to", where),
        ("", f"and {', '.join(phones)}" if phones else _NO_PHONE),
        ("watch it", watch),
        ("model", model),
    ]
    lines = [f"monitord {version}. Not a medical device. Ctrl-C ends it.", ""]
    if demo:
        lines += [*_demo_notice(), ""]
    return "\n".join([*lines, *(f"  {line}" for line in _columns(rows)), ""])


def page_banner(page: str, way: str | None, invitation: str | None, *, drawn: bool) -> str:
    """Returns the lines about the family's page, once it is served.

    Args:
        page: Its address.
        way: Where plain http says how to trust this machine; None: nowhere.
        invitation: A link that makes the first owner; None: there is one, or a service runs.
        drawn: Whether somebody sees the link as a QR code, too.
    """
    rows = [("on any phone", page)]
    if way is not None:
        rows.append(("", f"{way} says how a phone trusts this machine; without that it warns once"))
    rows.append(("", f"{command('pair')} makes a link for another device"))
    lines = [f"  {line}" for line in _columns(rows)]
    if invitation is not None:
        lines += ["", *([qr_code(invitation)] if drawn else [])]
        how = "Scan it" if drawn else "Open this on a phone"
        lines += [f"  {how}: the phone is a room's microphone then, or manages the page; once, within 10 minutes."]
        lines += [f"  {invitation}"]
    return "\n".join([*lines, ""])


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
            return f"a phone that sends to {redact(reachable(url))}" if listen else redact(url)
        case FileSpec(path, loop):
            return f"{printable(str(path))}, in real time{', over and over' if loop else ''}"
        case PageSpec():
            return "a phone, by the family's page"


def _demo_notice() -> list[str]:
    return [
        "  *** DEMO: there is no microphone here. What you see comes from an invented sound. ***",
        "  To listen for real, give one or more sources:",
        *(f"    {line}" for line in _columns(HOW_TO_GIVE_A_SOURCE)),
    ]


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:<{width}}  {right}" for left, right in rows]
