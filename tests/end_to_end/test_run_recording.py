"""A recording through the whole daemon: what MQTT, a script and a late subscriber are told, from start to end."""

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.daemon.daemon import Daemon, Json, configure, crying_room, quiet_room
from tests.support.servers.mosquitto import Heard, Mosquitto, Subscriber, until

pytestmark = pytest.mark.e2e

EVENT_KEYS = {
    "event_type", "id", "episode", "ts", "p_cry", "reason", "reason_p", "distress", "latency_ms", "latency_end_ms",
    "latency_publish_ms", "node", "source", "room", "rooms", "since", "profile", "alert", "alerted",
    "unacknowledged_s", "text",
}  # fmt: skip
KEYS = {
    "heartbeat": {"ts", "uptime_s", "sources_ok", "sources_total", "lag_ms"},
    "info": {"version", "model", "model_sha", "metrics", "adaptation", "fault", "problems"},
    "nursery/state": {"crying", "reason", "reason_p", "distress", "since", "episode", "acknowledged"},
    "nursery/event": EVENT_KEYS,
    "nursery/segment": {"id", "episode", "ts", "duration_s", "p_cry", "reason", "reasons", "distress"},
    "nursery/episode": {
        "episode", "since", "ended", "duration_s", "p_cry", "reason", "reason_p", "reasons", "distress", "rooms",
        "acknowledged", "answered_by", "told_up_to", "loudness_db",
    },
    "nursery/level": {"dbfs", "floor", "evidence", "on", "quiet_from"},
    "nursery/health": {
        "fault", "lost", "captured", "quiet", "segmented", "held", "reconnects", "last_audio", "hears",
    },
    "nursery/settings": {"enabled", "threshold", "profile", "snoozed_until", "gain_db", "tuned"},
    "nursery/today": {"date", "episodes", "crying_min"},
    "nursery/proof": {
        "state", "test", "started", "proven", "heard_ms", "published_ms", "receivers", "proven_by", "not_told",
        "detail", "why", "over_db",
    },
}  # fmt: skip
"""By topic under the node: the keys of the contract, no more and no less."""
OF_A_ROOM = ("status", "state", "episode", "health", "settings", "today", "proof", "spectrogram")
RETAINED = {"info", "status", *(f"nursery/{name}" for name in OF_A_ROOM)}
"""Topics whose last message a late subscriber gets."""
DISCOVERY = {f"homeassistant/device/monitord_test_home{room}/config" for room in ("", "_nursery", "_attic")}
"""Where Home Assistant looks."""


@dataclass(frozen=True)
class Evening:
    """All that came of one run over two recordings, a cry in the nursery and nothing in the attic."""

    heard: list[Heard]
    """By a subscriber that was there before."""
    late: list[Heard]
    """By one that came after the end."""
    lines: list[Json]
    """On standard output."""
    words: str
    """On standard error."""
    warnings: list[str]
    """Those among them that are no machine's which has other work."""
    code: int
    """Exit status."""
    took_s: float
    """From start to end (seconds)."""

    def payloads(self, topic: str) -> list[Json]:
        """What came on a topic under the node, in order."""
        return [json.loads(heard.payload) for heard in self.heard if heard.topic == f"monitord/test_home/{topic}"]

    def said(self, topic: str) -> list[str]:
        """The bare words that came on a topic under the node."""
        return [heard.payload for heard in self.heard if heard.topic == f"monitord/test_home/{topic}"]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Runs the daemon over both recordings to their end."""
    folder = tmp_path_factory.mktemp("evening")
    sources = {
        "nursery": {"file": str(crying_room(folder / "cry.wav", before_s=2.0))},
        "attic": {"file": str(quiet_room(folder / "quiet.wav")), "name": "Under the roof"},
    }
    with Mosquitto(folder / "broker") as broker, Subscriber(broker) as subscriber:
        configuration = configure(folder, broker, sources, node="test_home")
        with Daemon(folder, "--config", configuration) as daemon:
            began_s = time.monotonic()
            code = daemon.ends()
            took_s = time.monotonic() - began_s
            until(lambda: subscriber.last("monitord/test_home/status") == "offline")
            heard = list(subscriber.heard)
            with Subscriber(broker, "late") as late:
                late.say("fence", "")  # comes behind all that the broker kept
                until(lambda: late.last("fence") is not None)
                kept = [message for message in late.heard if message.topic != "fence"]
            yield Evening(heard, kept, daemon.lines, daemon.words, daemon.warnings, code, took_s)


def test_it_ends_with_its_recordings(evening: Evening) -> None:
    """When every recording is over, the daemon leaves with exit status 0 and without a warning of its own."""
    assert evening.code == 0
    assert evening.warnings == []


def test_events_tell_the_episode(evening: Evening) -> None:
    """The cry is started, gets a reason and is ended, under one episode id that names source and time."""
    events = evening.payloads("nursery/event")
    assert [event["event_type"] for event in events if event["event_type"] != "reason"] == ["started", "ended"]
    assert "reason" in [event["event_type"] for event in events]
    assert len({event["episode"] for event in events}) == 1
    assert events[0]["episode"].startswith("nursery-2")
    assert len({event["id"] for event in events}) == len(events)
    assert {event["source"] for event in events} == {"nursery"}
    assert events[0]["latency_ms"] >= 0
    assert evening.payloads("attic/event") == []


def test_segments_are_told(evening: Evening) -> None:
    """Each cry sound is told with its label; those inside the episode carry its id."""
    segments = evening.payloads("nursery/segment")
    episode = evening.payloads("nursery/event")[0]["episode"]
    assert len(segments) >= 2
    assert {segment["episode"] for segment in segments} <= {None, episode}
    assert segments[-1]["episode"] == episode
    assert evening.payloads("attic/segment") == []


def test_state_goes_to_crying_and_back(evening: Evening) -> None:
    """The state starts quiet, is crying during the episode, and is quiet at the end; the attic never moves."""
    states = [state["crying"] for state in evening.payloads("nursery/state")]
    assert states[0] is False
    assert sorted(states[1:-1]) == [True] * (len(states) - 2) != []
    assert states[-1] is False
    assert [state["crying"] for state in evening.payloads("attic/state")] == [False]


def test_status_goes_online_and_offline(evening: Evening) -> None:
    """Node and sources are online while sound is heard and offline at the end, the node last of all."""
    assert evening.said("status") == ["online", "offline"]
    for source in ("nursery", "attic"):
        said = evening.said(f"{source}/status")
        assert said[said.index("online") :] == ["online", *["offline"] * (len(said) - said.index("online") - 1)]
        assert said[-1] == "offline"
    assert evening.heard[-1].topic == "monitord/test_home/status"


def test_payloads_have_the_keys_of_the_contract(evening: Evening) -> None:
    """Every JSON payload of every topic has exactly the promised keys."""
    for topic, keys in KEYS.items():
        payloads = evening.payloads(topic)
        assert payloads, topic
        for payload in payloads:
            more = {"cause"} if payload.get("event_type") == "ended" else set()
            assert set(payload) == keys | more, topic


def test_nothing_else_is_told(evening: Evening) -> None:
    """All topics are those of the contract, under the configured node and the configured ids."""
    known = {"status", "heartbeat", "info"}
    of_source = {"event", "fault", "segment", "level", *OF_A_ROOM}
    known |= {f"{source}/{name}" for source in ("nursery", "attic") for name in of_source}
    assert {heard.topic for heard in evening.heard} <= {f"monitord/test_home/{name}" for name in known} | DISCOVERY


def test_a_late_subscriber_knows_all(evening: Evening) -> None:
    """What is retained reaches a subscriber that comes later; events, segments, levels and heartbeats do not."""
    late = {heard.topic.removeprefix("monitord/test_home/"): heard.payload for heard in evening.late}
    quiet = {f"attic/{name}" for name in OF_A_ROOM if name not in ("episode", "spectrogram")}
    assert set(late) == RETAINED | quiet | DISCOVERY
    assert all(heard.retain for heard in evening.late)
    assert (late["status"], late["nursery/status"]) == ("offline", "offline")
    assert json.loads(late["nursery/state"])["crying"] is False


def test_qos_is_that_of_the_contract(evening: Evening) -> None:
    """All is sent with QoS 1, levels with 0."""
    for heard in evening.heard:
        assert heard.qos == (0 if heard.topic.endswith("/level") else 1), heard.topic


def test_levels_come_once_a_second(evening: Evening) -> None:
    """At most one level a second is told, none under the floor of the contract."""
    levels = evening.payloads("nursery/level")
    assert 3 <= len(levels) <= evening.took_s + 1
    assert all(-96 <= level["dbfs"] <= 0 for level in levels)


def test_health_accounts_for_every_sample(evening: Evening) -> None:
    """The counts that are told add up."""
    for health in evening.payloads("nursery/health"):
        assert health["captured"] == health["lost"] + health["quiet"] + health["segmented"] + health["held"]
        assert health["fault"] in {"ok", "overload"}  # the second of a machine that has other work


def test_lines_carry_the_ids_of_mqtt(evening: Evening) -> None:
    """Standard output holds the same events and segments as MQTT, in the same order, with the same ids."""
    for kind, topic in (("event", "nursery/event"), ("segment", "nursery/segment")):
        lines = [line for line in evening.lines if line["kind"] == kind]
        told = evening.payloads(topic)
        for key in ("id", "episode", "p_cry", "reason"):
            # A sound before the alarm belongs to no episode, here as there.
            assert [line.get(key) for line in lines] == [payload.get(key) for payload in told]
    assert all("demo" not in line for line in evening.lines)


def test_the_banner_says_how_to_watch(evening: Evening) -> None:
    """The first screen has the line with which a second terminal subscribes, and says what it is not."""
    line = next(line for line in evening.words.splitlines() if "mosquitto_sub" in line)
    assert shlex.split(line)[-4:] == ["-t", "monitord/test_home/#", "-T", "monitord/test_home/+/spectrogram"]
    assert "Not a medical device" in evening.words
    assert "Under the roof" in evening.words
