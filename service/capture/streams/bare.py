"""Bare sound: samples one after the other, with nothing in front that says what they are. FFmpeg must be told.

What they are stands in the answer's Content-Type, or the family writes it as RTP's session descriptions do:
`PCMU/8000`, `L16/16000/2`.
"""

from dataclasses import dataclass
from typing import Final

_KINDS: Final = {
    "mulaw": "mulaw",
    "pcmu": "mulaw",
    "ulaw": "mulaw",
    "basic": "mulaw",
    "g711-mulaw": "mulaw",
    "g711u": "mulaw",
    "alaw": "alaw",
    "pcma": "alaw",
    "g711-alaw": "alaw",
    "g711a": "alaw",
    "l8": "u8",
    "l16": "s16be",
    "l24": "s24be",
    "s16be": "s16be",
    "s16le": "s16le",
}
"""Name, as RFC 3551 (RTP), RFC 2586 (L16) and RFC 2046 (basic) or users of FFmpeg write it: FFmpeg's demuxer."""

FORMATS: Final = ("PCMU", "PCMA", "L16", "L24", "s16le")
"""What a person is told that there is."""

TELEPHONE_HZ: Final = 8_000
"""Rate of G.711 where none is stated (hertz, RFC 3551)."""

RATES_HZ: Final = (4_000, 384_000)
"""As `process.RATES_HZ`."""

MOST_CHANNELS: Final = 8
"""Of bare sound that is believed: with a wrong number nothing tells that it is wrong."""


@dataclass(frozen=True, slots=True)
class Bare:
    """What FFmpeg has to be told."""

    demuxer: str
    """FFmpeg's name."""
    rate_hz: int = TELEPHONE_HZ
    channels: int = 1

    @property
    def options(self) -> dict[str, str]:
        """FFmpeg's, of the demuxer."""
        return {"sample_rate": str(self.rate_hz), "ch_layout": f"{self.channels} channels"}


def written(text: str) -> Bare:
    """Reads `NAME/RATE/CHANNELS`, of which the telephone's formats need the name alone.

    Raises:
        ValueError: It is none; what is allowed is in it.
    """
    name, *numbers = text.split("/", 2)
    demuxer = _KINDS.get(name.strip().lower())
    if demuxer is None or not all(number.strip().isdecimal() for number in numbers):
        raise ValueError(f"must be one of {', '.join(FORMATS)}, with rate and channels as in L16/16000/1")
    if not numbers and demuxer not in {"mulaw", "alaw"}:
        raise ValueError(f"{name} has no rate of its own: write {name}/16000, or {name}/16000/2 for two channels")
    return _checked(Bare(demuxer, *map(int, numbers)))


def named(content_type: str) -> Bare | None:
    """Returns what a Content-Type such as `audio/L16;rate=16000;channels=2` means; None where it is no bare sound."""
    kind, *rest = (part.strip().lower() for part in content_type.split(";"))
    category, _, name = kind.partition("/")
    if category != "audio":
        return None
    fast = name == "axis-mulaw-128"  # kbit/s: G.711 at twice its rate; 64 is its own
    name = name.removeprefix("x-").removeprefix("axis-").removesuffix("-128").removesuffix("-64")
    demuxer = _KINDS.get(name)
    values = dict(part.partition("=")[::2] for part in rest)
    if demuxer is None or name.startswith("s16"):
        return None
    try:
        rate_hz = int(values.get("rate", (1 + fast) * TELEPHONE_HZ if demuxer in {"mulaw", "alaw"} else 0))
        return _checked(Bare(demuxer, rate_hz, int(values.get("channels", 1))))
    except ValueError:
        return None


def _checked(bare: Bare) -> Bare:
    if not RATES_HZ[0] <= bare.rate_hz <= RATES_HZ[1]:
        raise ValueError(f"a rate is {RATES_HZ[0]} to {RATES_HZ[1]} Hz, such as in L16/16000/1")
    if not 1 <= bare.channels <= MOST_CHANNELS:
        raise ValueError(f"bare sound has 1 to {MOST_CHANNELS} channels, such as in L16/16000/1")
    return bare
