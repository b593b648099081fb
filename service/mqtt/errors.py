"""Why there is no connection to the broker, in words for a person, and what the next attempt should know."""

import socket
import ssl
from typing import Final, Literal

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from service.mqtt.settings import MqttSettings
from service.settings.hosts import unknown_name

FIRST_REFUSAL: Final = 128
"""MQTT reason codes from here on are refusals (MQTT 5, 2.4)."""

_WILL: Final = {
    154: "a last will that is retained",  # Retain not supported
    155: "a last will of QoS 1",  # QoS not supported
}
"""What of CONNECT a broker may be unable to do, and we can live without."""

_NOT_FOR_US: Final = {
    144: "the topic monitord/... of the last will",  # Topic name invalid
    149: "so large a CONNECT",  # Packet too large
    153: "the payload of the last will",  # Payload format invalid
    157: "everybody: it has moved",  # Server moved
}
"""What no user and no password changes."""

_REFUSED: Final = {
    133: "the client id",  # Client identifier not valid
    134: "the user or the password",  # Bad user name or password
    135: "this user",  # Not authorized: mosquitto's answer to a wrong password
    138: "this client",  # Banned
    140: "the way of authentication",  # Bad authentication method
}
_WRONG_VERSION: Final = 132
_NO_RETAIN: Final = 154

EndKind = Literal["unreachable", "refused", "wrong_version", "unanswered", "lost", "mute", "no_retain", "no_qos"]


class ConnectionOverError(Exception):
    """The connection did not come about, or is over.

    Attributes:
        kind: `refused`: the broker, or our check of its certificate, said no, and only a person can change that.
            `wrong_version`: it does not speak this version of MQTT. `unanswered`: it hung up without an answer, as
            some old brokers do on a version they do not know. `lost`: it was there. `mute`: it lets us in and
            acknowledges nothing. `no_retain`, `no_qos`: it cannot do what the last will asks for.
        idle: Whether nothing of ours was unanswered at the end.
    """

    def __init__(self, kind: EndKind, detail: str, *, idle: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.idle = idle


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
        return ConnectionOverError("unreachable", f"{where}: mqtt.host: {unknown_name(settings.host)} ({error})")
    if isinstance(error, WebsocketConnectionError):
        detail = f"{where}: what answers there takes no MQTT over WebSockets; check mqtt.port and mqtt.path"
        return ConnectionOverError("unreachable", f"{detail} ({settings.path})")
    keys = "mqtt.host and mqtt.port" if settings.tls is None else "mqtt.host, mqtt.port and mqtt.tls"
    return ConnectionOverError("unreachable", f"{where}: no broker to be reached ({error}); check {keys}")


def from_answer(connack: ReasonCode, settings: MqttSettings) -> ConnectionOverError | None:
    """What the broker's answer to CONNECT means; None is a yes."""
    code, where = connack.value, settings.where
    if code < FIRST_REFUSAL:
        return None
    if code == _WRONG_VERSION:
        return ConnectionOverError("wrong_version", f"{where}: the broker does not speak this version of MQTT")
    if code in _WILL:
        kind: EndKind = "no_retain" if code == _NO_RETAIN else "no_qos"
        return ConnectionOverError(kind, f"{where}: the broker refuses {_WILL[code]} ({connack})")
    if code in _NOT_FOR_US:
        detail = f"{where}: the broker refuses {_NOT_FOR_US[code]} ({connack}); waiting will not help: change that"
        return ConnectionOverError("refused", f"{detail} there, or set mqtt.host to another one")
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
