"""Commands over MQTT: what is understood, and that nothing malformed comes through or raises."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.messages import commands
from service.messages.commands import (
    BROKER,
    Acknowledge,
    Adapt,
    Command,
    Received,
    Restart,
    SetEnabled,
    SetProfile,
    SetThreshold,
    Snooze,
    TestAlarm,
    UndoAdaptation,
)
from service.messages.corrections import Correct
from service.messages.message import Node
from service.messages.tuning import Tune, UndoTuning

NODE = Node("home")
SOURCES = ("nursery", "bedroom")


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("test_alarm/set", "PRESS", TestAlarm(None)),
        ("bedroom/test_alarm/set", "PRESS", TestAlarm("bedroom")),
        (
            "bedroom/received/set",
            "bedroom-20261122T151200Z-0 phone_1",
            Received("bedroom", "bedroom-20261122T151200Z-0", "phone_1"),
        ),
        ("bedroom/event", '{"event_type":"test","episode":"e"}', Received("bedroom", "e", BROKER)),
        ("restart/set", "PRESS", Restart()),
        ("nursery/enabled/set", "ON", SetEnabled("nursery", enabled=True)),
        ("nursery/enabled/set", "off", SetEnabled("nursery", enabled=False)),
        ("bedroom/threshold/set", " 0.55\n", SetThreshold("bedroom", 0.55)),
        ("nursery/test_alarm/set", "24", TestAlarm("nursery", 24.0)),
        ("nursery/tuning/set", '{"gain_db": 12}', Tune("nursery", 12)),
        ("nursery/tuning/set", '{"threshold": 0.7, "gain_db": 0}', Tune("nursery", 0, 0.7)),
        ("nursery/tuning/set", "UNDO", UndoTuning("nursery")),
        ("nursery/profile/set", "night", SetProfile("nursery", "night")),
        ("nursery/ack/set", "PRESS", Acknowledge("nursery", None)),
        ("nursery/ack/set", "nursery-20261122T151200Z-3", Acknowledge("nursery", "nursery-20261122T151200Z-3")),
        (
            "nursery/ack/set",
            "nursery-20261122T151200Z-3 Anna  Müller ",
            Acknowledge("nursery", "nursery-20261122T151200Z-3", "Anna  Müller"),
        ),
        (
            "nursery/ack/set",
            "nursery-20261122T151200Z-3 \x1b[31mB\nen" + "n" * 80,
            Acknowledge("nursery", "nursery-20261122T151200Z-3", "[31mBen" + "n" * 57),  # somebody goes, all the same
        ),
        ("nursery/snooze/set", "15", Snooze("nursery", 15)),
        ("nursery/snooze/set", "15.0", Snooze("nursery", 15)),  # Home Assistant's numbers look so
        ("nursery/snooze/set", "0", Snooze("nursery", 0)),
        ("nursery/correct/set", '{"was": "cat"}', Correct("nursery", was="cat")),
        (
            "nursery/correct/set",
            '{"episode": "nursery-20261122T151200Z-3", "was": "die Katze"}',
            Correct("nursery", "nursery-20261122T151200Z-3", was="die Katze"),
        ),
        ("nursery/correct/set", '{"was": "cry"}', Correct("nursery")),
        ("nursery/correct/set", '{"reason": "hunger"}', Correct("nursery", reason="hunger")),
        (
            "nursery/correct/set",
            '{"missed_at": "2026-11-22T16:12:00+01:00"}',
            Correct("nursery", missed_at=1_795_360_320.0),
        ),
        ("adapt/set", "PRESS", Adapt()),
        ("adapt/set", "UNDO", UndoAdaptation()),
    ],
)
def test_understood(topic: str, payload: str, command: Command) -> None:
    """Every row of the contract becomes its command."""
    assert commands.parse(NODE, SOURCES, f"monitord/home/{topic}", payload.encode()) == command


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("monitord/home/restart/set", b""),
        ("monitord/home/restart/set", b"press"),
        ("monitord/home/adapt/set", b"undo"),
        ("monitord/home/correct/set", b'{"was": "cat"}'),
        ("monitord/home/nursery/correct/set", b"cat"),
        ("monitord/home/nursery/correct/set", b'["cat"]'),
        ("monitord/home/nursery/correct/set", b"{}"),
        ("monitord/home/nursery/correct/set", b'{"was": 3}'),
        ("monitord/home/nursery/correct/set", b'{"was": ""}'),
        ("monitord/home/nursery/correct/set", b'{"was": "a\\u001b[31m"}'),
        ("monitord/home/nursery/correct/set", b'{"was": "cat", "why": "hungry"}'),
        ("monitord/home/nursery/correct/set", b'{"episode": "nursery-1", "was": "cat"}'),
        ("monitord/home/nursery/correct/set", b'{"was": "cat", "reason": "hunger"}'),
        ("monitord/home/nursery/correct/set", b'{"reason": "loneliness"}'),
        ("monitord/home/nursery/correct/set", b'{"missed_at": "2026-11-22T16:12:00"}'),
        ("monitord/home/nursery/correct/set", b'{"missed_at": "2026-11-22T16:12:00Z", "was": "cat"}'),
        ("monitord/home/reboot/set", b"PRESS"),
        ("monitord/other/restart/set", b"PRESS"),
        ("monitord/home/cellar/enabled/set", b"ON"),
        ("monitord/home/nursery/enabled/set", b"maybe"),
        ("monitord/home/nursery/threshold/set", b"1"),
        ("monitord/home/nursery/threshold/set", b"nan"),
        ("monitord/home/nursery/test_alarm/set", b"61"),
        ("monitord/home/nursery/test_alarm/set", b"nan"),
        ("monitord/home/nursery/tuning/set", b"PRESS"),
        ("monitord/home/nursery/tuning/set", b"{}"),
        ("monitord/home/nursery/tuning/set", b"12"),
        ("monitord/home/nursery/tuning/set", b'{"gain_db": 31}'),
        ("monitord/home/nursery/tuning/set", b'{"gain_db": NaN}'),
        ("monitord/home/nursery/tuning/set", b'{"gain_db": true}'),
        ("monitord/home/nursery/tuning/set", b'{"threshold": 1}'),
        ("monitord/home/nursery/tuning/set", b'{"threshold": 0.5, "more": 1}'),
        ("monitord/home/nursery/threshold/set", b"loud"),
        ("monitord/home/nursery/profile/set", b"../night"),
        ("monitord/home/nursery/ack/set", b"all"),
        ("monitord/home/nursery/ack/set", b"PRESS Anna"),
        ("monitord/home/nursery/snooze/set", b"-1"),
        ("monitord/home/nursery/snooze/set", b"721"),
        ("monitord/home/nursery/snooze/set", b"inf"),
        ("monitord/home/nursery/snooze/set", b"1.5"),
        ("monitord/home/nursery/volume/set", b"1"),
        ("monitord/home/nursery/enabled/set", b"\xff\xfe"),
        ("monitord/home/nursery/profile/set", b"x" * 301),
    ],
)
def test_refused_with_one_log_line(topic: str, payload: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is not understood does nothing and leaves one line that names the topic."""
    with caplog.at_level(logging.WARNING):
        assert commands.parse(NODE, SOURCES, topic, payload) is None
    assert [topic in record.getMessage() for record in caplog.records] == [True]


@given(
    st.sampled_from(["test_alarm", "restart", "nursery/threshold", "nursery/snooze", "nursery/ack", "x", "", "a/b/c"]),
    st.binary(max_size=120),
)
def test_never_raises(name: str, payload: bytes) -> None:
    """Whatever bytes somebody publishes, hearing goes on."""
    commands.parse(NODE, SOURCES, f"monitord/home/{name}/set", payload)
