"""What is wrong with the daemon and with no room: the network, the disk, the broker; told wherever somebody looks."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from model.forward import Runtime
from service.health.outage_notice import OutageNotice
from service.messages.message import Message
from service.mqtt.client import MqttClient
from service.terminal.journal import Screen

RETRY_S: Final = 5.0
"""Seconds between two tries while nothing else writes: a disk that was made writable is found within as many."""

Problem = Literal["network", "disk", "disk_full", "disk_read_only", "broker"]
"""What is wrong, for programs, as the words are for people."""

_log = logging.getLogger(__name__)


class Writer(Protocol):
    """What keeps something on the disk, and in memory while the disk refuses."""

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for a person; empty when nothing is."""

    def retry(self) -> None:
        """Tries a disk that refuses again."""


class Disk:
    """The disk under the state directory, tried again for as long as it refuses. Used by the main thread alone.

    Args:
        folder: The state directory.
        writers: What writes there; None is nobody.
    """

    def __init__(self, folder: Path, *writers: Writer | None) -> None:
        self._folder, self._writers = folder, [writer for writer in writers if writer is not None]
        self._tried_at = time.monotonic()
        self.problem: Problem | None = None
        """What is wrong, as found last; None where nothing is."""

    def poll(self) -> str:
        """Returns what is wrong, for a person; empty when nothing is."""
        if not self._faults():
            self.problem = None
            return ""
        if time.monotonic() - self._tried_at >= RETRY_S:
            for writer in self._writers:
                writer.retry()
            self._tried_at = time.monotonic()
        if not (faults := self._faults()):
            self.problem = None
            return ""
        self.problem, why = _why(self._folder, faults)
        return f"{why}: rooms are heard, but what is not told yet would not outlive a power cut"

    def _faults(self) -> str:
        return " and ".join(filter(None, (writer.fault for writer in self._writers)))


class DaemonFaults:
    """Looked at by the main thread; tells each change once.

    Args:
        network: What runs it.
        disk: Where events and settings are kept.
        info: Makes the retained `info`, of a `fault` in words and `problems`; told anew whenever it has changed.
        tell: Takes messages for MQTT.
        screen: Who shows a person.
        notice: Tells phones of the disk.
        broker: What does not take all that it is told; it logs its faults itself.
    """

    def __init__(
        self,
        network: Runtime,
        disk: Disk,
        *,
        info: Callable[..., Message],
        tell: Callable[[Message], bool],
        screen: Screen,
        notice: OutageNotice,
        broker: MqttClient | None = None,
    ) -> None:
        self._network, self._disk, self._notice, self._broker = network, disk, notice, broker
        self._info, self._tell, self._screen = info, tell, screen
        self._network_fault = self._disk_fault = ""
        self._told = info(fault="", problems=())  # by whoever made us
        self.words = ""
        """All that is wrong, as told last; empty when nothing is."""

    def poll(self) -> str:
        """Returns all that is wrong now, in words; empty when nothing is."""
        network, disk = self._network.fault, self._disk.poll()
        if network != self._network_fault:
            _log.warning("network: %s", network)
        if disk != self._disk_fault:
            self._screen.note(disk or "the disk takes everything again")
        self._network_fault, self._disk_fault = network, disk
        self._notice.poll(failing=bool(disk), detail=disk)
        broker = self._broker.fault if self._broker else ""
        faults = "; ".join(filter(None, (network, disk, broker)))
        self.words = faults
        problems = [
            word for word, fault in (("network", network), (self._disk.problem, disk), ("broker", broker)) if fault
        ]
        if (now := self._info(fault=faults, problems=problems)) != self._told:
            self._told = now
            self._tell(now)
        return faults


def _why(folder: Path, faults: str) -> tuple[Problem, str]:
    """Says what is wrong with a disk: SQLite's own words for a full or read-only one are no help."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return "disk", f"the disk under {folder} cannot be read ({error.strerror})"
    if found.f_flag & os.ST_RDONLY:
        return "disk_read_only", f"the disk under {folder} is read-only"
    if not found.f_bavail:
        return "disk_full", f"the disk under {folder} is full"
    return "disk", f"the disk under {folder} refuses ({faults})"
