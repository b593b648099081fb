"""The board: newest states for every connection, live messages only while somebody listens."""

from service.messages import messages
from service.messages.messages import Node
from service.mqtt.retained import LIVE_BOUND, Board

NODE = Node("home")


def test_states_are_told_once_a_connection() -> None:
    """The newest of each topic comes once on each connection; an unchanged state is no news."""
    board = Board()
    on, off = (messages.source_status(NODE, "room", online=online) for online in (True, False))
    board.put(on)
    board.put(off)
    board.begin()
    assert board.take() == [off]
    board.put(off)
    assert board.take() == []
    board.end()
    board.begin()
    assert board.take() == [off]


def test_live_messages_need_a_listener() -> None:
    """What is told to nobody, or comes faster than it goes, is dropped, the oldest first, and counted."""
    board = Board()
    levels = [messages.level(NODE, "room", dbfs=-number / 10, floor_dbfs=-60) for number in range(LIVE_BOUND + 2)]
    board.put(levels[0])
    board.begin()
    for level in levels:
        board.put(level)
    assert board.take() == levels[2:]
    board.put(levels[0])
    board.end()
    board.begin()
    assert board.take() == []
    assert board.dropped_live == 1 + 2 + 1
