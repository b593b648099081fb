"""What the family asks on the page: the same commands as over MQTT."""

from service.messages.commands import Acknowledge, Snooze
from service.web.roles import Role
from tests.support.web.served_page import ServedPage

Tokens = dict[Role | None, str | None]
UNKNOWN = "?"
"""Name of a device whose browser says nothing of itself, as the client of these tests."""


def test_an_answer_says_on_which_device_it_was_given(page: ServedPage, tokens: Tokens) -> None:
    """By the name that the device was paired under, whatever the request says; other commands need none."""
    before = len(page.commands)
    for body in (
        {"room": "nursery", "command": "ack", "value": "PRESS", "by": "somebody else"},
        {"room": "nursery", "command": "snooze", "value": "10"},
    ):
        assert page.ask("POST", "/api/command", token=tokens[Role.PARENT], body=body).status == 202
    assert page.commands[before:] == [Acknowledge("nursery", None, by=UNKNOWN), Snooze("nursery", 10)]
