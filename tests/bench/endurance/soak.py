"""`tests/bench/soak`: long and hard. Prints what grew, what lagged and what was lost; exit 1 where a promise broke."""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.endurance import compressed
from tests.bench.endurance.house import House, in_background, seen_faults
from tests.bench.endurance.samples import Samples
from tests.support.daemon.chaos import Chaos, Verdict
from tests.support.daemon.daemon import Daemon
from tests.support.daemon.invariants import Told
from tests.support.servers.mosquitto import Subscriber, until

LANES = 2
"""Daemons that are killed side by side: one for each core of a small machine."""
PAUSE_S = 15.0
"""Mean time between two faults (seconds); sources reconnect in up to half of that."""
SAMPLE_S = 5.0
"""Between two looks at the process (seconds)."""
BACKLOG_S = 120.0
"""Longest wait for what the broker has not got yet (seconds), at the end."""
LEAVE_S = 5.0
"""Seconds in which a clean stop must be over."""


def main() -> int:
    """Does what was asked for; returns the exit status."""
    arguments = _parse()
    folder = Path(tempfile.mkdtemp(prefix="monitord-soak-"))
    _say(f"logs in {folder}")
    broken: list[str] = []
    if arguments.kills:
        broken += _kills(folder / "kills", arguments.kills, arguments.seed)
    if arguments.hours:
        broken += compressed.soak(folder / "compressed", arguments.hours, arguments.sources, _say)
    if arguments.minutes:
        broken += _real_time(folder / "real_time", arguments.minutes, arguments.seed)
    for promise in broken:
        sys.stdout.write(f"BROKEN: {promise}\n")
    return 1 if broken else 0


def _kills(folder: Path, kills: int, seed: int) -> list[str]:
    lanes = [Chaos(folder / str(lane), seed + lane, _say, LEAVE_S) for lane in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        verdicts = list(pool.map(lambda lane: lane.run(-(-kills // LANES)), lanes))
    total = sum(verdicts, Verdict())
    sys.stdout.write(
        f"{total.kills} kills and {total.stops} stops of the daemon, {total.broker_ends} ends of the broker:"
        f" {total.printed} lines printed, {total.arrived} ids arrived, {total.doubles} doubles,"
        f" {total.episodes} episodes\n"
    )
    return total.faults


def _real_time(folder: Path, minutes: float, seed: int) -> list[str]:
    """Real time, one daemon that is never restarted, faults all around it."""
    chance = random.Random(seed)
    with House(folder, _say) as house, Subscriber(house.broker, topic="monitord/#") as subscriber:
        with Daemon(folder, "--config", house.config) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started")), "the first cry")
            samples, until_s = Samples(daemon.pid), time.monotonic() + 60.0 * minutes
            with in_background(lambda over: house.torment(over, chance, PAUSE_S)):
                while time.monotonic() < until_s:
                    samples.take()
                    time.sleep(SAMPLE_S)
            code, took_s = daemon.stop()
        samples.write(folder / "samples.csv")
        house.finish()  # the broker may have been away to the last
        told = Told(subscriber)
        with contextlib.suppress(AssertionError):
            until(lambda: not told.missing(daemon.lines), BACKLOG_S)
        broken = told.broken(daemon.lines)
        if code != 0 or took_s > LEAVE_S:
            broken.append(f"the stop ended with {code} after {took_s:.1f} s")
        if "Traceback" in daemon.words:
            broken.append(f"a bug, see {folder / 'stderr'}")
        sys.stdout.write(
            f"{len(house.rooms)} sources for {minutes:g} minutes; faults: {house.happened}, seen"
            f" {seen_faults(told.healths)}\n{samples.report()}\n"
            f"lag in {len(told.lags_ms)} heartbeats: most {max(told.lags_ms, default=0)} ms\n"
            f"{len(daemon.lines)} lines printed, {len(told.missing(daemon.lines))} lost, {told.doubles} doubles,"
            f" {len(told.episodes('started'))} episodes, {len(told.healths)} tallies\n"
        )
    return broken


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, help="ends of the daemon at random instants, and of its broker")
    parser.add_argument("--hours", type=float, default=0.0, help="hours of sound, as fast as it goes")
    parser.add_argument("--sources", type=int, default=8, help="rooms of --hours (%(default)s)")
    parser.add_argument("--minutes", type=float, default=0.0, help="minutes in real time, with random faults")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (%(default)s)")
    arguments = parser.parse_args()
    if not (arguments.kills or arguments.hours or arguments.minutes):
        parser.error("give one or more of --kills, --hours, --minutes")
    return arguments


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {text}\n")


if __name__ == "__main__":
    sys.exit(main())
