"""Every fault word in one table: whether the room counts as heard, and what a parent reads.

A test holds the other places where fault words stand against it: the languages of phones, Home Assistant's sensor, and
the documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monitord.faults import Fault


@dataclass(frozen=True, slots=True)
class FaultMeaning:
    """What a fault of a source means to a family."""

    heard: bool
    """Whether silence from the room still means that the baby is quiet; if not, the room is offline."""
    text: str
    """On the console, in the journal and in systemd's status line."""
    notify: bool = False
    """Whether phones are told although the room is heard."""


FAULTS: Final[Mapping[Fault, FaultMeaning]] = {
    "ok": FaultMeaning(heard=True, text="heard again"),
    "stalled": FaultMeaning(heard=False, text="NOT HEARD: no sound arrives"),
    "digital_silence": FaultMeaning(heard=False, text="NOT HEARD: the microphone sends exact silence (muted, or gone)"),
    "flat": FaultMeaning(heard=False, text="NOT HEARD: the microphone is stuck or muted, nothing moves in its sound"),
    "clipping": FaultMeaning(heard=False, text="heard badly: much too loud, turn the microphone down or move it away"),
    "reconnecting": FaultMeaning(heard=False, text="NOT HEARD: the connection is lost, trying again"),
    "auth_failed": FaultMeaning(heard=False, text="NOT HEARD: user name or password is refused"),
    "decode_error": FaultMeaning(heard=False, text="NOT HEARD: what arrives is no sound that can be read"),
    "dc_offset": FaultMeaning(
        heard=False, text="NOT HEARD: the microphone or its cable is broken, its sound is pushed to one side"
    ),
    "wrong_rate": FaultMeaning(heard=False, text="NOT HEARD: sound comes faster or slower than it was recorded"),
    # Its alarms come late, and may not be held back because of that; until sound is about to be lost.
    "overload": FaultMeaning(heard=True, text="heard late: this machine has too much to do"),
    # While it is there its alarms count; how much of a night is missing, phones are told.
    "intermittent": FaultMeaning(
        heard=True, text="heard badly: the connection comes and goes, parts of the night are missing", notify=True
    ),
    "stuck": FaultMeaning(heard=False, text="NOT HEARD: the monitor itself hangs"),
    # One of the channels is heard, at its full level.
    "wiring": FaultMeaning(
        heard=True,
        text="heard, but two channels are opposite: use a mono input or another cable",
    ),
    "needs_tap": FaultMeaning(heard=False, text="NOT HEARD: the page on its phone waits for a tap on its button"),
    "screen_off": FaultMeaning(heard=False, text="NOT HEARD: its phone's screen is off, or shows something else"),
    "page_closed": FaultMeaning(heard=False, text="NOT HEARD: the page on its phone was closed"),
    "page_asleep": FaultMeaning(heard=False, text="NOT HEARD: its phone put the page to sleep to save power or memory"),
    "not_allowed": FaultMeaning(heard=False, text="NOT HEARD: its phone's browser does not allow the microphone"),
    "mic_taken": FaultMeaning(heard=False, text="NOT HEARD: a call or another app has its phone's microphone"),
    # It is heard until it is empty, and then it is too late to tell.
    "battery_low": FaultMeaning(heard=True, text="heard, but its phone's battery is nearly empty", notify=True),
}
