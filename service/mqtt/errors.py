"""Why there is no connection to the broker, in words for a person, and what the next attempt should know."""

import socket
import ssl
from typing import Final, Literal

from paho.mqtt.reasoncodes import ReasonCode

from service.mqtt.settings import MqttSettings
from service.settings.hosts import unknown_name

FIRST_REFUSAL: Final = 128
"""MQTT reason codes from here on are refusals (MQTT 5, 2.4)."""

_REFUSED: Final = {
    133: "the client id",  # Client identifier not valid
    134: "the user or the password",  # Bad user name or password
    135: "this user",  # Not authorized: mosquitto's answer to a wrong password
    138: "this client",  # Banned
    140: "the way of authentication",  # Bad authentication method
}
_WRONG_VERSION: Final = 132

EndKind = Literal["unreachable", "refused", "wrong_version", "unanswered", "lost"]


class ConnectionOverError(Exception):
    """The connection did not come about, or is over.

    Attributes:
        kind: `refused`: the broker, or our check of its certificate, said no, and only a person can change that.
            `wrong_version`: it does not speak this version of MQTT. `unanswered`: it hung up without an answer, as
            some old brokers do on a version they do not know.
    """

    def __init__(self, kind: EndKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def from_connecting(error: OSError | UnicodeError, settings: MqttSettings) -> ConnectionOverError:
    """What went wrong on the way to the broker: name, TCP or TLS."""
    where = settings.where
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        detail = f"{where}: its certificate does not hold ({why}); check mqtt.host and mqtt.tls.ca_file"
        return ConnectionOverError("refused", detail)
    if isinstance(error, ssl.SSLError):
        return ConnectionOverError(
            "unreachable", f"{where}: no TLS there ({error.reason}); check mqtt.port and mqtt.tls"
        )
    if isinstance(error, socket.gaierror | UnicodeError):
        return ConnectionOverError("unreachable", f"{where}: {unknown_name(settings.host)} ({error})")
    keys = "mqtt.host and mqtt.port" if settings.tls is None else "mqtt.host, mqtt.port and mqtt.tls"
    return ConnectionOverError("unreachable", f"{where}: no broker to be reached ({error}); check {keys}")


def from_answer(connack: ReasonCode, settings: MqttSettings) -> ConnectionOverError | None:
    """What the broker's answer to CONNECT means; None is a yes."""
    code, where = connack.value, settings.where
    if code < FIRST_REFUSAL:
        return None
    if code == _WRONG_VERSION:
        return ConnectionOverError("wrong_version", f"{where}: the broker does not speak this version of MQTT")
    if code in _REFUSED:
        user = settings.username
        hint = "set mqtt.username" if user is None else f"user {user!r}: check mqtt.username and mqtt.password_file"
        return ConnectionOverError("refused", f"{where}: the broker refuses {_REFUSED[code]} ({connack}); {hint}")
    return ConnectionOverError("unreachable", f"{where}: the broker cannot serve us now ({connack})")


def unanswered(settings: MqttSettings) -> ConnectionOverError:
    """The broker hung up before it answered."""
    wants = "TLS? mqtt.tls" if settings.tls is None else "a client certificate? mqtt.tls.cert_file"
    return ConnectionOverError(
        "unanswered", f"{settings.where}: closed before the broker answered (does it want {wants})"
    )
