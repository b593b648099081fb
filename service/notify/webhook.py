"""A web address of the family's own: every notice is posted there as JSON.

Imported only where a channel has a `webhook`: requests costs 19 MB.
"""

import json

import requests

from service.notify.answers import doubt
from service.notify.notice import Notice
from service.notify.sending import CONNECT_S, READ_S, NotSentError
from service.notify.trust import Trust
from service.notify.web import HouseSession, watching


def webhook_json(notice: Notice) -> dict[str, object]:
    """Returns what is posted: the values of the MQTT event, and what a phone would show."""
    return {
        **notice.payload,
        "kind": notice.kind,
        "source": notice.source,
        "title": notice.title,
        "message": notice.message,
        "tag": notice.tag,
        "severity": notice.severity.name.lower(),
    }


class Webhook:
    """Posts JSON; any answer of 200 to 299 is a yes, unless it says itself that it is none."""

    def __init__(self, url: str, trust: Trust | None = None) -> None:
        self._url, self._trust = url, trust or Trust()

    def send(self, notice: Notice) -> None:
        """Posts one notice; a redirection that would lose the content is a no."""
        with watching(self._trust) as way:
            try:
                with HouseSession() as session:
                    session.post(
                        self._url,
                        data=json.dumps(webhook_json(notice), allow_nan=False),
                        headers={"Content-Type": "application/json"},
                        timeout=(CONNECT_S, READ_S),
                    )
            except (requests.RequestException, UnicodeError) as error:
                raise NotSentError(way.faults[-1] if way.faults else "it cannot be reached") from error
        if why := doubt(way.exchanges, (notice.title, notice.message)):
            raise NotSentError(way.faults[-1] if way.faults else why)
