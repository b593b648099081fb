"""How another terminal watches what is told."""

import shlex

from service.mqtt.settings import MqttSettings


def subscribe_line(broker: MqttSettings, node: str) -> str:
    """Returns the command with which a second terminal sees all that is text; a password stays in its file.

    With WebSockets, which mosquitto_sub does not speak, it says where another program finds the same.
    """
    topics = f"monitord/{node}/#"
    if broker.transport == "websockets":
        return f"{topics} at {broker.url}, with any MQTT client that speaks WebSockets"
    words = ["mosquitto_sub", "-h", broker.host, "-p", str(broker.port), "-v", "-t", topics]
    words += ["-T", f"monitord/{node}/+/spectrogram"]  # a picture is no text: it upsets a terminal
    if broker.username is not None:
        words += ["-u", broker.username]
    if broker.tls is not None:
        ca_file = broker.tls.ca_file
        words += ["--capath", "/etc/ssl/certs"] if ca_file is None else ["--cafile", str(ca_file)]
        if broker.tls.cert_file is not None:
            words += ["--cert", str(broker.tls.cert_file), "--key", str(broker.tls.key_file or broker.tls.cert_file)]
    line = shlex.join(words)
    if broker.password_file is not None:
        line += f' -P "$(cat {shlex.quote(str(broker.password_file))})"'
    return line
