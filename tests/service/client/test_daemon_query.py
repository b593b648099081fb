"""Asking a running daemon over its broker."""

import time

from service.client.daemon_query import RETAINED_S, query
from service.config import Config
from service.mqtt.settings import MqttSettings
from tests.support.servers.odd_broker import OddBroker, Taken


def test_the_answer_of_a_slow_broker_is_waited_for() -> None:
    """What it kept comes behind its answer, so that silence before that says nothing."""
    answered = False

    def slowly(_: Taken) -> bool:
        nonlocal answered
        time.sleep(2 * RETAINED_S)
        answered = True
        return False

    with OddBroker(hangs_up=slowly) as broker:
        config = Config(mqtt=MqttSettings(host="127.0.0.1", port=broker.port))
        with query(config, {}):
            assert answered
