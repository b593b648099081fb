"""What systemd is told: ready, how it stands in words, and a sign of life that only work can give. Else nothing."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from service.health.verdict import RoomHealth
from service.mqtt.client import MqttStatus
from service.terminal.console_text import printable
from service.terminal.journal_stream import systemd_module

BROKER_S: Final = 5.0
"""Longest wait of `READY=1` for the first word of the broker (seconds): the rooms are heard without one, too."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DaemonHealth:
    """How the whole daemon stands at a look."""

    rooms: Sequence[RoomHealth]
    mqtt: MqttStatus
    moved_at: float
    """When the worker last finished a round (monotonic seconds)."""
    fault: str = ""
    """What is wrong with the daemon itself, in words; empty where nothing is."""


def _is_known(room: RoomHealth) -> bool:
    """Whether the family can tell what silence from it means: it is heard, or said not to be."""
    return not room.wanted or room.heard or bool(room.words)


def _has_moved(room: RoomHealth, since: float) -> bool:
    """Whether it came on since then (monotonic seconds), or is in hand: a fault that is told, or a first opening.

    What does not open is told as a fault within seconds, by the same thread that asks here.
    """
    return not room.wanted or bool(room.words) or room.heard_at is None or room.heard_at > since


def status_line(rooms: Sequence[RoomHealth], broker: str, fault: str = "") -> str:
    """Returns `1 of 2 rooms heard; Bedroom NOT HEARD: no sound arrives; Nursery crying since 19:02`, what is bad first.

    Args:
        rooms: All of them.
        broker: What is wrong with the way to it, in words; empty where nothing is.
        fault: What is wrong with the daemon itself, in words; empty where nothing is.
    """
    wanted = [room for room in rooms if room.wanted]
    heard = sum(room.heard for room in wanted)
    parts = [f"{heard} of {len(wanted)} rooms heard" if len(wanted) != 1 else f"{heard} of 1 room heard"]
    parts += [f"{room.name} {room.words}" for room in wanted if room.words]
    parts += [f"nobody can be told over MQTT: {broker}"] if broker else []
    parts += [fault] if fault else []
    parts += [
        f"{room.name} crying since {time.strftime('%H:%M', time.localtime(room.crying_since))}"
        for room in wanted
        if room.crying_since is not None
    ]
    return printable("; ".join(parts))


class ServiceManager:
    """Tells systemd; where there is none, every method does nothing. Used by the main thread alone.

    Args:
        notify: Takes one message of the protocol, sd_notify(3).
        watchdog_s: Seconds without a sign of life after which systemd kills; None: it does not watch.
    """

    def __init__(self, notify: Callable[[str], object], watchdog_s: float | None = None) -> None:
        self._notify, self._watchdog_s = notify, watchdog_s
        self._began = self._alive_at = time.monotonic()
        self._ready = False
        self._status = self._refusal = ""

    @classmethod
    def of_environment(cls) -> Self:
        """Returns one that speaks to the systemd that started this process, or to nobody."""
        daemon = systemd_module("daemon") if "NOTIFY_SOCKET" in os.environ else None
        if daemon is None:
            return cls(lambda _: None)
        usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
        watched = usec.isdigit() and pid in {"", str(os.getpid())}  # sd_watchdog_enabled(3)
        return cls(daemon.notify, int(usec) / 1e6 if watched else None)

    @property
    def present(self) -> bool:
        """Whether a service manager started us, and starts us again."""
        return "NOTIFY_SOCKET" in os.environ

    def poll(self, health: DaemonHealth) -> None:
        """Tells what has changed, and gives the sign of life when it is due and the work has moved since the last."""
        now, mqtt, rooms = time.monotonic(), health.mqtt, health.rooms
        broker = "" if mqtt.connected else mqtt.detail
        answered = mqtt.connected or bool(mqtt.detail) or now - self._began > BROKER_S
        if not self._ready and answered and all(map(_is_known, rooms)):
            self._ready = True
            self._say("READY=1")
        self._tell_status("; ".join(filter(None, (self._refusal, status_line(rooms, broker, health.fault)))))
        if self._watchdog_s is None or now - self._alive_at < self._watchdog_s / 2:
            return
        if health.moved_at > self._alive_at and all(_has_moved(room, self._alive_at) for room in rooms):
            self._alive_at = now
            self._say("WATCHDOG=1")

    def reloading(self) -> None:
        """Tells that the configuration is read anew; `refused` or the `READY=1` of a new start follows."""
        self._refusal = ""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        self._tell_status("reading the configuration anew")

    def refused(self, why: str) -> None:
        """Tells that the new configuration is no good and the old one stays; it stands in the status from then on."""
        first, *more = why.splitlines() or [""]
        self._refusal = f"reload REFUSED, the old configuration stays: {first}{' ...' if more else ''}"
        self._ready = False  # until the next look

    def stopping(self) -> None:
        """Tells that the end has begun."""
        self._say("STOPPING=1")
        self._tell_status("saying goodbye")

    def _tell_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self._say(f"STATUS={status}")

    def _say(self, message: str) -> None:
        try:
            self._notify(message)
        except OSError as error:
            _log.warning("systemd cannot be told %s: %s", message.splitlines()[0], error)
