"""Ten quiet minutes of a room, asked for on the page: what it sounds like, what helps, and what would change then.

What was found is kept until the next time. To put a proposal in force is a command, as over MQTT.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from monitord.quiet_minutes import WHOLE_S, QuietMinutes, propose
from service.capture.inbox import Tap
from service.messages.message import Keep, Message, Node, iso_utc, json_message
from service.storage.documents import DocumentStore
from service.storage.history import History
from service.web.access import RefusedError
from service.web.past.lately import DAYS, lately
from service.web.sound.ear import Ear

DOCUMENT: Final = "room_checks"
"""Name in the store."""
TELL_S: Final = 5.0
"""Seconds between two words on how far it is."""
PATIENCE_S: Final = WHOLE_S + 120.0
"""Seconds after which it ends with what was heard: a room that is not heard in between takes longer."""


class CheckRequest(BaseModel):
    """Body of `POST /api/check`."""

    model_config = ConfigDict(extra="forbid")

    room: str
    begin: StrictBool
    """False ends one that runs."""


class RoomChecks:
    """Used by the web thread alone.

    Args:
        node: Who speaks.
        taps: By room.
        history: Knows the cries of the last days.
        store: Keeps the results.
        tell: Takes `<room>/check` for the page; the broker is not told.
    """

    def __init__(
        self,
        node: Node,
        taps: Mapping[str, Tap],
        history: History,
        store: DocumentStore,
        tell: Callable[[Message], None],
    ) -> None:
        self._node, self._taps, self._history, self._store, self._tell = node, taps, history, store, tell
        self._settings: dict[str, tuple[float, float]] = {}  # by room: gain (decibels) and threshold in force
        self._running: dict[str, asyncio.Task[None]] = {}
        self._minutes: dict[str, QuietMinutes] = {}  # by room that is checked
        self._kept: dict[str, Any] = store.entries(DOCUMENT, _read)  # Any: values of JSON
        for room, kept in self._kept.items():
            self._say(room, {"state": "done", **kept})

    async def ask(self, request: web.Request) -> web.Response:
        """`POST /api/check` with `{"room": "nursery", "begin": true}`, or false to end one that runs."""
        try:
            asked = CheckRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, 'give {"room": ..., "begin": true}') from None
        if asked.room not in self._taps:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"there is no room {asked.room!r}")
        if asked.begin:
            self.begin(asked.room)
        else:
            self.cancel(asked.room)
        return web.json_response({}, status=HTTPStatus.ACCEPTED)

    def hear_of(self, message: Message) -> None:
        """Takes what the broker is told, from any thread: a room's level says how near it is to an alarm."""
        room, _, topic = message.topic.removeprefix(f"{self._node.root}/").partition("/")
        values, minutes = message.content, self._minutes.get(room)
        if not isinstance(values, Mapping):
            return
        if topic == "settings":
            self._settings[room] = _number(values["gain_db"]), _number(values["threshold"])
        elif topic == "level" and minutes is not None:
            quiet_from = values["quiet_from"]
            minutes.judged(
                _number(values["evidence"]) / _number(values["on"]), None if quiet_from is None else _number(quiet_from)
            )

    def begin(self, room: str) -> None:
        """Begins, or begins anew."""
        self.cancel(room)
        self._running[room] = asyncio.create_task(self._listen(room, self._taps[room]), name=f"check:{room}")

    def cancel(self, room: str) -> None:
        """Ends one that runs; what was found the last time stands."""
        if task := self._running.pop(room, None):
            task.cancel()
            self._minutes.pop(room, None)
            self._say(room, {"state": "done", **self._kept[room]} if room in self._kept else {"state": "never"})

    async def _listen(self, room: str, tap: Tap) -> None:
        minutes = self._minutes[room] = QuietMinutes()
        lost, until = 0, time.monotonic() + PATIENCE_S
        with Ear(tap) as ear:
            while not minutes.done and time.monotonic() < until:
                self._say(room, {"state": "running", "heard_s": minutes.heard_s, "whole_s": WHOLE_S})
                pause = time.monotonic() + TELL_S
                while not minutes.done and (rest := pause - time.monotonic()) > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(ear.wait(), rest)
                    minutes.feed(ear.take())
                    if ear.lost > lost:
                        minutes.lose(ear.lost - lost)
                        lost = ear.lost
        del self._running[room], self._minutes[room]
        found, now, (gain_db, threshold) = minutes.result(), time.time(), self._settings[room]
        proposal = propose(found, gain_db=gain_db, threshold=threshold)
        span = await asyncio.to_thread(self._history.between, now - DAYS * 86_400.0, now, room)
        proposed = {**asdict(proposal), **lately(span, room, proposal.threshold)}
        self._kept[room] = {"at": iso_utc(now), **asdict(found), "proposal": proposed}
        self._store.save(DOCUMENT, self._kept)
        self._say(room, {"state": "done", **self._kept[room]})

    def _say(self, room: str, values: Mapping[str, object]) -> None:
        self._tell(json_message(self._node, f"{self._node.root}/{room}/check", values, Keep.LATEST))


def _number(value: object) -> float:
    """Returns a number as messages hold it."""
    assert isinstance(value, int | float)
    return float(value)


def _read(_: str, kept: object) -> Any:  # noqa: ANN401 - values of JSON, shown as they are
    if not isinstance(kept, dict) or not isinstance(kept.get("advice"), list):
        raise ValueError("no result of a check")  # noqa: TRY004 - the document is wrong, not the caller
    return kept
