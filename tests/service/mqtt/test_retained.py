"""The retained: newest states for every connection, live messages only while somebody listens."""

from service.messages import node_messages
from service.messages.message import Node
from service.mqtt.retained import LIVE_BOUND, RetainedMessages

NODE = Node("home")


def test_states_are_told_once_a_connection() -> None:
    """The newest of each topic comes once on each connection; an unchanged state is no news."""
    retained = RetainedMessages()
    on, off = (node_messages.source_status(NODE, "room", online=online) for online in (True, False))
    retained.put(on)
    retained.put(off)
    retained.begin()
    assert retained.take() == [off]
    retained.put(off)
    assert retained.take() == []
    retained.end()
    retained.begin()
    assert retained.take() == [off]


def test_live_messages_need_a_listener() -> None:
    """What is told to nobody, or comes faster than it goes, is dropped, the oldest first."""
    retained = RetainedMessages()
    levels = [node_messages.level(NODE, "room", dbfs=-number / 10, floor_dbfs=-60) for number in range(LIVE_BOUND + 2)]
    assert not retained.put(levels[0])
    retained.begin()
    assert all(retained.put(level) for level in levels)
    assert retained.take() == levels[2:]
    retained.put(levels[0])
    retained.end()
    retained.begin()
    assert retained.take() == []
