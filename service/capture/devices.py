"""The capture devices of this machine, as PortAudio sees them, and which of them a person meant."""

from dataclasses import dataclass

from monitord.errors import SourceError
from monitord.types import RATE_HZ

SERVER_CHANNELS = 32
"""From so many channels on, a device is no microphone but a sound server (ALSA's plug-ins offer 32 and more)."""

FALLBACK_RATES_HZ = (48_000, 44_100, RATE_HZ)
"""Tried in this order where a device refuses its own default rate (hertz): what cards and headsets run at."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that records."""

    index: int
    """PortAudio's index; it may be another after a reboot."""
    name: str
    host_api: str
    """ALSA, JACK, Core Audio ..."""
    channels: int
    """Most channels it gives; `SERVER_CHANNELS` or more is a sound server that mixes to any number."""
    rate_hz: int
    """Default sample rate (hertz)."""
    is_default: bool
    """Whether `default` means this one."""

    @property
    def is_server(self) -> bool:
        """Whether it stands for a sound server, which converts to any format."""
        return self.channels >= SERVER_CHANNELS

    def __str__(self) -> str:
        mark = " (default)" if self.is_default else ""
        return f"{self.index}: {self.name} [{self.host_api}]{mark}"


def choose(devices: list[Device], wanted: str | int) -> Device:
    """Returns the device that `default`, a part of a name (letter case does not count), or an index means.

    Raises:
        SourceError: There is none; it lists those that there are.
    """
    if not devices:
        raise SourceError("no microphone on this machine: plug one in, or give a phone, a camera or a file instead")
    if wanted == "default":
        found = [device for device in devices if device.is_default] or devices[:1]
    elif isinstance(wanted, int) or wanted.isdecimal():
        found = [device for device in devices if device.index == int(wanted)]
    else:
        found = [device for device in devices if device.name.lower() == wanted.lower()]
        found = found or [device for device in devices if wanted.lower() in device.name.lower()]
    if not found:
        raise SourceError(f"no microphone {wanted!r}; there are {'; '.join(map(str, devices))}")
    return found[0]


def formats(device: Device) -> list[tuple[int, int]]:
    """Returns the (rate in hertz, channels) to try, best first.

    A card is asked for what it is: its own rate and all its channels, of which `monitord.channels` makes one. A sound
    server is asked for 16 kHz, for it converts anyway, and twice is worse than once; but for two channels: its own
    mix to one lets those in opposite phase cancel.
    """
    if device.is_server:
        rates = [RATE_HZ, device.rate_hz]
        return [(rate_hz, channels) for channels in (2, 1) for rate_hz in rates]
    rates = [device.rate_hz, *(rate_hz for rate_hz in FALLBACK_RATES_HZ if rate_hz != device.rate_hz)]
    channels = list(dict.fromkeys([device.channels, min(device.channels, 2), 1]))
    return [(rate_hz, n) for n in channels for rate_hz in rates]
