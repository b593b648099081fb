"""What Home Assistant's Supervisor tells its apps: which MQTT broker it offers, and where it expects the app's page."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

import requests
from pydantic import BaseModel, Field, ValidationError

ATTEMPTS, PAUSE_S = 6, 5.0
"""How often it is asked, and seconds between: while Home Assistant starts, its answers take half a minute to come."""
ANSWER_S: Final = 10.0
"""Longest wait for an answer (seconds)."""

_log = logging.getLogger(__name__)


class Broker(BaseModel):
    """`GET /services/mqtt`: of what it tells, what is needed."""

    host: Annotated[str, Field(min_length=1)]
    port: int
    ssl: bool = False
    username: str | None = None
    password: str | None = Field(default=None, repr=False)


class _Info(BaseModel):
    """`GET /addons/self/info`, the same."""

    ingress_port: int | None = None


Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The way to it."""

    address: str
    """`http://supervisor`."""
    token: str = field(repr=False)
    """What it knows this app by."""
    wait: Callable[[float], None] = time.sleep
    """Waits so many seconds."""

    def broker(self) -> Broker | None:
        """Returns the broker that Home Assistant offers; None where there is none, or nobody says (logged)."""
        return self._ask("/services/mqtt", Broker)

    def ingress_port(self) -> int | None:
        """Returns the TCP port on which the page is expected; None where there is none, or nobody says so."""
        told = self._ask("/addons/self/info", _Info)
        return None if told is None else told.ingress_port or None

    def _ask(self, path: str, kind: type[Told]) -> Told | None:
        why = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.wait(PAUSE_S)
            try:
                answer = requests.get(
                    self.address + path, headers={"Authorization": f"Bearer {self.token}"}, timeout=ANSWER_S
                )
                if answer.status_code == HTTPStatus.BAD_REQUEST:  # its way to say that nobody provides the service
                    return None
                answer.raise_for_status()
                return kind.model_validate(answer.json()["data"])
            except requests.ConnectionError:
                why = "no connection"
            except requests.RequestException as error:
                why = "no answer" if error.response is None else f"it answers {error.response.status_code}"
            except (ValidationError, LookupError, TypeError):  # nothing of the answer is repeated: it holds a password
                why = "what it answers is not understood"
        _log.error("the Supervisor does not tell %s: %s; restart the app once Home Assistant is up", path, why)
        return None
