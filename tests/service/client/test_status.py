"""What a person reads who asks from another terminal: status, the last proof, and how a test alarm gets on."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from service.client.status import json_of, proven_words, sources_of, status_lines
from service.client.test_alarm import _Test, proof_lines
from tests.support.time_zone import time_zone

NOON = "2020-11-22T12:00:00.000Z"
NEVER: dict[str, Any] = {
    "state": "never", "test": None, "started": None, "proven": None, "heard_ms": None, "published_ms": None,
    "receivers": {}, "detail": "",
}  # fmt: skip
"""As the daemon tells it of a room that was never tested."""
RUNNING = {**NEVER, "state": "running", "test": "room-20201122T120000Z-0", "started": NOON}
PROVEN = {**RUNNING, "state": "proven", "proven": NOON, "heard_ms": 1_240, "published_ms": 1_310}


@pytest.fixture(autouse=True)
def _in_berlin() -> Iterator[None]:
    """One hour ahead of UTC in winter."""
    with time_zone("CET-1"):
        yield


def proven_at(at: float, **values: object) -> dict[str, Any]:
    return {**PROVEN, "proven": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)), **values}


def test_each_step_of_a_test_is_a_line() -> None:
    """In the order in which they come; none before anything was heard."""
    assert proof_lines(NEVER) == proof_lines(RUNNING) == proof_lines({}) == []
    assert proof_lines({**RUNNING, "heard_ms": 1_240}) == ["the network heard the cry after 1.24 s"]
    assert proof_lines({**PROVEN, "receivers": {"home_assistant": 1_990, "phone_1": 5_200}}) == [
        "the network heard the cry after 1.24 s",
        "the broker passed it on after 1.31 s",
        "home_assistant has it after 1.99 s",
        "phone_1 has it after 5.20 s",
    ]


def test_a_failure_says_why() -> None:
    """In the daemon's words."""
    assert proof_lines({**RUNNING, "state": "failed", "detail": "No sound arrives."}) == ["FAILED: No sound arrives."]


@pytest.mark.parametrize(
    "steps",
    [
        [
            RUNNING,
            {**RUNNING, "heard_ms": 1},
            {**PROVEN, "heard_ms": 1},
            {**PROVEN, "heard_ms": 1, "receivers": {"a": 2}},
        ],
        # A push service that is faster than the broker's echo.
        [RUNNING, {**RUNNING, "heard_ms": 1, "receivers": {"a": 2}}, {**PROVEN, "heard_ms": 1, "receivers": {"a": 2}}],
        # And one that has it although the broker has not.
        [
            {**RUNNING, "heard_ms": 1, "receivers": {"a": 2}},
            {**RUNNING, "heard_ms": 1, "receivers": {"a": 2}, "state": "failed", "detail": "why"},
        ],
    ],
)
def test_every_line_is_shown_once(capsys: pytest.CaptureFixture[str], steps: list[dict[str, Any]]) -> None:
    """Whatever comes first, and however often it is told."""
    told = {"room/proof": json.dumps(NEVER)}
    test = _Test("room", told)
    test.show()
    for step in steps:
        told["room/proof"] = json.dumps(step)
        test.show()
        test.show()
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == sorted(f"room: {line}" for line in proof_lines(steps[-1]))


def test_the_test_before_is_not_taken_for_this_one() -> None:
    """What the broker kept of yesterday proves nothing of today."""
    told = {"room/proof": json.dumps({**PROVEN, "test": "room-20201121T120000Z-0"})}
    test, states = _Test("room", told), []
    for proof in (told["room/proof"], json.dumps(RUNNING), json.dumps(PROVEN)):
        told["room/proof"] = proof
        states.append(test.state)
    assert states == [None, "running", "proven"]
    assert _Test("other", told).state is None


def test_when_it_was_last_proven() -> None:
    """Today by the hour, on another day with the date, in local time; how long it took where the last one did."""
    assert proven_words({}) == proven_words(NEVER) == proven_words(RUNNING) == ""
    now = time.time()
    today = time.strftime("%H:%M", time.localtime(now))
    assert proven_words(proven_at(now)) == f"last proven {today}, 1.3 s"
    assert proven_words(proven_at(now, state="failed", published_ms=None)) == f"last proven {today}"
    long_ago = time.strftime("%d %b %H:%M", time.localtime(now - 2 * 86_400))
    assert proven_words(proven_at(now - 2 * 86_400)) == f"last proven {long_ago}, 1.3 s"
    assert proven_words(PROVEN) == "last proven 22 Nov 13:00, 1.3 s"


def test_a_proof_names_who_proved_it() -> None:
    """A broker alone wakes nobody, and that is said."""
    assert proven_words({**PROVEN, "proven_by": ["broker", "mother", "phone_1"]}).endswith("1.3 s, by mother, phone_1")
    assert proven_words({**PROVEN, "proven_by": ["broker"]}).endswith("1.3 s, as far as the broker, no phone")


def test_a_line_for_each_source() -> None:
    """Heard or not comes first: a room that is not heard is never called quiet."""
    told = {
        "status": "online",
        "nursery/status": "online",
        "nursery/state": '{"crying": true}',
        "nursery/health": '{"fault": "wiring", "hears": "track 2 of 2 (eng), channel 1 of 2"}',
        "bedroom/status": "offline",
        "bedroom/state": '{"crying": false}',
        "bedroom/health": '{"fault": "stalled"}',
        "bedroom/proof": json.dumps(PROVEN),
        "parlour/status": "online",
    }
    assert sources_of(told) == ["bedroom", "nursery", "parlour"]
    assert list(status_lines("home", [*sources_of(told), "loft"], told)) == [
        "home: online",
        "  bedroom: NOT HEARD (stalled); last proven 22 Nov 13:00, 1.3 s",
        "  nursery: CRYING (wiring); hears track 2 of 2 (eng), channel 1 of 2",
        "  parlour: quiet",
        "  loft: NOT HEARD",
    ]


def test_what_is_wrong_with_the_daemon_stands_on_its_line() -> None:
    """As it is told in `info`; nothing where nothing is."""
    told = {"status": "online", "info": json.dumps({"fault": "the broker takes messages of at most 3,000 bytes"})}
    assert list(status_lines("home", [], told)) == ["home: online; the broker takes messages of at most 3,000 bytes"]
    assert list(status_lines("home", [], {"status": "online", "info": '{"fault":""}'})) == ["home: online"]


def test_a_broker_that_knows_nothing() -> None:
    """Says so."""
    assert list(status_lines("home", [], {})) == ["home: never seen by this broker"]


@pytest.mark.parametrize(
    ("payload", "value"), [(None, {}), ("", {}), ("{", {}), ("[1]", {}), ("3", {}), ('{"a": 1}', {"a": 1})]
)
def test_payloads_of_others_are_no_fault(payload: str | None, value: dict[str, Any]) -> None:
    """Anybody may publish anything."""
    assert json_of(payload) == value
