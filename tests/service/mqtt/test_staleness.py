"""The latency that only the sender knows."""

import json

import pytest

from service.messages import cry_messages
from service.messages.message import Keep, Message, Node
from service.mqtt.staleness import STALE_S, stamped, unanswered

TS = "2026-11-22T19:02:00.000Z"
AT = 1_795_374_120.0  # date -u -d 2026-11-22T19:02:00Z +%s


def event(payload: str | bytes, topic: str = "monitord/home/nursery/event") -> Message:
    return Message(topic, payload, retain=False, qos=1, keep=Keep.EVENT)


def test_an_event_is_stamped() -> None:
    """The time from the event's last sample to now is added in milliseconds; all else stays as it was."""
    before = event(json.dumps({"id": "1", "ts": TS, "text": {"title": "Kinderzimmer: weint"}}))
    after = stamped(before, AT + 0.0124)
    assert json.loads(after.payload) == {**json.loads(before.payload), "latency_publish_ms": 12}
    assert " " not in str(after.payload).replace("Kinderzimmer: weint", "")
    assert (after.topic, after.keep, after.qos, after.retain) == (before.topic, before.keep, before.qos, before.retain)


def test_each_sending_is_stamped_anew() -> None:
    """Sent again after an outage, an event says how late it is by then; a clock that was put back says 0."""
    once = stamped(event(json.dumps({"ts": TS})), AT + 1)
    assert json.loads(stamped(once, AT + 60).payload)["latency_publish_ms"] == 60_000
    assert json.loads(stamped(once, AT - 60).payload)["latency_publish_ms"] == 0


@pytest.mark.parametrize("payload", ["17", "", "[]", "{", "{}", '{"ts": null}', '{"ts": "soon"}', b"\xff\x00"])
def test_what_is_no_event_goes_as_it_is(payload: str | bytes) -> None:
    """A payload that is no event of ours is told unchanged."""
    assert stamped(event(payload), AT) == event(payload)


def test_only_events_are_stamped() -> None:
    """Another topic is left alone."""
    segment = event(json.dumps({"ts": TS}), "monitord/home/nursery/segment")
    assert stamped(segment, AT) is segment


def test_what_is_old_alerts_nobody() -> None:
    """Past a minute an event says that it is stale, and that no phone should ring; up to then it rings."""
    cry = event(json.dumps({"id": "1", "ts": TS, "episode": "nursery-1", "alert": True}))
    fresh, old = (json.loads(stamped(cry, AT + late_s).payload) for late_s in (STALE_S, STALE_S + 0.1))
    assert (fresh["alert"], "stale" in fresh) == (True, False)
    assert (old["alert"], old["stale"]) == (False, True)


def test_a_cry_that_goes_on_is_no_old_news() -> None:
    """However late it is told: an episode that is open, and that nobody has answered, alerts."""
    cry = event(json.dumps({"id": "1", "ts": TS, "episode": "nursery-1", "alert": True}))
    for crying, acknowledged, episode, alerts in (
        (True, False, "nursery-1", True),
        (True, True, "nursery-1", False),
        (True, False, "nursery-2", False),
        (False, False, None, False),
    ):
        state = cry_messages.state(
            Node("home"), "nursery", crying=crying, episode=episode, acknowledged=acknowledged, since=AT
        )
        told = json.loads(stamped(cry, AT + 600, unanswered([state])).payload)
        assert (told["alert"], told.get("stale", False)) == (alerts, not alerts)
