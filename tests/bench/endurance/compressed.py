"""Hours of sound in minutes: the whole daemon, its outbox and a broker, with recordings that wait for the worker."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from monitord.types import RATE_HZ
from tests.bench import sounds
from tests.bench.altered_daemon import AlteredDaemon
from tests.bench.endurance.samples import Samples
from tests.support.daemon.daemon import configure, looped
from tests.support.daemon.invariants import Told
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.sound.sounds import cry_in_room, noise, write_wav

SAMPLE_S = 1.0
"""Between two looks at the process (seconds)."""
PROGRESS_S = 30.0
"""Between two lines of progress (seconds): the daemon tells its counts as often."""
BACKLOG_S = 120.0
"""Longest wait for what the broker has not got yet (seconds), at the end."""


def soak(folder: Path, hours: float, rooms: int, say: Callable[[str], None]) -> list[str]:
    """Lets so many rooms hear so many hours each; prints what grew, returns which promises were broken."""
    folder.mkdir(parents=True)
    names = [f"room{number + 1}" for number in range(rooms)]
    with Mosquitto(folder / "broker") as broker, Subscriber(broker, topic="monitord/#") as subscriber:
        told = Told(subscriber)
        config = configure(folder, broker, _sources(folder, names))
        with AlteredDaemon(folder, config, "fast") as daemon:
            daemon.wait_for(lambda: bool(daemon.printed), "the first line")
            samples, progress_at = Samples(daemon.pid), time.monotonic()
            while (heard_h := _heard_h(told, names)) < hours:
                samples.take()
                time.sleep(SAMPLE_S)
                if time.monotonic() - progress_at > PROGRESS_S:
                    progress_at = time.monotonic()
                    say(f"{heard_h:.1f} of {hours:g} hours in each room, {len(daemon.printed)} lines")
            took_s = time.monotonic() - samples.began
            code, _ = daemon.stop()
        with contextlib.suppress(AssertionError):  # what is missing then is told below
            until(lambda: not told.missing(daemon.lines), BACKLOG_S)
        broken = told.broken(daemon.lines)
        if code != 0 or "Traceback" in daemon.words:
            broken.append(f"it ended with {code}, see {folder / 'stderr'}")
        sys.stdout.write(
            f"{rooms} rooms, {heard_h:.1f} hours each in {took_s / 60:.1f} minutes\n{samples.report()}\n"
            f"{len(daemon.lines)} lines printed, {len(told.missing(daemon.lines))} lost, {told.doubles} doubles,"
            f" {len(told.episodes('started'))} episodes, {len(told.healths)} tallies\n"
        )
    return broken


def _sources(folder: Path, names: list[str]) -> dict[str, object]:
    """A fourth of the rooms cries now and then, a fourth is noisy, the rest is quiet."""
    cries = write_wav(folder / "cries.wav", cry_in_room(20.0, 80.0))
    noisy = write_wav(folder / "noisy.wav", noise(60.0, rms_dbfs=-25.0))
    quiet = write_wav(folder / "quiet.wav", sounds.quiet(60.0))
    kinds = [cries, quiet, noisy, quiet]
    return {name: looped(kinds[number % len(kinds)]) for number, name in enumerate(names)}


def _heard_h(told: Told, names: list[str]) -> float:
    """Hours that every room has heard, by the counts told last."""
    told.read()
    captured = dict.fromkeys(names, 0) | {health["source"]: health["captured"] for health in told.healths}
    return min(captured.values()) / RATE_HZ / 3600.0
