"""The latency that only the sender knows."""

import json

import pytest

from service.messages.message import Keep, Message
from service.mqtt.delivery import STALE_S, as_sent

TS = "2026-11-22T19:02:00.000Z"
AT = 1_795_374_120.0  # date -u -d 2026-11-22T19:02:00Z +%s


def event(content: dict[str, object] | str | bytes, topic: str = "monitord/home/nursery/event") -> Message:
    return Message(topic, content, retain=False, qos=1, keep=Keep.EVENT)


def test_an_event_is_as_sent() -> None:
    """The time from the event's last sample to now is added in milliseconds; all else stays as it was."""
    before = event({"id": "1", "ts": TS, "text": {"title": "Kinderzimmer: weint"}})
    after = as_sent(before, AT + 0.0124)
    assert json.loads(after.payload) == {**json.loads(before.payload), "latency_publish_ms": 12}
    assert " " not in str(after.payload).replace("Kinderzimmer: weint", "")
    assert (after.topic, after.keep, after.qos, after.retain) == (before.topic, before.keep, before.qos, before.retain)


def test_each_sending_is_stamped_anew() -> None:
    """Sent again after an outage, an event says how late it is by then; a clock that was put back says 0."""
    once = as_sent(event({"ts": TS}), AT + 1)
    assert json.loads(as_sent(once, AT + 60).payload)["latency_publish_ms"] == 60_000
    assert json.loads(as_sent(once, AT - 60).payload)["latency_publish_ms"] == 0


@pytest.mark.parametrize("content", ["17", "", "[]", "{", {}, {"ts": None}, {"ts": "soon"}, b"\xff\x00"])
def test_what_is_no_event_goes_as_it_is(content: dict[str, object] | str | bytes) -> None:
    """What is no event of ours is told unchanged."""
    assert as_sent(event(content), AT) == event(content)


def test_only_events_are_as_sent() -> None:
    """Another topic is left alone."""
    segment = event({"ts": TS}, "monitord/home/nursery/segment")
    assert as_sent(segment, AT) is segment


def test_what_is_old_alerts_nobody() -> None:
    """Past a minute an event says that it is stale, and that no phone should ring; up to then it rings."""
    cry = event({"id": "1", "ts": TS, "episode": "nursery-1", "alert": True})
    fresh, old = (json.loads(as_sent(cry, AT + late_s).payload) for late_s in (STALE_S, STALE_S + 0.1))
    assert (fresh["alert"], "stale" in fresh) == (True, False)
    assert (old["alert"], old["stale"]) == (False, True)


def test_a_cry_that_goes_on_is_no_old_news() -> None:
    """However late it is told: an episode that is open, and that nobody has answered, alerts."""
    cry = event({"id": "1", "ts": TS, "episode": "nursery-1", "alert": True})
    for unanswered, alerts in (({"nursery-1", "attic-7"}, True), ({"nursery-2"}, False), (frozenset(), False)):
        told = json.loads(as_sent(cry, AT + 600, unanswered).payload)
        assert (told["alert"], told.get("stale", False)) == (alerts, not alerts)
