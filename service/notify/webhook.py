"""A web address of the family's own: every notice is posted there as JSON.

Imported only where a channel has a `webhook`: requests costs 19 MB.
"""

import json

import requests

from service.notify.notice import Notice
from service.notify.sending import CONNECT_S, READ_S, NotSentError, status_words


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
    """Posts JSON; any answer of 200 to 299 is a yes."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, notice: Notice) -> None:
        """Posts one notice; a redirection is a no, for most servers lose the content on the way."""
        try:
            answer = requests.post(
                self._url,
                data=json.dumps(webhook_json(notice), allow_nan=False),
                headers={"Content-Type": "application/json"},
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
            )
        except requests.Timeout as error:
            raise NotSentError("it does not answer in time") from error
        except (requests.RequestException, UnicodeError) as error:
            raise NotSentError("it cannot be reached") from error
        if answer.is_redirect:
            raise NotSentError(f"{status_words(answer.status_code)}: it has moved, write its new address")
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - what HTTP calls successful
            raise NotSentError(status_words(answer.status_code))
