"""`tests/bench/run`: measures, shows its progress on standard error, prints one table on standard output."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from model.bundle import default_bundle_path, load_bundle
from tests.bench import process, sounds
from tests.bench.cost.figures import Figure, table, to_json
from tests.bench.cost.home_assistant import to_home_assistant
from tests.bench.cost.whole import Bench
from tests.bench.faults import false_alarms, matrix
from tests.bench.faults.table import table as fault_table
from tests.support.paths import SHARED
from tests.support.servers.mosquitto import Mosquitto

MEASURES = ("parts", "starts", "quiet", "crying", "replay")
MORE = ("homeassistant", "faults")
"""Only where they are named."""
BUSY = 0.5
"""Load (runnable processes) from which other work makes the figures too high."""


def main() -> None:
    """Runs what was asked for."""
    arguments = _parse()
    bundle = load_bundle(arguments.bundle)
    machine = process.machine() | {"bundle": f"{bundle.manifest.name} {bundle.id}"}
    if os.getloadavg()[0] > BUSY:
        _say(f"load {os.getloadavg()[0]:.1f}: other work runs here, the figures will be too high")
    if "faults" in arguments.measures:
        with tempfile.TemporaryDirectory(prefix="monitord-faults-") as name:
            sys.stdout.write(f"{fault_table(matrix.measure(Path(name)))}\n")
        if SHARED.is_dir():
            sys.stdout.write(f"False alarms: {false_alarms.measure(SHARED)}\n")
        if arguments.measures == ["faults"]:
            return
    figures: list[Figure] = []
    if "parts" in arguments.measures:
        figures += _parts(arguments.bundle, arguments.repetitions)
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as name:
        folder = Path(name)
        with Mosquitto(folder / "broker") as broker:
            figures += _whole(Bench(folder, broker, arguments.bundle, _say), arguments)
    sys.stdout.write(f"{machine['cpu']}, {machine['cores']} cores; {machine['bundle']}\n\n{table(figures)}")
    if arguments.json is not None:
        arguments.json.write_text(to_json(machine, figures), encoding="utf-8")


def _whole(bench: Bench, arguments: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    repetitions, slice_s = arguments.repetitions, arguments.slice_s
    if "starts" in arguments.measures:
        figures += bench.starts(repetitions)
    for measure, sound, target in (("quiet", sounds.quiet, 2.0), ("crying", sounds.crying, 6.0)):
        if measure in arguments.measures:
            name = {"quiet": "quiet room", "crying": "constant crying"}[measure]
            figures += bench.recording(name, sound, target, repetitions, slice_s)
            figures += bench.microphone(name, sound, target, repetitions, slice_s)
    if "replay" in arguments.measures:
        for name, sound in (("quiet room", sounds.quiet), ("constant crying", sounds.crying)):
            figures += bench.replay(name, sound, max(1, repetitions // 3))
    if "homeassistant" in arguments.measures:
        folder = bench.folder / "homeassistant"
        folder.mkdir()
        figures += to_home_assistant(folder, bench.broker, bench.bundle, repetitions, bench.say)
    return figures


def _parts(bundle: Path, repetitions: int) -> list[Figure]:
    """In a process of its own, with one thread for arrays, as the daemon has."""
    _say("parts")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.cost.parts", bundle, f"--repetitions={2 * repetitions}"],
        check=True,
        stdout=subprocess.PIPE,
        env=dict(os.environ) | {"OPENBLAS_NUM_THREADS": "1"},
        text=True,
    )
    return [Figure(**figure | {"values": tuple(figure["values"])}) for figure in json.loads(done.stdout)]


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    choice = f"some of {' '.join(MEASURES)} (none given: all of these) {' '.join(MORE)}"
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=choice)
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="model (default: ours)")
    parser.add_argument("--repetitions", type=int, default=10, help="of each measure (default: %(default)s)")
    parser.add_argument("--slice-s", type=float, default=20.0, help="seconds of one CPU figure (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="three repetitions of five seconds: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single value there too")
    arguments = parser.parse_args()
    if unknown := set(arguments.measures) - {*MEASURES, *MORE}:
        parser.error(f"no measure {', '.join(sorted(unknown))}; there are {', '.join((*MEASURES, *MORE))}")
    arguments.measures = arguments.measures or list(MEASURES)
    arguments.bundle = arguments.bundle.resolve()
    if arguments.short:
        arguments.repetitions, arguments.slice_s = 3, 5.0
    return arguments


if __name__ == "__main__":
    main()
