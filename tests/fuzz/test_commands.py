"""Any bytes on any topic: a command of the contract or one line in the log, and the thread that reads them lives on."""

import json
import logging

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.messages import commands
from service.messages.commands import EVENT_MAX_BYTES
from service.messages.message import Node

NODE = Node("home")
SOURCES = ("nursery", "attic")

LEVELS = st.sampled_from(
    ["monitord", "home", *SOURCES, "set", "event", "", "+", "#", "restart", *commands._OF_SOURCE]
) | st.text(max_size=5)
TOPICS = st.lists(LEVELS, min_size=1, max_size=6).map("/".join) | st.builds(
    "monitord/home/{}/{}/set".format, st.sampled_from(SOURCES), st.sampled_from(sorted(commands._OF_SOURCE))
)
PAYLOADS = st.one_of(
    st.binary(max_size=120),
    st.text(max_size=60).map(str.encode),
    st.floats().map(lambda x: str(x).encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["event_type", "episode", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(topic=TOPICS, payload=PAYLOADS)
@example(topic="monitord/home/nursery/event", payload=b"[" * 9_000)
@example(topic="monitord/home/nursery/event", payload=b'{"event_type":"test","episode":"\\ud800"}')
@example(topic="monitord/home/nursery/event", payload=b"1" * 9_000)
@example(topic="monitord/home/nursery/snooze/set", payload=b"1e999")
@example(topic="monitord/home/nursery/threshold/set", payload=b"nan")
def test_nothing_raises(topic: str, payload: bytes) -> None:
    """A command is one of the contract, for a room there is."""
    command = commands.parse(NODE, SOURCES, topic, payload)
    assert getattr(command, "source", None) in (*SOURCES, None)


def test_large_payloads_are_not_read() -> None:
    """What is too long for an event or a value is not even parsed."""
    event = b'{"event_type":"test","episode":"e"}'
    padded = event.ljust(EVENT_MAX_BYTES + 1)
    assert commands.parse(NODE, SOURCES, "monitord/home/attic/event", event) is not None
    assert commands.parse(NODE, SOURCES, "monitord/home/attic/event", padded) is None
    assert commands.parse(NODE, SOURCES, "monitord/home/attic/ack/set", b"PRESS".ljust(1_000_000)) is None


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("monitord/home/x\n12:00:00  CRITICAL: forged/set", b"PRESS"),
        ("monitord/home/\x1b[2Jnursery/ack/set", b"PRESS"),
        ("monitord/home/nursery/ack/set", b"x\ny\x1b[2J"),
        ("monitord/home/nursery/threshold/set", "\u202e0.5\n".encode()),
    ],
)
def test_no_line_is_forged(caplog: pytest.LogCaptureFixture, topic: str, payload: bytes) -> None:
    """What strangers choose stands in the log without line ends and colour codes."""
    with caplog.at_level(logging.WARNING):
        assert commands.parse(NODE, SOURCES, topic, payload) is None
    (record,) = caplog.records
    assert record.getMessage().isprintable()
