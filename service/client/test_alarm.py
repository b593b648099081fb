"""`monitord test-alarm`: a cry laid over what each microphone hears, followed to the phones, from another terminal."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError
from service.alerts.test_alarm import PATIENCE_S
from service.client.status import Told, json_of, listening, sources_of
from service.config import Config, load_config
from service.messages.commands import PRESS

ANSWER_S: Final = 5.0
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
        ConfigError: No broker answers, or there is no such room.
    """
    config = Config() if config_path is None else load_config(config_path)
    told: Told = {}
    with listening(config, told) as client:
        rooms = sources_of(told) if config_path is None else sorted(config.sources)
        if source is not None and source not in rooms:
            raise ConfigError(f"no room {source!r}; there are {', '.join(rooms) or 'none'}")
        asked = rooms if source is None else [source]
        tests = {room: _Test(room, told) for room in asked}
        client.publish(f"monitord/{config.node}/{'' if source is None else f'{source}/'}test_alarm/set", PRESS, qos=1)

        def wait(seconds: float, done: Callable[[_Test], bool]) -> bool:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not all(done(test) for test in tests.values()):
                client.loop(0.1)
                for test in tests.values():
                    test.show()
            return all(done(test) for test in tests.values())

        if not asked or not wait(ANSWER_S, lambda test: test.state is not None):
            print("no answer: is the daemon running, and on this broker? (monitord status)")
            return 1
        wait(PATIENCE_S + ANSWER_S, lambda test: test.state in ("proven", "failed"))
        proven = all(test.state == "proven" for test in tests.values())
        if proven and wait_s > 0:
            print(f"waiting {wait_s:g} s for phones to answer; Ctrl-C ends it", flush=True)
            wait(wait_s, lambda _: False)
    return 0 if proven else 1


class _Test:
    """One room's test, as it is told."""

    def __init__(self, room: str, told: Told) -> None:
        self._room, self._told = room, told
        self._before = self._proof().get("test")
        self._shown: set[str] = set()

    @property
    def state(self) -> str | None:
        """`running`, `proven` or `failed`; None while the daemon has not begun."""
        proof = self._proof()
        return None if proof.get("test") == self._before else proof.get("state")

    def show(self) -> None:
        """Prints what is new."""
        if self.state is None:
            return
        # A push service may be faster than the broker's echo: a new line is not always the last one.
        for line in proof_lines(self._proof()):
            if line not in self._shown:
                print(f"{self._room}: {line}", flush=True)
                self._shown.add(line)

    def _proof(self) -> dict[str, Any]:
        return json_of(self._told.get(f"{self._room}/proof"))


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
