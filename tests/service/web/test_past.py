"""What was, asked of the real server: nights, and clips."""

import time

from service.messages.commands import Command, Restart
from service.messages.corrections import Correct
from service.messages.fault_messages import fault_event
from service.messages.message import Keep, Message, Node, iso_utc, json_message
from service.storage.history_file import UNRECORDED
from service.web.opening import kept_by
from service.web.roles import Role
from tests.support.web.served_page import ServedPage

Tokens = dict[Role | None, str | None]

NODE = Node("home")
NOW = round(time.time())
EPISODE = "nursery-20261129T210000Z-1"


def episode(**values: object) -> Message:
    """As the daemon tells one of five minutes, an hour ago."""
    told = {"episode": EPISODE, "since": iso_utc(NOW - 3600), "ended": iso_utc(NOW - 3300), "p_cry": 0.9}
    told |= {"reason": "hunger", "rooms": ["nursery", "attic"], **values}
    return json_message(NODE, f"{NODE.root}/nursery/episode", told, Keep.LATEST)


def test_a_night_is_what_was_told(page: ServedPage, tokens: Tokens) -> None:
    """Episodes, gaps and sums of each room; what lies outside of the span is not there."""
    page.server.tell(episode(told_up_to=0.71, loudness_db=31.5))
    page.server.tell(fault_event(NODE, "attic", "stalled", message_id="1", ts=NOW - 100.0, since=NOW - 107.0))
    answer = page.ask("GET", f"/api/night?from={NOW - 7200}&to={NOW}", token=tokens[Role.GUEST])
    assert answer.status == 200
    assert answer.values["gaps"].pop(0)["why"] == UNRECORDED  # the history began a moment ago
    assert answer.values == {
        "episodes": [
            {
                "id": EPISODE,
                "room": "nursery",
                "rooms": ["nursery", "attic"],
                "since": NOW - 3600,
                "until": NOW - 3300,
                "p_cry": 0.9,
                "distress": None,
                "reason": "hunger",
                "answered": None,
                "answered_by": None,
                "told_up_to": 0.71,
                "loudness_db": 31.5,
                "clip": False,
                "picture": False,
            }
        ],
        "gaps": [{"room": "attic", "why": "stalled", "since": NOW - 107, "until": None}],
        "corrections": [],
        "cried": {"nursery": {"episodes": 1, "minutes": 5.0}, "attic": {"episodes": 0, "minutes": 0.0}},
        "fault": "",
    }
    asked = page.ask("GET", f"/api/night?from={NOW - 7200}&to={NOW}&room=nursery", token=tokens[Role.GUEST])
    assert asked.values["cried"] == {"nursery": {"episodes": 1, "minutes": 5.0}}
    assert "stalled" not in {gap["why"] for gap in asked.values["gaps"]}
    earlier = page.ask("GET", f"/api/night?from={NOW - 9000}&to={NOW - 7200}", token=tokens[Role.GUEST]).values
    assert (earlier["episodes"], [gap["why"] for gap in earlier["gaps"]]) == ([], [UNRECORDED])
    assert earlier["cried"]["nursery"] == {"episodes": 0, "minutes": 0.0}


def test_what_the_family_says_stands_beside_an_episode(page: ServedPage, tokens: Tokens) -> None:
    """Whichever way a correction comes, it is kept, and handed on to who learns from it; other commands pass."""
    page.server.tell(episode())
    handed_on: list[Command] = []
    take = kept_by(page.past, handed_on.append)
    given = [Correct("nursery", EPISODE, was="cat"), Correct("nursery", missed_at=NOW - 1000.0), Restart()]
    for command in given:
        take(command)
    assert handed_on == given
    night = page.ask("GET", f"/api/night?from={NOW - 7200}&to={NOW}", token=tokens[Role.GUEST]).values
    assert night["corrections"] == [
        {"room": "nursery", "episode": EPISODE, "since": NOW - 3600, "was": "cat", "reason": None},
        {"room": "nursery", "episode": None, "since": NOW - 1000, "was": "cry", "reason": None},
    ]
    assert kept_by(None, handed_on.append) == handed_on.append


def test_a_span_that_is_none_is_refused(page: ServedPage, tokens: Tokens) -> None:
    """No numbers, backwards, and longer than a week of changed clocks."""
    for query in ("", "?from=1", "?from=a&to=b", "?from=nan&to=nan", "?from=2&to=1", f"?from=0&to={9 * 86_400}"):
        assert page.ask("GET", f"/api/night{query}", token=tokens[Role.GUEST]).status == 400, query


def test_a_clip_is_played_in_parts_and_deleted_by_a_parent(page: ServedPage, tokens: Tokens) -> None:
    """A night says that there is one; a guest hears it and may not delete it."""
    assert page.past.clips is not None
    page.past.clips.add(EPISODE, b"0123456789", b"picture")
    page.server.tell(episode())
    night = page.ask("GET", f"/api/night?from={NOW - 7200}&to={NOW}", token=tokens[Role.GUEST]).values
    assert [(one["clip"], one["picture"]) for one in night["episodes"]] == [(True, True)]
    path = f"/api/clips/{EPISODE}"
    answer = page.ask("GET", path, token=tokens[Role.GUEST], headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.values, answer.headers["Content-Type"]) == (206, "234", "audio/webm")
    picture = page.ask("GET", f"{path}/picture", token=tokens[Role.GUEST])
    assert (picture.status, picture.values, picture.headers["Content-Type"]) == (200, "picture", "image/png")
    assert page.ask("DELETE", path, token=tokens[Role.GUEST]).status == 403
    assert page.ask("DELETE", path, token=tokens[Role.PARENT]).status == 200
    assert page.ask("DELETE", path, token=tokens[Role.PARENT]).status == 404
    for gone in (path, f"{path}/picture"):
        assert page.ask("GET", gone, token=tokens[Role.GUEST]).status == 404
    assert page.ask("GET", "/api/clips/..%2Fdevices", token=tokens[Role.OWNER]).status == 404
