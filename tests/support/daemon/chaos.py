"""Kills the daemon and its broker at random instants while rooms cry, and says what became of all that was told."""

import contextlib
import json
import math
import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitord.types import RATE_HZ
from tests.support.daemon.daemon import Daemon, Json, configure, looped, quiet_room, room, short_cry
from tests.support.daemon.invariants import Told
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.sound.sounds import silence, write_wav

ROOMS = tuple(f"room{number}" for number in range(1, 11))
"""So many that never stop crying: a segment each 0.15 s, so that few instants are idle."""
START_S = 1.5
"""A kill of the start comes within this (seconds): the daemon needs about one to be ready."""
LIFE_S = 2.0
"""A kill while it hears comes within this of the first line (seconds)."""
BROKER_CALM_S, BROKER_AWAY_S = 3.0, 1.5
"""Longest time (seconds) between two ends of the broker, and that it is away or stands still."""


@dataclass
class Verdict:
    """What became of all that was told."""

    kills: int = 0
    """Ends of the daemon by kill -9."""
    stops: int = 0
    """Ends of the daemon by SIGTERM."""
    broker_ends: int = 0
    """Kills, stops and stand-stills of the broker."""
    printed: int = 0
    """Lines that carry an id."""
    arrived: int = 0
    """Ids that the subscriber got; more than `printed`, for a kill may come between the disk and the print."""
    doubles: int = 0
    """Messages that came again."""
    episodes: int = 0
    """That were told to have started."""
    faults: list[str] = field(default_factory=list)
    """What must never be; empty where every promise was kept."""

    def __add__(self, other: "Verdict") -> "Verdict":
        """Sums two runs."""
        return Verdict(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


class Chaos:
    """One daemon with its own broker and a subscriber that is always there.

    Args:
        folder: Empty; for state, sounds and logs.
        seed: Of all that is left to chance.
        say: Gets a line of progress.
        leave_s: Longest clean stop, whatever the broker does (seconds); without it, as long as the machine needs.
    """

    def __init__(
        self, folder: Path, seed: int, say: Callable[[str], None] = lambda _: None, leave_s: float = math.inf
    ) -> None:
        self._folder, self._say, self._leave_s = folder, say, leave_s
        self._chance = random.Random(seed)
        self._broker = Mosquitto(folder / "broker")
        self._over = threading.Event()
        self._lines: list[Json] = []
        self._verdict = Verdict()

    def run(self, kills: int) -> Verdict:
        """Ends the daemon so many times, lets the last one finish, and compares what was printed with what came."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._crying_config()
        with self._broker, Subscriber(self._broker, topic="monitord/#") as subscriber:
            tormentor = threading.Thread(target=self._torment, args=(random.Random(self._chance.random()),))
            tormentor.start()
            try:
                for number in range(kills):
                    self._life(config)
                    self._say(
                        f"{number + 1} of {kills} lives, {len(self._lines)} lines, {len(subscriber.heard)} messages"
                    )
            finally:
                self._over.set()
                tormentor.join()
            self._finish()
            told = Told(subscriber)
            with contextlib.suppress(AssertionError):  # what is missing then, the verdict says
                until(lambda: not told.missing(self._lines))
            return self._judge(told)

    def _crying_config(self) -> Path:
        cry = room(*[short_cry(), silence(0.4)] * 4)
        for number, name in enumerate(ROOMS):
            write_wav(self._folder / f"{name}.wav", np.roll(cry, round(number * 0.61 * RATE_HZ)))
        sources = {name: looped(self._folder / f"{name}.wav") for name in ROOMS}
        return configure(self._folder, self._broker, sources)

    def _life(self, config: Path) -> None:
        chance = self._chance
        with Daemon(self._folder, "--config", config) as daemon:
            if chance.random() < 0.3:
                self._over.wait(chance.uniform(0.0, START_S))
            else:
                daemon.wait_for(lambda: bool(daemon.printed), "the first line")
                self._over.wait(chance.uniform(0.0, LIFE_S))
            how = chance.random()
            if how < 0.15 and daemon.printed:  # before the first line it may not have its signal handlers yet
                self._verdict.stops += 1
                code, took_s = daemon.stop()
                if code != 0 or took_s > self._leave_s:
                    self._verdict.faults.append(f"a clean stop ended with {code} after {took_s:.1f} s")
            else:
                if how > 0.85:  # in the middle of its goodbye
                    os.kill(daemon.pid, signal.SIGTERM)
                    self._over.wait(chance.uniform(0.0, 0.5))
                daemon.kill()
                self._verdict.kills += 1
            if "Traceback" in daemon.words:
                self._verdict.faults.append(f"a bug, see {self._folder / 'stderr'}")
        self._lines += [json.loads(line) for line in daemon.printed if line.endswith("}")]

    def _torment(self, chance: random.Random) -> None:
        """Ends the broker again and again; it runs when this returns."""
        broker = self._broker
        while not self._over.wait(chance.uniform(0.2, BROKER_CALM_S)):
            how, away_s = chance.choice(("kill", "terminate", "hang")), chance.uniform(0.0, BROKER_AWAY_S)
            self._verdict.broker_ends += 1
            if how == "hang":
                os.kill(broker.pid, signal.SIGSTOP)
                self._over.wait(away_s)
                os.kill(broker.pid, signal.SIGCONT)
            else:
                (broker.kill if how == "kill" else broker.terminate)()
                self._over.wait(away_s)
                broker.start()

    def _finish(self) -> None:
        """A last, quiet life ends what is open and sends what waits."""
        quiet = str(quiet_room(self._folder / "quiet.wav", 3.0))
        config = configure(self._folder, self._broker, {name: {"file": quiet} for name in ROOMS})
        with Daemon(self._folder, "--config", config) as daemon:
            code = daemon.ends()
            if code != 0:
                self._verdict.faults.append(f"the last life ended with {code}")
        self._lines += daemon.lines

    def _judge(self, told: Told) -> Verdict:
        verdict = self._verdict
        verdict.faults += told.broken(self._lines)
        verdict.printed, verdict.arrived, verdict.doubles = len(self._lines), len(told.ids), told.doubles
        verdict.episodes = len(told.episodes("started"))
        return verdict
