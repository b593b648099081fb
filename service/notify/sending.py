"""What a channel needs to know of the way that a notice takes."""

from http import HTTPStatus
from typing import Final, Protocol

from service.notify.notice import Notice

CONNECT_S: Final = 4.0
"""Seconds for a connection: a service that is there answers in a fraction of one."""
READ_S: Final = 10.0
"""Seconds for an answer: some services answer only when they have passed it on. A second attempt tells it twice."""


class NotSentError(Exception):
    """The service did not take it; says why in a few words, without any part of its address."""


class Sender(Protocol):
    """One way out of the house."""

    def send(self, notice: Notice) -> None:
        """Hands over one notice; blocks for a few seconds at most for each step on the network.

        Raises:
            NotSentError: It was not taken, as far as can be seen.
        """


def status_words(code: int) -> str:
    """Says a status of HTTP: `it answers 403 Forbidden`."""
    try:
        return f"it answers {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"it answers {code}"
