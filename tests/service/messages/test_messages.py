"""Messages and lines against the contract's table: topics, keys, retain, QoS; every function, found by reflection."""

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitord.household import Episode, Heard
from monitord.tally import Tally
from monitord.types import CryEvent, Scores, Segment
from service.messages import cry_messages, json_lines, node_messages
from service.messages.corrections import Worth, adaptation
from service.messages.cry_messages import Telling
from service.messages.message import Keep, Message, Node
from service.messages.texts import Text

NODE = Node("home")
AT = 1_795_360_320.0
"""2026-11-22T15:12:00Z (Unix seconds)."""
STARTED = CryEvent(3, "nursery", "started", 32_000, 51_200, 0.912345, "none", 0.0)
"""Sound at 2.0 s, decided at 3.2 s."""
REASON = CryEvent(3, "nursery", "reason", 32_000, 80_000, 0.95, "hunger", 0.61, (0.61, 0.2, 0.1, 0.09))
SEGMENT = Segment(
    source="nursery", start=32_000, samples=np.zeros(16_000, np.int16), at=AT + 0.25, ended_by="silence", closed=48_000
)
SCORES = Scores("nursery", 32_000, 0.98765, np.array([0.61, 0.2, 0.1, 0.09], np.float32), 2, "abc", distress=0.66666)
TALLY = Tally(captured=100, lost=10, quiet=40, segmented=45, held=5)
TELLING = Telling(
    "id1",
    ts=AT + 1.2,
    told=AT + 1.25,
    room="Nursery",
    text=Text("Nursery: crying", "Since 16:12."),
    profile="night",
    alert=True,
    unacknowledged_s=0.4,
)
EPISODE = "nursery-20261122T151200Z-3"
IN_NURSERY = Episode(
    EPISODE, "nursery", AT, told_at=0.0, reminded_at=0.0, heard={"nursery": Heard(20.0, distress=0.75, told_up_to=0.71)}
)
IN_BOTH = replace(IN_NURSERY, heard={"bedroom": Heard(10.0), "nursery": Heard(20.0)})


def examples(node: Node) -> dict[str, Message]:
    """One message of every function of `service.messages.messages`, by the function's name."""
    return {
        "node_status": node_messages.node_status(node, online=True),
        "heartbeat": node_messages.heartbeat(node, ts=AT, uptime_s=61.4, sources_ok=1, sources_total=2, lag_ms=80.2),
        "info": node_messages.info(
            node,
            version="0.1.0",
            model="vggish-compact",
            model_sha="ab12",
            metrics={"auc": 0.99},
            adaptation=adaptation(in_force=True, corrections=1, at=AT, detail="heard", worth=Worth(1, 0, 0.001234)),
            fault="the disk is full",
            problems=["disk_full"],
        ),
        "source_status": node_messages.source_status(node, "nursery", online=False),
        "state": cry_messages.state(node, "nursery", AT, IN_NURSERY, REASON),
        "event": cry_messages.event(node, STARTED, IN_BOTH, TELLING, {"going": "I'm going"}),
        "segment": cry_messages.segment(node, SEGMENT, SCORES, message_id="id2", episode=IN_NURSERY, reason="hunger"),
        "episode": cry_messages.episode(node, "nursery", IN_NURSERY, REASON, AT + 90),
        "level": node_messages.level(
            node, "nursery", dbfs=float("-inf"), floor_dbfs=-61.24, evidence=1.234, on=9.0, quiet_from=0.07
        ),
        "health": node_messages.health(
            node, "nursery", fault="ok", tally=TALLY, reconnects=2, last_audio=AT, hears="track 2 of 2 (eng)"
        ),
        "today": cry_messages.today(node, "nursery", {"date": "2026-11-22", "episodes": 3, "crying_min": 4.5}),
        "proof": cry_messages.proof(node, "nursery", {"state": "never"}),
        "spectrogram": cry_messages.spectrogram(node, "nursery", b"\x89PNG"),
        "settings": node_messages.settings(
            node, "nursery", enabled=True, threshold=0.5, profile="day", gain_db=12.0, tuned=True
        ),
    }


_TS = '"2026-11-22T15:12:00.000Z"'
_REASONS = '{"hunger":0.61,"boredom":0.2,"tiredness":0.1,"discomfort":0.09}'
CONTRACT: dict[str, tuple[str, str, bool, int, Keep]] = {
    "node_status": ("status", "online", True, 1, Keep.LATEST),
    "heartbeat": (
        "heartbeat",
        f'{{"ts":{_TS},"uptime_s":61,"sources_ok":1,"sources_total":2,"lag_ms":80}}',
        False,
        1,
        Keep.LIVE,
    ),
    "info": (
        "info",
        (
            '{"version":"0.1.0","model":"vggish-compact","model_sha":"ab12","metrics":{"auc":0.99},'
            f'"adaptation":{{"in_force":true,"corrections":1,"at":{_TS},"detail":"heard","outcome":"","source":"",'
            '"settled":1,"left_out":0,"cries_lost":0.00123},"fault":"the disk is full","problems":["disk_full"]}'
        ),
        True,
        1,
        Keep.LATEST,
    ),
    "source_status": ("nursery/status", "offline", True, 1, Keep.LATEST),
    "state": (
        "nursery/state",
        (
            f'{{"crying":true,"reason":"hunger","reason_p":0.61,"distress":0.75,"since":{_TS},'
            f'"episode":"{EPISODE}","acknowledged":false}}'
        ),
        True,
        1,
        Keep.LATEST,
    ),
    "event": (
        "nursery/event",
        (
            f'{{"event_type":"started","id":"id1","episode":"{EPISODE}","ts":"2026-11-22T15:12:01.200Z","p_cry":0.9123,'
            '"reason":"none","reason_p":0.0,"distress":null,"latency_ms":1250,"latency_end_ms":50,"node":"home","source":"nursery",'
            f'"room":"Nursery","rooms":["nursery","bedroom"],"since":{_TS},"profile":"night","alert":true,"alerted":false,'
            '"unacknowledged_s":0,'
            '"text":{"title":"Nursery: crying","message":"Since 16:12.","going":"I\'m going"}}'
        ),
        False,
        1,
        Keep.ALARM,
    ),
    "segment": (
        "nursery/segment",
        (
            f'{{"id":"id2","episode":"{EPISODE}","ts":"2026-11-22T15:12:00.250Z","duration_s":1.0,"p_cry":0.9877,'
            f'"reason":"hunger","reasons":{_REASONS},"distress":0.6667}}'
        ),
        False,
        1,
        Keep.SEGMENT,
    ),
    "episode": (
        "nursery/episode",
        (
            f'{{"episode":"{EPISODE}","since":{_TS},"ended":"2026-11-22T15:13:30.000Z","duration_s":90.0,"p_cry":0.95,'
            f'"reason":"hunger","reason_p":0.61,"reasons":{_REASONS},"distress":0.75,"rooms":["nursery"],"acknowledged":false,'
            '"answered_by":null,"told_up_to":0.71,"loudness_db":20.0}'
        ),
        True,
        1,
        Keep.LATEST,
    ),
    "level": (
        "nursery/level",
        '{"dbfs":-96.0,"floor":-61.2,"evidence":1.23,"on":9.0,"quiet_from":0.07}',
        False,
        0,
        Keep.LIVE,
    ),
    "health": (
        "nursery/health",
        (
            '{"fault":"ok","lost":10,"captured":100,"quiet":40,"segmented":45,"held":5,"reconnects":2,'
            f'"last_audio":{_TS},"hears":"track 2 of 2 (eng)"}}'
        ),
        True,
        1,
        Keep.LATEST,
    ),
    "settings": (
        "nursery/settings",
        '{"enabled":true,"threshold":0.5,"profile":"day","snoozed_until":null,"gain_db":12.0,"tuned":true}',
        True,
        1,
        Keep.LATEST,
    ),
    "today": ("nursery/today", '{"date":"2026-11-22","episodes":3,"crying_min":4.5}', True, 1, Keep.LATEST),
    "proof": ("nursery/proof", '{"state":"never"}', True, 1, Keep.LATEST),
    "spectrogram": ("nursery/spectrogram", b"\x89PNG", True, 1, Keep.LATEST),
}


def _public_returning(module: Any, kind: object) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(module, inspect.isfunction)
    return {
        name: function
        for name, function in found
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in (kind, str(kind))
    }


def test_every_message_function_is_in_the_contract() -> None:
    """No function that makes a message escapes the golden table below."""
    made = {**_public_returning(node_messages, Message), **_public_returning(cry_messages, Message)}
    assert set(made) == set(CONTRACT) == set(examples(NODE))


@pytest.mark.parametrize("name", CONTRACT)
def test_message_is_byte_for_byte_the_contract(name: str) -> None:
    """Topic, payload, retain, QoS and place in the outbox are what other people's scripts rely on."""
    topic, payload, retain, qos, keep = CONTRACT[name]
    made = examples(NODE)[name]
    told = (made.topic, made.payload, made.retain, made.qos, made.keep)
    assert told == (f"monitord/home/{topic}", payload, retain, qos, keep)


@pytest.mark.parametrize("name", CONTRACT)
def test_demo_is_in_every_json_payload(name: str) -> None:
    """A demo can never be taken for a baby: each payload says so, and nothing else changes."""
    plain, demo = examples(NODE)[name].payload, examples(Node("home", demo=True))[name].payload
    if isinstance(plain, bytes):
        assert plain == demo
    elif plain.startswith("{"):
        assert json.loads(demo) == {**json.loads(plain), "demo": True}
    else:
        assert plain == demo in {"online", "offline"}


def test_only_started_is_an_alarm() -> None:
    """`started` is the last that a full outbox gives up; other events go before it."""
    assert cry_messages.event(NODE, STARTED, IN_BOTH, TELLING, {}).keep is Keep.ALARM
    assert cry_messages.event(NODE, REASON, IN_BOTH, TELLING, {}).keep is Keep.EVENT


def test_a_test_is_marked() -> None:
    """What belongs to a test alarm says so, and nothing else does."""
    event = cry_messages.event(NODE, replace(STARTED, event_type="test"), IN_BOTH, TELLING, {})
    assert json.loads(event.payload)["test"] is True
    assert "test" not in json.loads(cry_messages.event(NODE, STARTED, IN_BOTH, TELLING, {}).payload)


def test_nothing_yet_is_null() -> None:
    """What is not known yet is null, not a made-up time."""
    state = cry_messages.state(NODE, "nursery", None)
    assert json.loads(state.payload) == {
        "crying": False,
        "reason": "none",
        "reason_p": 0.0,
        "distress": None,
        "since": None,
        "episode": None,
        "acknowledged": False,
    }
    health = node_messages.health(NODE, "nursery", fault="stalled", tally=TALLY, reconnects=0, last_audio=None)
    assert json.loads(health.payload)["last_audio"] is None
    going = cry_messages.episode(NODE, "nursery", IN_NURSERY, STARTED)
    assert json.loads(going.payload)["ended"] is None
    assert json.loads(going.payload)["reasons"] == {}


def test_no_payload_carries_nan() -> None:
    """A value that JSON does not have is a bug here, not one in every reader."""
    with pytest.raises(ValueError, match="Out of range"):
        json.loads(node_messages.settings(NODE, "nursery", enabled=True, threshold=float("nan"), profile="day").payload)


def test_episode_id_names_source_time_and_number() -> None:
    """The id of an episode can be read by a person and repeats in no restart."""
    assert cry_messages.episode_id("nursery", AT + 0.9, 3) == EPISODE


def test_every_line_function_is_tested_here() -> None:
    """No function that makes a line of `replay` escapes the tests below."""
    assert set(_public_returning(json_lines, json_lines.Line)) == {
        "replay_segment",
        "replay_event",
        "replay_tally",
        "archive_row",
        "live_line",
    }


def test_replay_segment_line() -> None:
    """A segment's line has the contract's keys in its order; `t_s` is where it begins in the stream."""
    line = json_lines.replay_segment(SEGMENT, SCORES, reason="hunger")
    assert json.dumps(line, separators=(",", ":")) == (
        '{"kind":"segment","source":"nursery","t_s":2.0,"duration_s":1.0,"p_cry":0.9877,"reason":"hunger",'
        f'"reasons":{_REASONS},"distress":0.6667}}'
    )


def test_replay_event_line() -> None:
    """An event's line says when it was decided and when the sound began, in stream time."""
    assert json_lines.replay_event(STARTED) == {
        "kind": "event",
        "event_type": "started",
        "source": "nursery",
        "t_s": 3.2,
        "onset_s": 2.0,
        "episode": 3,
        "p_cry": 0.9123,
        "reason": "none",
        "reason_p": 0.0,
        "distress": None,
        "latency_ms": 1200,
    }


def test_run_lines_carry_the_ids_of_mqtt() -> None:
    """`run --json` prints the same lines with the ids that MQTT carries, and says when it is a demo."""
    replayed = json_lines.replay_event(REASON)
    event = json_lines.live_line(Node("home", demo=True), replayed, "id1", episode=EPISODE, latency_ms=1250)
    assert event == {**replayed, "episode": EPISODE, "latency_ms": 1250, "id": "id1", "demo": True}
    replayed = json_lines.replay_segment(SEGMENT, SCORES, reason="unsure")
    segment = json_lines.live_line(NODE, replayed, "id2", episode=EPISODE)
    assert segment == {**replayed, "episode": EPISODE, "id": "id2"}
    assert json_lines.live_line(NODE, replayed, "id3", episode=None) == {**replayed, "id": "id3"}


def test_replay_tally_line() -> None:
    """The last line accounts for every sample."""
    assert json_lines.replay_tally(TALLY) == {
        "kind": "tally",
        "captured": 100,
        "lost": 10,
        "quiet": 40,
        "segmented": 45,
        "held": 5,
    }


def test_archive_row() -> None:
    """A recording's row counts its episodes and its seconds (100 samples at 16 kHz), and holds what a replay has."""
    started, segment = json_lines.replay_event(STARTED), json_lines.replay_segment(SEGMENT, SCORES, reason="hunger")
    assert json_lines.archive_row("a/b.wav", [started, segment], TALLY, None) == {
        "recording": "a/b.wav",
        "duration_s": 0.006,
        "episodes": 1,
        "error": None,
        "heard": [started, segment],
        "tally": json_lines.replay_tally(TALLY),
    }
