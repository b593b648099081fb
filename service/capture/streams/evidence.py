"""What the decoder's process saw where a stream failed, believed as far as it can be true, and in words."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from service.capture.child.seen import LISTEN_S, Seen
from service.capture.child.web import is_page
from service.capture.spec import StreamSpec, host_and_port
from service.capture.streams.how import readable
from service.settings.hosts import unknown_name

MOST_WORDS: Final = 100
"""Longest text of a stranger that is shown (characters)."""


def evidence(told: Mapping[str, object] | None) -> Seen | None:
    """Reads what was told; None where nothing was, or what cannot be."""
    if told is None:
        return None
    values = {}
    for field in fields(Seen):
        value = told.get(field.name)
        if type(value) is not type(field.default):
            return None
        values[field.name] = _printable(value) if isinstance(value, str) else value
    return Seen(**values)  # type: ignore[arg-type]  # each has its field's type


def answered(seen: Seen | None) -> str:
    """With what it was answered, and how much came; empty where there was no answer."""
    if seen is None:
        return ""
    if seen.strange:
        return f"answers what is no HTTP: {seen.strange!r}"
    if not seen.status:
        return ""
    if seen.rtsp:
        return f"answers RTSP with {seen.status}"
    what = seen.content_type or "no Content-Type"
    how_much = f"{seen.came} bytes came" if seen.came else "nothing came"
    return f"answers {seen.status} with {what}; {how_much}" + ("" if seen.ended else f" within {LISTEN_S:g} s")


def is_a_page(seen: Seen | None) -> bool:
    """Whether it is for eyes."""
    return seen is not None and is_page(seen.content_type)


def way_blocked(seen: Seen | None, spec: StreamSpec) -> str:
    """Why one does not come as far as the stream: its name or its certificate; empty where that is well."""
    if seen is None:
        return ""
    host, _ = host_and_port(spec.url)
    if seen.name == "unanswered":
        return "its name cannot be looked up now: no name server answers; an address needs none"
    if seen.name:
        return unknown_name(host)
    if not seen.tls:
        return ""
    if not seen.fingerprint:
        return f"{seen.tls}; check the port and the protocol"
    key = "ca_file, or trust this one alone" if spec.how.ca_file is None else "ca_file; or trust this one alone"
    return (
        f"its certificate does not hold ({seen.tls}); check the host and {key}: "
        f'fingerprint: "{readable(seen.fingerprint)}"'
    )


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:MOST_WORDS]
