"""`monitord correct` and `monitord adapt`: the family's word to a running daemon, and what comes of it."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError
from service.client.daemon_query import NoBrokerError, Question, Told, query
from service.client.status import json_of, sources_of
from service.config import Config, load_config
from service.messages.commands import PRESS, UNDO
from service.messages.corrections import parse_correction
from service.settings.command import command

ANSWER_S: Final = 30.0
"""Longest wait for the daemon to learn (seconds): a second on a small machine, some more for a hundred corrections."""


def give_correction(config_path: Path | None, source: str | None, said: Mapping[str, str]) -> int:
    """Gives the family's word on a sound, and prints what is learnt from it.

    Args:
        config_path: None: the private broker of a start without a configuration.
        source: Id of the room; None: the only one.
        said: Any of `episode`, `was`, `reason`, `missed_at`, as `parse_correction` reads them; `missed_at` also as a
            time of day, which is the last one that it was.

    Returns:
        0 where it was kept, else 1.

    Raises:
        ConfigError: The broker refuses us, there is no such room, or no daemon would understand it.
    """
    if "missed_at" in said:
        said = {**said, "missed_at": last_time(said["missed_at"], datetime.now().astimezone())}
    value = json.dumps(dict(said), ensure_ascii=False)

    def say(question: Question, told: Told, rooms: list[str]) -> None:
        room = source or (rooms[0] if len(rooms) == 1 else None)
        if room not in rooms:
            raise ConfigError(f"no room {source!r}; there are {', '.join(rooms) or 'none'}" if source else _WHICH)
        try:
            parse_correction(room, value)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        del told
        question.say(f"{room}/correct/set", value)

    return _ask(config_path, say, lambda found: "nothing learnt" not in str(found.get("detail")))


def ask_adaptation(config_path: Path | None, *, show: bool, undo: bool) -> int:
    """Asks to learn from all corrections now, to undo them, or only what has been learnt; prints it.

    Returns:
        0 where the daemon answered, else 1.

    Raises:
        ConfigError: The broker refuses us.
    """

    def say(question: Question, told: Told, rooms: list[str]) -> None:
        del told, rooms
        question.say("adapt/set", UNDO if undo else PRESS)

    return _ask(config_path, None if show else say, lambda _: True)


_WHICH: Final = "there are several rooms: say which with --source"


def _ask(
    config_path: Path | None,
    say: Callable[[Question, Told, list[str]], None] | None,
    well: Callable[[Mapping[str, Any]], bool],
) -> int:
    config = Config() if config_path is None else load_config(config_path)
    told: Told = {}
    try:
        with query(config, told) as question:
            before = _adaptation(told).get("at")
            if say is not None:
                say(question, told, sources_of(told) if config_path is None else sorted(config.sources))
            until = time.monotonic() + (0.0 if say is None else ANSWER_S)
            while _adaptation(told).get("at") == before and time.monotonic() < until:
                question.listen(0.1)
    except NoBrokerError as error:
        print(f"monitord: {error}", file=sys.stderr)
        return 1
    found = _adaptation(told)
    if not found or (say is not None and found.get("at") == before):
        print(f"no answer: is the daemon running, and on this broker? ({command('status')})")
        return 1
    print(_in_words(found))
    return 0 if well(found) else 1


def _adaptation(told: Told) -> dict[str, Any]:
    found = json_of(told.get("info")).get("adaptation")
    return found if isinstance(found, dict) else {}


def _in_words(found: Mapping[str, Any]) -> str:
    at = f", {datetime.fromisoformat(found['at']).astimezone():%d %b %H:%M}" if found.get("at") else ""
    state = "in force" if found.get("in_force") else "nothing in force"
    detail = f": {found['detail']}" if found.get("detail") else ""
    return f"{state}; corrections: {found.get('corrections', 0)}{at}{detail}"


def last_time(text: str, now: datetime) -> str:
    """Returns a time with its zone: as it was given, or the last one at which a clock showed it."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.astimezone()).isoformat()
    except ValueError:
        pass
    try:
        of_day = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - of each day
    except ValueError:
        raise ConfigError(f"--missed-at: {text!r} is neither a time of day, 02:13, nor a date and time") from None
    today = datetime.combine(now.date(), of_day).astimezone()
    return (today if today <= now else today - timedelta(days=1)).isoformat()
