"""Documents of the state directory that a hand or a disk has spoilt: the next run begins all the same."""

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.classifier import Classifier
from service.config import Config
from service.homeassistant.discovery import discover
from service.homeassistant.house import House as Family
from service.homeassistant.house import Room
from service.homeassistant.settings import HomeAssistantConfig
from service.messages.message import Node
from service.storage.documents import DocumentStore
from tests.support.daemon.household_daemon import QUIET, House

SINCE = 1_795_360_320.0
"""2026-11-22T18:32 UTC."""
AT = "2026-11-22T18:32:00.000Z"
EPISODE = "nursery-20261122T183200Z-1"
OPEN = {
    "id": EPISODE,
    "teller": "nursery",
    "since": SINCE,
    "acknowledged": False,
    "rooms": {"nursery": {"peak_db": 30.0, "crying": True}},
}
PROOF = {"state": "proven", "test": "t", "started": AT, "proven": AT, "heard_ms": 9, "published_ms": 9, "receivers": {}}
RIGHT: dict[str, dict[str, Any]] = {
    "episodes": {"episodes": [OPEN], "at": SINCE},
    "today": {"rooms": {"nursery": [[SINCE, SINCE + 60.0], [SINCE, None]]}},
    "settings": {"nursery": {"enabled": True, "profile": "day", "thresholds": {"day": 0.5}, "snoozed_until": SINCE}},
    "proofs": {"nursery": {**PROOF, "detail": ""}},
    "announced": {
        "homeassistant/device/monitord_home_nursery/config": {
            "components": {"gone": "number"},
            "retained": ["monitord/home/nursery/status"],
        }
    },
}
"""As the daemon writes them. Any: values of JSON."""
ROOMS = Family(Node("home"), "1", (Room("nursery", "Nursery", "Microphone"),))

WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
"""Any JSON, and what Python reads as JSON beside it: NaN, infinities, half a character, numbers beyond all bounds."""


def spoilt(right: Any) -> st.SearchStrategy[Any]:
    """Draws a document like this one in which anything, keys apart from it, may be something else."""
    if isinstance(right, dict):
        like = st.fixed_dictionaries({}, optional={key: spoilt(value) for key, value in right.items()})
        return st.one_of(
            like, like, like, st.builds(dict.__or__, like, st.dictionaries(st.text(max_size=9), WRONG)), WRONG
        )
    if isinstance(right, list):
        return st.one_of(st.tuples(*map(spoilt, right)).map(list), WRONG)
    return st.one_of(st.just(right), WRONG)


def begin(classifier: Classifier, folder: Path) -> House:
    """The next run, up to its first round with a daily test that is due."""
    discovery = discover(ROOMS, HomeAssistantConfig(), DocumentStore(folder))
    now = dt.datetime.now().astimezone().time().replace(second=0, microsecond=0)
    house = House(
        classifier, folder, ("nursery",), config=Config.model_validate({"test_alarm": {"daily_at": f"{now:%H:%M}"}})
    )
    house.reporter.begin()
    house.hear(QUIET)
    for message in (*discovery.devices, *discovery.swept, *house.messages):
        assert not set("#+") & set(message.topic)
        if isinstance(message.payload, str):
            message.payload.encode()
            if message.payload.startswith("{"):
                json.loads(message.payload, parse_constant=pytest.fail)
    assert all(topic.endswith("/config") and not set("#+") & set(topic) for topic in discovery.gone)
    return house


def test_what_the_daemon_writes_is_right(classifier: Classifier, tmp_path: Path) -> None:
    """Nothing of it is set aside: the open episode ends, and the room keeps its settings."""
    for name, document in RIGHT.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    house = begin(classifier, tmp_path)
    assert house.events("nursery")[0] == "ended"
    assert house.last("nursery/settings")["threshold"] == 0.5
    assert list(tmp_path.glob("*.broken-*")) == []


@settings(max_examples=30)
@given(st.fixed_dictionaries({name: spoilt(document) for name, document in RIGHT.items()}))
@example({"episodes": {"episodes": [OPEN], "at": None}})
@example({"episodes": {"episodes": [{**OPEN, "since": 1e300}]}})
@example({"settings": {"nursery": {"snoozed_until": float("inf")}}})
@example({"proofs": {"nursery": {**PROOF, "started": "yesterday"}}})
@example({"proofs": {"nursery": {**PROOF, "started": "2026-11-22T18:32:00"}}})
@example({"today": {"rooms": {"nursery": [[float("nan"), None]]}}})
@example({"announced": {"#": {"components": {}, "retained": ["#"]}}})
def test_a_spoilt_document_does_not_stop_the_monitor(classifier: Classifier, documents: dict[str, Any]) -> None:
    """Whatever the values are, the real parts begin, hear, and tell nothing that is no message."""
    with tempfile.TemporaryDirectory() as folder:
        for name, document in documents.items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(document))
        begin(classifier, Path(folder))
        assert not [path for path in Path(folder).glob("*.json") if not isinstance(json.loads(path.read_text()), dict)]
