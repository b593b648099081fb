"""A notifier with one webhook, and what it delivered."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from service.messages.texts import Kind
from service.notify.channel import Audience, Channel
from service.notify.notice import Notice, Severity, severity_of
from service.notify.notifier import Notifier
from service.notify.sending import NotSentError, Sender
from service.notify.waiting import Counts, Pace
from service.notify.webhook import Webhook
from tests.support.patience import PATIENCE_S

QUICK = Pace(first_retry_s=0.01, longest_retry_s=0.02)


def notice(kind: Kind = "started", tag: str = "nursery-1", *, source: str = "nursery", **payload: object) -> Notice:
    return Notice(kind, source, tag, f"Nursery: {kind}", "Since 19:02.", severity_of(kind), 1_790_000_000.0, payload)


def why_not_told(sender: Sender) -> str:
    """Tells a notice; returns why it was not told, empty where it was."""
    try:
        sender.send(notice("test"))
    except NotSentError as error:
        return str(error) or "no word"
    return ""


class House:
    """A notifier with one webhook channel, and what was delivered."""

    def __init__(self, url: str, audience: Audience | None = None, pace: Pace = QUICK) -> None:
        self.delivered: queue.Queue[tuple[str, Notice]] = queue.Queue()
        self.channel = Channel(
            audience or Audience("house", Severity.INFO),
            Webhook(url),
            lambda name, told: self.delivered.put((name, told)),
            pace,
        )
        self.notifier = Notifier([self.channel])

    def next(self) -> tuple[str, str]:
        """Returns channel and kind of the next delivery."""
        name, told = self.delivered.get(timeout=PATIENCE_S)
        return name, told.kind

    @property
    def counts(self) -> Counts:
        """Of the one channel."""
        return self.channel.counts()


@contextmanager
def running(house: House) -> Iterator[House]:
    house.notifier.start()
    try:
        yield house
    finally:
        house.notifier.stop(PATIENCE_S)
