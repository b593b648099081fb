"""What is wrong with the daemon itself and with no room: the network and the disk, told wherever somebody looks."""

import logging
from collections.abc import Callable
from typing import Protocol

from service.health.disk import Disk
from service.health.saving import Saving
from service.messages.message import Message

_log = logging.getLogger(__name__)


class Faulty(Protocol):
    """What may have a fault, such as the network."""

    @property
    def fault(self) -> str:
        """What is wrong, for a person; empty when nothing is."""


class Screen(Protocol):
    """Who shows a person what became of the daemon."""

    def note(self, text: str) -> None:
        """Something about the whole daemon."""


class DaemonFaults:
    """Looked at by the main thread; tells each change once.

    Args:
        network: What runs it.
        disk: Where events and settings are kept.
        info: Makes the retained `info`, with a fault.
        tell: Takes messages for MQTT.
        screen: Who shows a person.
        saving: Tells phones of the disk.
    """

    def __init__(
        self,
        network: Faulty,
        disk: Disk,
        *,
        info: Callable[..., Message],
        tell: Callable[[Message], bool],
        screen: Screen,
        saving: Saving,
    ) -> None:
        self._network, self._disk, self._saving = network, disk, saving
        self._info, self._tell, self._screen = info, tell, screen
        self._network_fault = self._disk_fault = self._told = ""

    def poll(self) -> str:
        """Returns all that is wrong now, in words; empty when nothing is."""
        network, disk = self._network.fault, self._disk.poll()
        if network != self._network_fault:
            _log.warning("network: %s", network)
        if disk != self._disk_fault:
            self._screen.note(disk or "the disk takes everything again")
        self._network_fault, self._disk_fault = network, disk
        self._saving.poll(disk)
        faults = "; ".join(filter(None, (network, disk)))
        if faults != self._told:
            self._told = faults
            self._tell(self._info(fault=faults))
        return faults
