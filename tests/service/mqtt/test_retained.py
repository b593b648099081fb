"""The retained: newest states for every connection, live messages only while somebody listens."""

import functools

from service.messages import cry_messages, node_messages
from service.messages.message import Keep, Message, Node
from service.mqtt.retained import LIVE_BOUND, Rank, RetainedMessages

NODE = Node("home")
RANKS: tuple[Rank, ...] = ("least", "state", "picture")


def take(retained: RetainedMessages) -> list[Message]:
    """All that there is, in the order in which it goes out."""
    taken = []
    for one in (*(functools.partial(retained.take, rank) for rank in RANKS), retained.take_live):
        while message := one():
            taken.append(message)
    return taken


def test_states_are_told_once_a_connection() -> None:
    """The newest of each topic comes once on each connection; an unchanged state is no news."""
    retained = RetainedMessages()
    on, off = (node_messages.source_status(NODE, "room", online=online) for online in (True, False))
    retained.put(on)
    retained.put(off)
    retained.begin()
    assert take(retained) == [off]
    retained.put(off)
    assert take(retained) == []
    retained.end()
    retained.begin()
    assert take(retained) == [off]


def test_live_messages_need_a_listener() -> None:
    """What is told to nobody, or comes faster than it goes, is dropped, the oldest first."""
    retained = RetainedMessages()
    levels = [
        node_messages.level(NODE, "room", dbfs=-number / 10, floor_dbfs=-60, evidence=0.0, on=9.0, quiet_from=0.1)
        for number in range(LIVE_BOUND + 2)
    ]
    retained.put(levels[0])
    retained.begin()
    for level in levels:
        retained.put(level)
    assert take(retained) == levels[2:]
    retained.put(levels[0])
    retained.end()
    retained.begin()
    assert take(retained) == []


def test_what_makes_events_understood_goes_first_and_pictures_last() -> None:
    """Whatever was put up first."""
    retained = RetainedMessages()
    picture = cry_messages.spectrogram(NODE, "room", b"\x89PNG")
    settings = node_messages.settings(NODE, "room", enabled=True, threshold=0.5, profile="day")
    crying = Message("monitord/home/room/state", {"crying": True}, retain=True, qos=1, keep=Keep.LATEST)
    online = node_messages.source_status(NODE, "room", online=True)
    for message in (picture, settings, crying, online):
        retained.put(message)
    retained.begin()
    assert take(retained) == [crying, online, settings, picture]
