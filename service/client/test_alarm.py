"""`monitord test-alarm`: a cry laid over what each microphone hears, followed to the phones, from another terminal."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError
from service.alerts.test_alarm import PATIENCE_S
from service.client.daemon_query import NoBrokerError, Told, query
from service.client.status import json_of, sources_of
from service.config import Config, load_config
from service.messages.commands import PRESS
from service.settings.command import command

ANSWER_S: Final = 15.0
"""Longest wait for the daemon to begin (seconds)."""


def press_test_alarm(config_path: Path | None, source: str | None, wait_s: float) -> int:
    """Asks for a test alarm and shows how it gets to each receiver.

    Args:
        config_path: None: the private broker of a start without a configuration.
        source: Id of the room; None: all.
        wait_s: How long phones have to answer after the alarm was told (seconds).

    Returns:
        0 where it is proven for every room asked for, else 1.

    Raises:
        ConfigError: The broker refuses us, or there is no such room.
    """
    config = Config() if config_path is None else load_config(config_path)
    try:
        return _press(config, sorted(config.sources) if config_path is not None else None, source, wait_s)
    except NoBrokerError as error:
        print(f"monitord: {error}", file=sys.stderr)
        return 1


def _press(config: Config, configured: Sequence[str] | None, source: str | None, wait_s: float) -> int:
    told: Told = {}
    with query(config, told) as question:
        rooms = sources_of(told) if configured is None else configured
        if source is not None and source not in rooms:
            raise ConfigError(f"no room {source!r}; there are {', '.join(rooms) or 'none'}")
        asked = rooms if source is None else [source]
        tests = {room: _Test(room, told) for room in asked}
        question.say(f"{'' if source is None else f'{source}/'}test_alarm/set", PRESS)

        def wait(seconds: float, done: Callable[[_Test], bool]) -> bool:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not all(done(test) for test in tests.values()):
                question.listen(0.1)
                for test in tests.values():
                    test.show()
            return all(done(test) for test in tests.values())

        if not asked or not wait(ANSWER_S, lambda test: test.state is not None):
            print(f"no answer: is the daemon running, and on this broker? ({command('status')})")
            return 1
        wait(PATIENCE_S + ANSWER_S, lambda test: test.state in ("proven", "failed"))
        proven = all(test.state == "proven" for test in tests.values())
        if proven:
            _wait_for_phones(config, list(tests.values()), wait_s, wait)
    return 0 if proven else 1


def _wait_for_phones(
    config: Config, tests: "Sequence[_Test]", wait_s: float, wait: "Callable[[float, Callable[[_Test], bool]], bool]"
) -> None:
    """Waits only where somebody can answer, and says in the end whose phone did not."""
    channels = config.notify.channels
    # Phones of Home Assistant answer by themselves; a private broker serves this machine alone, and nobody else.
    others = not config.mqtt.embedded
    if not channels:
        print(f"no phone is configured (notify.channels){'; those of Home Assistant may answer' if others else ''}")

    def missing(test: "_Test") -> list[str]:
        wanted = [name for name, one in channels.items() if one.rooms is None or test.room in one.rooms]
        return [name for name in wanted if name not in test.receivers]

    if (channels or others) and wait_s > 0:
        print(f"waiting {wait_s:g} s for phones to answer; Ctrl-C ends it", flush=True)
        wait(wait_s, lambda test: not others and not missing(test))
    for test in tests:
        if late := [name for name in missing(test) if name not in test.not_told]:  # why the others have it not is said
            print(f"{test.room}: NO ANSWER from {', '.join(late)}")
        elif not test.receivers:
            print(f"{test.room}: proven as far as the broker; no phone has it")


class _Test:
    """One room's test, as it is told."""

    def __init__(self, room: str, told: Told) -> None:
        self.room, self._told = room, told
        self._before = self._proof().get("test")
        self._shown: set[str] = set()

    @property
    def state(self) -> str | None:
        """`running`, `proven` or `failed`; None while the daemon has not begun."""
        proof = self._proof()
        return None if proof.get("test") == self._before else proof.get("state")

    @property
    def receivers(self) -> set[str]:
        """Who has it so far."""
        return set(self._proof().get("receivers", {}))

    @property
    def not_told(self) -> set[str]:
        """Which channels could not hand it over so far."""
        return set(self._proof().get("not_told", {}))

    def show(self) -> None:
        """Prints what is new."""
        if self.state is None:
            return
        # A push service may be faster than the broker's echo: a new line is not always the last one.
        for line in proof_lines(self._proof()):
            if line not in self._shown:
                print(f"{self.room}: {line}", flush=True)
                self._shown.add(line)

    def _proof(self) -> dict[str, Any]:
        return json_of(self._told.get(f"{self.room}/proof"))


def proof_lines(proof: dict[str, Any]) -> Sequence[str]:
    """Says how far a test has come, one line for each step; steps are only ever added."""
    lines = []
    if proof.get("heard_ms") is not None:
        lines.append(f"the network heard the cry after {_seconds(proof['heard_ms'])}")
    if proof.get("published_ms") is not None:
        lines.append(f"the broker passed it on after {_seconds(proof['published_ms'])}")
    if proof.get("state") == "failed":
        lines.append(f"FAILED: {proof.get('detail')}")
    lines += [f"{receiver} has it after {_seconds(ms)}" for receiver, ms in proof.get("receivers", {}).items()]
    lines += [f"{receiver} CANNOT BE TOLD: {why}" for receiver, why in proof.get("not_told", {}).items()]
    return lines


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.2f} s"
