"""No file descriptor left: what cannot be opened is said and tried again; nothing dies of it, and nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until

pytestmark = pytest.mark.e2e

CHILD = """
import json, logging, resource, sys, time
from pathlib import Path
from service.messages.message import Keep, Message, Node
from service.mqtt.client import MqttClient
from service.mqtt.sender import Speaker
from service.mqtt.settings import MqttSettings
from service.storage.outbox import Outbox
from service.storage.state_lock import only_one
from service.storage.documents import DocumentStore

folder, port = Path(sys.argv[1]), int(sys.argv[2])
limits = resource.getrlimit(resource.RLIMIT_NOFILE)


def event(text):
    return Message("monitord/home/room/event", text, retain=False, qos=1, keep=Keep.EVENT)


def wait(condition):
    deadline = time.monotonic() + float(sys.argv[3])
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def say(**values):
    print(json.dumps(values), flush=True)


store = DocumentStore(folder)
settings = MqttSettings(host="127.0.0.1", port=port)
with Outbox(folder / "outbox.db") as outbox, MqttClient(settings, Speaker(Node("home"), [], outbox)) as mqtt:
    wait(lambda: mqtt.status().connected)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, limits[1]))
    say(without=True)
    sys.stdin.readline()  # the broker has gone and is back
    wait(lambda: "open files" in mqtt.status().detail)
    durable = mqtt.tell(event("meanwhile"))
    store.save("settings", {"a": 1})
    late = Outbox(folder / "late.db")
    late.open()
    with only_one(folder):
        pass
    told = late.add(event("late"))
    say(alive=mqtt.alive, durable=durable, outbox=outbox.fault, store=store.fault, late=told)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    wait(lambda: mqtt.status().connected)
    wait(lambda: outbox.waiting == 0)
    for kept in (outbox, store, late):
        kept.retry()
    settings = DocumentStore(folder).load("settings")
    say(faults=[outbox.fault, store.fault, late.fault], late=late.waiting, settings=settings)
    late.close()
"""


def test_nothing_dies_without_file_descriptors(tmp_path: Path) -> None:
    """Outbox, store, lock and the way to the broker: each says so, goes on, and is whole when there are some again."""
    with Mosquitto(tmp_path / "broker") as broker:
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(broker.port), str(PATIENCE_S)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None
            assert child.stdout is not None

            def line() -> dict[str, Any]:
                return json.loads(child.stdout.readline() or "{}")

            assert line() == {"without": True}
            broker.kill()
            broker.start()
            with Subscriber(broker) as subscriber:
                child.stdin.write("\n")
                child.stdin.flush()
                meanwhile, after = line(), line()
                until(lambda: subscriber.payloads("monitord/home/room/event") == ["meanwhile"])
            assert child.wait(PATIENCE_S) == 0
    assert meanwhile["alive"]
    assert meanwhile["durable"] is (meanwhile["outbox"] == "")
    assert (meanwhile["late"], after["late"]) == (False, 1)
    assert "open files" in meanwhile["store"]
    assert after["faults"] == ["", "", ""]
    assert after["settings"] == {"a": 1}
