"""What the environment says of proxies is nothing to the broker in the house."""

import pytest

from service.storage.outbox import Outbox
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import at, client, event, ids, wait_connected

pytestmark = pytest.mark.e2e


def test_no_proxy_is_between_us_and_the_broker(
    broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that does not even answer, in every variable that anybody reads: the broker hears us all the same."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "mqtt_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        assert wait_connected(mqtt).connected
        mqtt.tell(event(1))
        until(lambda: ids(subscriber) == ["1"])
