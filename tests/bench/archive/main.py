"""`tests/bench/run archive`: how fast an archive is heard, by engine and workers, beside `replay` of the same files.

Two archives from formulas: clips of 7 s, which a phone's app records, and recordings of 4 minutes. Each way hears them
from its start to its end, in turns, A B C A B C, so that other work on the machine weighs on all. A worker's decoder is
a process beside it, so one worker is kept on one core to be compared with: W workers on W cores should hear 0.8 W times
as much. CPU is that of all processes; not of Ray's, which end each other uncounted.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from monitord.types import RATE_HZ
from tests.bench import process, sounds
from tests.bench.markdown import markdown, number
from tests.support.paths import ROOT
from tests.support.sound.media import write_media

PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h: whose parent has ended becomes a child of this process, as decoders do."""
BURY_S = 30.0
"""Longest wait for processes that end after the command that started them (seconds)."""
ONE = "pool"
"""Whose single worker on one core all others are compared with."""
CLIP_S, RECORDING_S = 7.0, 240.0
"""Lengths of what lies in the two archives (seconds)."""


@dataclass
class Way:
    """One way to hear an archive."""

    name: str
    workers: int
    cores: int
    """That it may use."""
    command: tuple[str, ...]
    """What follows `monitord`; DIR and OUT stand for the archive and the result, FILES for each recording."""
    wall_s: list[float] = field(default_factory=list)
    """Of each turn, from the start of the process to its end (seconds)."""
    cpu_s: list[float] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What it is called."""
        return f"{self.name}, workers: {self.workers}, cores: {self.cores}"

    def take_turn(self, folder: Path, out: Path) -> None:
        """Hears the archive once."""
        words: list[str] = []
        for word in self.command:
            words += map(str, sorted(folder.iterdir())) if word == "FILES" else [word]
        words = [{"DIR": str(folder), "OUT": str(out)}.get(word, word) for word in words]
        before, began = _cpu_s(), time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "service", *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            preexec_fn=self._confine,
        )
        self.wall_s.append(time.monotonic() - began)
        _bury()
        self.cpu_s.append(_cpu_s() - before)
        out.unlink(missing_ok=True)

    def _confine(self) -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.cores])


def main(argv: Sequence[str]) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        prog="tests/bench/run archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of each (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="one turn of a small archive: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every turn there too")
    arguments = parser.parse_args(argv)
    rounds, clips, recordings = (1, 64, 8) if arguments.short else (arguments.rounds, 480, 32)
    machine = process.machine()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    tables, turns = [], {}
    with tempfile.TemporaryDirectory(prefix="monitord-archive-") as name:
        for what, count, length_s in (("clips", clips, CLIP_S), ("recordings", recordings, RECORDING_S)):
            folder = _archive(Path(name) / what, count, length_s)
            ways = _ways(arguments.workers)
            for turn in range(rounds):
                for way in ways:
                    way.take_turn(folder, Path(name) / "rows.jsonl")
                    told = f"{way.key}: {way.wall_s[-1]:.1f} s, load {os.getloadavg()[0]:.1f}"
                    sys.stderr.write(f"archive: {what}, turn {turn + 1}, {told}\n")
            tables.append(f"{count} {what} of {length_s:g} s\n\n{_table(ways, count * length_s)}")
            turns[what] = {way.key: {"wall_s": way.wall_s, "cpu_s": way.cpu_s} for way in ways}
    sys.stdout.write(
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']} before and"
        f" {os.getloadavg()[0]:.2f} after; median of {rounds}\n\n" + "\n".join(tables)
    )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "turns": turns}) + "\n", encoding="utf-8")


def _ways(workers: int) -> list[Way]:
    """Every way there is here; Ray where it is installed."""
    all_cores = len(os.sched_getaffinity(0))
    ways = [(ONE, 1, 1), ("pool", workers, all_cores), *([("ray", workers, all_cores)] if find_spec("ray") else [])]
    return [
        Way("replay", 1, 1, ("replay", "FILES")),
        Way("replay", 1, all_cores, ("replay", "FILES")),
        *(
            Way(engine, n, cores, ("archive", "DIR", "--out", "OUT", "--engine", engine, "--workers", str(n)))
            for engine, n, cores in ways
        ),
    ]


def _archive(folder: Path, count: int, length_s: float) -> Path:
    """Half a room with a fan, a quarter each quiet and crying, as Opus in Ogg; the same sound lies there many times."""
    folder.mkdir()
    made = [
        write_media(folder / f"sound{n}.ogg", make(length_s), "libopus", rate_hz=RATE_HZ)
        for n, make in enumerate((sounds.noisy, sounds.quiet, sounds.noisy, sounds.crying))
    ]
    for n in range(count):
        shutil.copy(made[n % len(made)], folder / f"{n:04}.ogg")
    for path in made:
        path.unlink()
    return folder


def _table(ways: Sequence[Way], sound_s: float) -> str:
    """One row each: how fast, at what cost, and what its workers are worth beside one."""
    one_s = next(statistics.median(way.wall_s) for way in ways if (way.name, way.workers, way.cores) == (ONE, 1, 1))
    rows = [["way", "workers", "cores", "s", "times real time", "CPU s for an hour of sound", "times one worker"]]
    for way in ways:
        wall_s = statistics.median(way.wall_s)
        cpu_s = statistics.median(way.cpu_s) / sound_s * 3600
        rows.append(
            [
                way.name,
                str(way.workers),
                str(way.cores),
                number(wall_s),
                number(sound_s / wall_s),
                "" if way.name == "ray" else number(cpu_s),
                f"{one_s / wall_s:.2f}",
            ]
        )
    return markdown(rows)


def _bury() -> None:
    """Waits for what the command left behind, so that its CPU time counts."""
    until = time.monotonic() + BURY_S
    with contextlib.suppress(ChildProcessError):  # none is left
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.1)


def _cpu_s() -> float:
    """CPU time of all processes that were started from here and have ended (seconds)."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
