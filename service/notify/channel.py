"""One receiver with its thread: takes notices at once, hands them over as its service allows."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from service.backoff import BackOff
from service.notify.notice import Notice, Severity
from service.notify.sending import NotSentError, Sender
from service.notify.waiting import Counts, Entry, Pace, Waiting

log = logging.getLogger(__name__)

REMEMBERED: Final = 100
"""Alarms whose end a channel still wants to hear: more than are open at once, by far."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a receiver wants."""

    name: str
    """Id of the channel."""
    severity: Severity = Severity.WARNING
    """The least that it gets; and the end of whatever it got, so that nobody worries for longer than needed."""
    rooms: frozenset[str] | None = None
    """Ids of sources; None: all."""


class Channel:
    """Tells one receiver, from a thread of its own: one that hangs holds up nobody else."""

    def __init__(
        self,
        audience: Audience,
        sender: Sender,
        delivered: Callable[[str, Notice], None],
        pace: Pace | None = None,
        *,
        refused: Callable[[str, Notice, str], None] = lambda *_: None,
    ) -> None:
        self.name = audience.name
        self._audience, self._sender = audience, sender
        self._delivered, self._refused = delivered, refused
        pace = pace or Pace()
        self._waiting = Waiting(pace)
        self._backoff = BackOff(first_s=pace.first_retry_s, cap_s=pace.longest_retry_s)
        self._changed = threading.Condition()  # guards all below, and `_waiting`
        self._alarms: deque[str] = deque(maxlen=REMEMBERED)  # tags
        self._urgent_came = False
        self._stopping = False
        self._fault = ""  # of the last attempt
        self._losing = False
        self._lost_before = 0  # when it was last well
        self._thread = threading.Thread(target=self._run, name=f"notify:{self.name}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def tell(self, notice: Notice) -> None:
        """Takes a notice if this receiver wants it; never blocks, never raises."""
        with self._changed:
            if not self._wants(notice):
                return
            if self._stopping:
                self._waiting.refuse()
                return
            self._waiting.put(notice, time.monotonic())
            self._urgent_came |= notice.urgent
            self._changed.notify()

    def counts(self) -> Counts:
        """Where every notice went."""
        with self._changed:
            return self._waiting.counts

    def end(self) -> None:
        """Takes nothing more; what waits is tried once more, without a pause."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, timeout_s: float) -> None:
        """Waits for the thread after `end`; says what is given up."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        counts = self.counts()
        if never := counts.waiting + counts.dropped:
            log.warning("notify.channels.%s: %d of %d notices were never told", self.name, never, counts.told)

    def _wants(self, notice: Notice) -> bool:
        audience = self._audience
        if audience.rooms is not None and notice.source and not audience.rooms & notice.rooms:
            return False
        if notice.closes and notice.tag in self._alarms:
            return True
        wanted = notice.severity >= audience.severity or notice.kind == "test"
        if wanted and notice.urgent and notice.tag not in self._alarms:
            self._alarms.append(notice.tag)
        return wanted

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            fault = self._attempt(entry.notice)
            if fault:
                self._refused(self.name, entry.notice, fault)
            self._settle(entry, fault)
            if not fault:
                self._delivered(self.name, entry.notice)

    def _next(self) -> Entry | None:
        with self._changed:
            while True:
                self._urgent_came = False
                now = time.monotonic()
                entry = self._waiting.take(now, unlimited=self._stopping)
                self._say_losses()
                if entry is not None or self._stopping:
                    return entry
                self._changed.wait(self._waiting.pause_s(now))

    def _attempt(self, notice: Notice) -> str:
        """Returns what went wrong; empty: nothing."""
        try:
            self._sender.send(notice)
        except NotSentError as error:
            return str(error)
        except Exception as error:  # other people's code; a thread that dies of it would be a channel that is silent
            log.exception("notify.channels.%s: a mistake in the program", self.name)
            return type(error).__name__
        return ""

    def _settle(self, entry: Entry, fault: str) -> None:
        with self._changed:
            if not fault:
                self._waiting.delivered()
                self._backoff.reset()
            elif self._stopping:
                self._waiting.given_up()
            else:
                self._waiting.failed(entry)
            self._say_fault(fault)
            if fault and not self._stopping:
                # What is urgent and new does not wait for the end of a pause that another one earned.
                self._changed.wait_for(lambda: self._stopping or self._urgent_came, self._backoff.next_s())

    def _say_fault(self, fault: str) -> None:
        if fault and not self._fault:
            log.warning("notify.channels.%s: cannot be told: %s; trying again", self.name, fault)
        elif self._fault and not fault:
            lost = self._waiting.counts.dropped - self._lost_before
            log.info("notify.channels.%s: can be told again; notices dropped meanwhile: %d", self.name, lost)
        self._fault = fault
        if not fault:
            self._losing, self._lost_before = False, self._waiting.counts.dropped

    def _say_losses(self) -> None:
        if not self._losing and not self._stopping and self._waiting.counts.dropped > self._lost_before:
            self._losing = True
            log.warning("notify.channels.%s: a notice was dropped (too old, or too many); more are counted", self.name)
