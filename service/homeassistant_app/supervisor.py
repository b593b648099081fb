"""What Home Assistant's Supervisor tells its apps: which MQTT broker it offers, and where it expects the app's page."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final, Self, TypeVar

import requests
from pydantic import BaseModel, Field, ValidationError, model_validator

from service.mqtt.settings import MqttSettings

ATTEMPTS, PAUSE_S = 6, 5.0
"""How often it is asked in vain, and seconds between: while Home Assistant starts, its answers take half a minute to
come. No room is heard meanwhile."""
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

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        MqttSettings(host=self.host, port=self.port)
        self.username = self.username or None
        self.password = (self.password or None) if self.username else None  # MQTT 3.1.1, 3.1.2.9: none without a user
        return self


class _Info(BaseModel):
    """`GET /addons/self/info`, the same."""

    ingress_port: int | None = None


Told = TypeVar("Told", bound=BaseModel)


@dataclass(slots=True)
class Supervisor:
    """The way to it."""

    address: str
    """`http://supervisor`."""
    token: str = field(repr=False)
    """What it knows this app by."""
    wait: Callable[[float], None] = time.sleep
    """Waits so many seconds."""
    _left: int = field(default=ATTEMPTS, init=False)
    """Attempts that may still be in vain, of all questions together; each is asked once, whatever came before."""

    def broker(self) -> Broker | None:
        """Returns the broker that Home Assistant offers; None where there is none, or nobody says (logged)."""
        return self._ask("/services/mqtt", Broker)

    def ingress_port(self) -> int | None:
        """Returns the TCP port on which the page is expected; None where there is none, or nobody says so."""
        told = self._ask("/addons/self/info", _Info)
        return None if told is None else told.ingress_port or None

    def _ask(self, path: str, kind: type[Told]) -> Told | None:
        why = ""
        while True:
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
            except (requests.JSONDecodeError, ValidationError, LookupError, TypeError):
                why = "what it answers is not understood"  # nothing of it is repeated: it holds a password
            except requests.RequestException as error:
                why = "no answer" if error.response is None else f"it answers {error.response.status_code}"
            self._left -= 1
            if self._left <= 0:
                break
            self.wait(PAUSE_S)
        _log.error("the Supervisor does not tell %s: %s; restart the app once Home Assistant is up", path, why)
        return None
