"""The line that people paste into a second terminal."""

import shutil
import subprocess
from pathlib import Path

import pytest

from service.mqtt.settings import MqttSettings, TlsSettings
from service.mqtt.subscribe_line import subscribe_line
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber


def test_the_line_to_subscribe_works_in_a_shell() -> None:
    """Quoted, with user, certificates and the password still in its file."""
    settings = MqttSettings.model_construct(  # whether the files are there is asked elsewhere
        host="broker",
        port=8883,
        username="a b",
        password_file=Path("/etc/my password"),
        tls=TlsSettings.model_construct(ca_file=Path("/ca.crt"), cert_file=Path("/c.pem")),
    )
    assert subscribe_line(settings, "home") == (
        "mosquitto_sub -h broker -p 8883 -v -t 'monitord/home/#' -T monitord/home/+/spectrogram"
        " -u 'a b' --cafile /ca.crt --cert /c.pem --key /c.pem"
        " -P \"$(cat '/etc/my password')\""
    )


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="needs mosquitto_sub")
def test_the_line_shows_text_alone(tmp_path: Path) -> None:
    """Pasted into a shell beside a real broker that keeps a state and a picture."""
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as other:
        other.say("monitord/home/room/spectrogram", "\x1b[2J", retain=True)
        other.say("monitord/home/room/status", "online", retain=True)
        line = subscribe_line(MqttSettings(host="127.0.0.1", port=broker.port), "home")
        # The picture was kept first, and comes first.
        until_one = f"{line} -C 1 -W {PATIENCE_S:.0f}"
        shown = subprocess.run(["sh", "-c", until_one], capture_output=True, text=True, check=False).stdout
    assert shown == "monitord/home/room/status online\n"


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1:1883"), ("::1", "[::1]:1883"), ("broker.local", "broker.local:1883")]
)
def test_addresses_are_written_as_one_types_them(host: str, address: str) -> None:
    """An IPv6 address in brackets, for it has colons of its own."""
    assert MqttSettings(host=host).address == address
    assert subscribe_line(MqttSettings(host=host), "home").startswith(f"mosquitto_sub -h {host} -p 1883 ")


def test_with_websockets_it_says_where() -> None:
    """mosquitto_sub speaks none."""
    line = subscribe_line(MqttSettings(host="broker", transport="websockets", path="/ws"), "home")
    assert line.startswith("monitord/home/# at ws://broker:80/ws")
