"""A shard's life in one process: it claims its rooms, hears them while they are its own, and leaves within a second.

Whoever starts it (a person, a service manager, a container, Ray) makes one `ShardHost` and calls `run`.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from model.bundle import Bundle, load_bundle
from service.config import Config
from service.daemon import Daemon
from service.health.monitor import POLL_S
from service.messages.message import Keep, Message, iso_utc
from service.mqtt.errors import ConnectionOverError
from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox
from service.terminal.journal import Screen
from service.ward.broker import connected, read_kept
from service.ward.claim import ROOT
from service.ward.documents import document_message, documents_topic, restore
from service.ward.fence import LEAVE_S
from service.ward.keeper import TICK_S, ClaimKeeper
from service.ward.place import Place
from service.ward.settings import WardConfig

CRASHED: Final = 70
"""Exit status after a bug: EX_SOFTWARE of sysexits.h."""

FOLDER: Final = "ward"
"""In the state directory of a shard: what the daemon knows nothing of."""
OUTBOX: Final = "outbox.db"
"""Where the daemon keeps events that the broker does not have yet."""

RETRY_S: Final = 0.5
"""Between two attempts to read what moves with a shard (seconds): the rooms wait for it."""

End = Literal["stopped", "lost", "crashed"]
"""It was asked to; another one has the shard; a part has a bug, and a new process helps."""

_log = logging.getLogger(__name__)


class ShardHost:
    """One shard.

    Args:
        ward: What the operator decided.
        node: Its name.
        machine: This machine's, for people.
        screen: Shows what happens.
        stop: Set, by whoever starts it, when it is to end.
        abandon: Ends the process at once with this exit status, where rooms could be heard still that may not be.
    """

    def __init__(
        self,
        ward: WardConfig,
        node: str,
        *,
        machine: str,
        screen: Screen,
        stop: threading.Event,
        abandon: Callable[[int], object] = os._exit,
    ) -> None:
        self._config: Config = ward.config(node)
        self._node, self._machine, self._screen, self._abandon = node, machine, screen, abandon
        self._place = Place(self._config.state_dir / FOLDER)
        self._place_id = ""
        self._terms = ward.terms
        self._stop = stop
        self._again = threading.Event()  # somebody asked for a restart of what hears
        self._ears = threading.Event()  # whether sources may be open
        self.daemon: Daemon | None = None
        """What hears, while something does."""
        self.keeper: ClaimKeeper | None = None
        """Who keeps the claim, while `run` runs."""

    def run(self) -> End:
        """Claims and hears, until asked to stop, or until another process has the shard.

        Raises:
            MonitordError: It cannot begin; nothing is left running.
        """
        bundle = load_bundle(self._config.bundle).require_trained()
        self._place_id = self._place.open()
        keeper = self.keeper = ClaimKeeper(
            self._config.mqtt,
            self._node,
            terms=self._terms,
            place=self._place,
            place_id=self._place_id,
            machine=self._machine,
        )
        over = threading.Event()
        guard = threading.Thread(target=self._watch_ears, args=(keeper, over), name="ears", daemon=True)
        try:
            with keeper:
                guard.start()
                try:
                    end = self._live(keeper, bundle)
                    self._tell_undelivered(keeper)
                finally:  # whatever went wrong, its sources are closed: nobody need wait for it
                    keeper.stop(left=True)
        finally:
            over.set()
            self._place.close()
        if end == "lost":
            _log.warning("%s is claimed by another process: this one leaves", self._node)
        return end

    def _live(self, keeper: ClaimKeeper, bundle: Bundle) -> End:
        while not self._stop.is_set():
            if keeper.lost:
                return "lost"
            if not keeper.alive:
                return "crashed"
            if keeper.may_hear():
                self._again.clear()
                if (end := self._hear(keeper, bundle)) is not None:
                    return end
            else:
                self._stop.wait(TICK_S)
        return "stopped"

    def _hear(self, keeper: ClaimKeeper, bundle: Bundle) -> End | None:
        """Hears while it may; None where that may come again."""
        epoch = keeper.fence.epoch
        if not self._take_over(DocumentStore(self._config.state_dir)):
            self._stop.wait(RETRY_S)
            return None
        self._place.begin(epoch)
        keeper.say(undelivered(self._node, self._place_id, self._machine, time.time()))
        with Daemon.build(
            self._config,
            bundle,
            self._screen,
            restart=self._again.set,
            admitted=keeper.may_hear,
            mirror=lambda name, document: document_message(self._node, epoch, name, document),
        ) as daemon:
            if not keeper.may_hear():
                return None
            self.daemon = daemon
            self._ears.set()
            try:
                daemon.start()
                end = self._poll(keeper, daemon)
            finally:
                daemon.deafen()
                self._ears.clear()
                self.daemon = None
        return end

    def _poll(self, keeper: ClaimKeeper, daemon: Daemon) -> End | None:
        look_at = 0.0
        while keeper.may_hear() and not self._again.is_set():
            if not keeper.alive:
                return "crashed"
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + POLL_S
                match daemon.poll():
                    case "over":
                        return "stopped"
                    case "crashed" | "stuck":
                        return "crashed"
            if self._stop.wait(TICK_S):
                return "stopped"
        return None

    def _watch_ears(self, keeper: ClaimKeeper, over: threading.Event) -> None:
        """Ends the process where its sources are still open a second after they had to be closed."""
        since = time.monotonic()
        while not over.wait(TICK_S):
            if not self._ears.is_set() or keeper.may_hear():
                since = time.monotonic()
            elif time.monotonic() - since >= LEAVE_S - 2 * TICK_S:
                _log.critical("%s: the rooms may not be heard any more and still are: the process ends", self._node)
                # Who has lost it for good has nothing to be started anew for.
                self._abandon(0 if keeper.lost else CRASHED)
                return

    def _take_over(self, store: DocumentStore) -> bool:
        """Writes down what the broker keeps of the shard and is newer than this disk; False where it is gone again."""
        try:
            with connected(self._config.mqtt) as connection:
                kept = read_kept(connection, [f"{documents_topic(self._node)}/#"])
        except ConnectionOverError as error:
            _log.warning("%s: what moves with it cannot be read: %s", self._node, error)
            return False
        if names := restore(store, self._node, kept, self._place.epoch):
            _log.info("%s: taken over from the broker: %s", self._node, ", ".join(names))
        return True

    def _tell_undelivered(self, keeper: ClaimKeeper) -> None:
        """Takes back that events may wait on this disk, where none do."""
        if not keeper.fence.heard:
            return
        with Outbox(self._config.state_dir / OUTBOX) as outbox:
            waiting = outbox.waiting
        if waiting:
            _log.warning("%s: %d events wait on this disk; `monitord ward drain` tells them", self._node, waiting)
        else:
            keeper.say(delivered(self._node, self._place_id))


def undelivered_topic(node: str, place: str) -> str:
    """Where it is kept that events of a shard may wait on the disk of a place."""
    return f"{ROOT}/{node}/undelivered/{place}"


def undelivered(node: str, place: str, machine: str, at: float) -> Message:
    """Events of this shard may wait on the disk of this machine, since wall time `at` (Unix seconds)."""
    values = {"machine": machine, "since": iso_utc(at)}
    return Message(undelivered_topic(node, place), values, retain=True, qos=1, keep=Keep.LATEST)


def delivered(node: str, place: str) -> Message:
    """None wait there."""
    return Message(undelivered_topic(node, place), "", retain=True, qos=1, keep=Keep.LATEST)
