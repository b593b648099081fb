"""Faults as events: durable, told apart from their end, and stale when nobody could be told in time."""

import json
from typing import get_args

import pytest

from monitord.faults import Fault
from service.messages.fault_messages import fault_event
from service.messages.message import Keep, Node
from service.mqtt.delivery import STALE_S, as_sent

AT = 1_795_374_120.0  # date -u -d 2026-11-22T19:02:00Z +%s


def test_a_fault_and_its_end_wait_for_a_broker() -> None:
    """Both are events of the outbox on a topic of their own, so that no listener to `event` takes them for a cry."""
    fault = fault_event(Node("home"), "nursery", "stalled", message_id="1", ts=AT, since=AT - 9, detail="no bytes")
    end = fault_event(Node("home"), "nursery", "ok", message_id="2", ts=AT + 60, since=AT)
    assert [each.keep for each in (fault, end)] == [Keep.EVENT, Keep.EVENT]
    assert [(each.topic, each.retain, each.qos) for each in (fault, end)] == [
        ("monitord/home/nursery/fault", False, 1)
    ] * 2
    assert json.loads(fault.payload) == {
        "event_type": "fault",
        "id": "1",
        "ts": "2026-11-22T19:02:00.000Z",
        "node": "home",
        "source": "nursery",
        "fault": "stalled",
        "since": "2026-11-22T19:01:51.000Z",
        "severity": "fault",
        "detail": "no bytes",
    }
    assert [json.loads(end.payload)[key] for key in ("event_type", "fault", "severity")] == ["recovered", "ok", "info"]


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_is_of_severity_fault(fault: Fault) -> None:
    """And its end is good to know."""
    told = json.loads(fault_event(Node("home"), "nursery", fault, message_id="1", ts=AT, since=AT).payload)
    expected = ("recovered", "info") if fault == "ok" else ("fault", "fault")
    assert (told["fault"], told["event_type"], told["severity"]) == (fault, *expected)


def test_a_fault_that_waited_is_stale() -> None:
    """Sent after an outage it says so: how the room stands now is said by its `health`."""
    fault = fault_event(Node("home"), "nursery", "flat", message_id="1", ts=AT, since=AT)
    assert "stale" not in json.loads(as_sent(fault, AT + 1).payload)
    assert json.loads(as_sent(fault, AT + STALE_S + 1).payload)["stale"] is True
