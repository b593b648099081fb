"""`tests/bench/run peers`: ours and the peers on the same sound, in turn, each in a process of its own; one table."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import default_bundle_path, load_bundle
from monitord.listening.listener import Listener
from monitord.types import AudioChunk, Window
from tests.bench import process, sounds
from tests.bench.cost.whole import Bench
from tests.bench.network.full_vggish import full_bundle
from tests.bench.peers.peer import RATE_HZ
from tests.bench.peers.table import SOUNDS, Round, Rounds, spread, table
from tests.support.daemon.daemon import looped
from tests.support.paths import ROOT, SHARED
from tests.support.servers.mosquitto import Mosquitto
from tests.support.sound.sounds import write_wav

TEACHERS = SHARED / "teachers"
"""Where YAMNet and mn04 lie, beside the checkout."""
NAMES = {
    "ours": "monitord, from samples to events",
    "daemon": "monitord, whole daemon with MQTT, in real time",
    "ours-full": "monitord with full VGGish, int8",
    "frigate": "YAMNet as Frigate runs it, each 0.975 s",
    "yamnet": "YAMNet on our windows",
    "mn04": "mn04 (ONNX Runtime), each 0.48 s",
    "published": "VGGish's own front end, our network",
    "keras-compact": "compact VGGish in Keras on TensorFlow",
    "keras-full": "full VGGish in Keras on TensorFlow",
}
"""By key, in the order of the rows and of each round."""
NEEDS_TEACHERS = ("frigate", "yamnet", "mn04")
SETTLE_S = 20.0
"""Sound before what is measured (seconds): the floor of a noisy room is found by then, at 3 dB a second."""
ONSETS = 6
"""Cries that are timed, each at another place between the windows."""
DAEMON_SETTLE_S = 15.0
"""Before the daemon's cost is taken (seconds): the floor of a quiet room is found by then."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""Variables that hold arrays and networks to one thread."""
DAEMON_TARGETS = {"quiet": 0.5, "crying": 3.0}
"""Of the whole daemon with one source: percent of one core at most, by sound."""
DAEMON_TARGET_MB = 150.0
"""The same: memory (MB) at most."""
FULL_TARGETS = (8.0, 260.0)
"""Of full VGGish in int8: a window (ms) and memory (MB) at most."""


MAKERS = {"quiet": sounds.quiet, "noisy": sounds.noisy, "crying": sounds.crying}


def main(argv: Sequence[str]) -> None:
    """Measures, or reads what was measured; prints and draws."""
    arguments = _parse(argv)
    if arguments.read:
        found = json.loads(arguments.read.read_text(encoding="utf-8"))
        machine, rounds = found["machine"], {k: [Round(**one) for one in v] for k, v in found["rounds"].items()}
    else:
        machine, rounds = process.machine(), _measure(arguments)
        machine |= {"load_after": round(os.getloadavg()[0], 2), "sound_s": arguments.seconds}
    if arguments.json:
        values = {"machine": machine, "rounds": {key: [asdict(one) for one in each] for key, each in rounds.items()}}
        arguments.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(report(machine, rounds))
    if arguments.plot:
        from tests.bench.peers.plot import draw  # noqa: PLC0415 - matplotlib belongs to the train extra

        draw(NAMES, rounds, arguments.plot)


def report(machine: dict[str, Any], rounds: Rounds) -> str:
    """Everything that is printed."""
    count = len(next(iter(rounds.values())))
    judged = ""
    if "daemon" in rounds:
        for sound, target in DAEMON_TARGETS.items():
            percent = float(np.median([one.cpu_s[sound] for one in rounds["daemon"]])) / 0.6  # of a core
            judged += f"Whole daemon, {SOUNDS[sound]}: {percent:.2f} % of a core ({_kept(percent, target)}).\n"
        memory_mb = float(np.median([one.memory_mb for one in rounds["daemon"]]))
        judged += f"Whole daemon, decoder included: {memory_mb:.0f} MB ({_kept(memory_mb, DAEMON_TARGET_MB)}).\n"
    if "ours-full" in rounds:
        window_ms = float(np.median([1e3 / (one.windows_per_s or np.nan) for one in rounds["ours-full"]]))
        memory_mb = float(np.median([one.memory_mb for one in rounds["ours-full"]]))
        judged += (
            f"Full VGGish in int8: {window_ms:.1f} ms a window ({_kept(window_ms, FULL_TARGETS[0])}),"
            f" {memory_mb:.0f} MB ({_kept(memory_mb, FULL_TARGETS[1])}).\n"
        )
    return (
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']} before and"
        f" {machine['load_after']} after; {count} rounds, each system in turn, {machine['sound_s']:g} s of each sound;"
        " one thread. CPU seconds are per minute of sound; in brackets: times ours, median over the rounds.\n\n"
        f"{table(NAMES, rounds)}\nLeast to most:\n\n{spread(NAMES, rounds)}\n{judged}"
    )


def _kept(value: float, target: float) -> str:
    return f"at most {target:g}: {'kept' if value <= target else 'NOT kept'}"


def _measure(arguments: argparse.Namespace) -> dict[str, list[Round]]:
    wanted = list(arguments.only or NAMES)
    full = full_bundle() if "ours-full" in wanted else None
    absent = {} if TEACHERS.is_dir() else dict.fromkeys(NEEDS_TEACHERS, f"no {TEACHERS}")
    if full is None and "ours-full" in wanted:
        absent["ours-full"] = "its bundle is made by TensorFlow, which is not installed or failed"
    for key in [key for key in wanted if key in absent]:
        _say(f"{NAMES[key]}: left out, {absent[key]}")
        wanted.remove(key)
    rounds: dict[str, list[Round]] = {key: [] for key in wanted}
    with tempfile.TemporaryDirectory(prefix="monitord-peers-") as name:
        folder = Path(name)
        _prepare(folder, arguments.seconds, arguments.bundle, full)
        with Mosquitto(folder / "broker") as broker:
            bench = Bench(folder, broker, arguments.bundle, lambda _: None)
            for number in range(arguments.rounds):
                for key in wanted:
                    began = time.monotonic()
                    one = _daemon(bench, arguments) if key == "daemon" else _peer(key, folder, arguments.seconds)
                    rounds[key].append(one)
                    took = f"{time.monotonic() - began:.0f} s"
                    _say(f"round {number + 1} of {arguments.rounds}, load {os.getloadavg()[0]:.1f}, {key}: {took}")
    return rounds


def _prepare(folder: Path, seconds: float, bundle: Path, full: Path | None) -> None:
    """Writes the sounds, and where our listener looks in each."""
    params = load_bundle(bundle).manifest.listener
    settle = round(SETTLE_S * RATE_HZ)
    starts: dict[str, list[int]] = {}
    onsets = {f"onset_{i}": 3.0 + 0.137 * i for i in range(ONSETS)}  # seconds
    heard = {key: make(SETTLE_S + seconds) for key, make in MAKERS.items()}
    heard |= {key: sounds.onset(at_s, seed=i + 1) for i, (key, at_s) in enumerate(onsets.items())}
    for key, samples in heard.items():
        write_wav(folder / f"{key}.wav", samples)
        told = Listener("room", params).feed(AudioChunk("room", RATE_HZ, 0, samples, 0.0))
        begin = settle if key in SOUNDS else 0
        starts[key] = [each.start - begin for each in told if isinstance(each, Window) and each.start >= begin]
    plan = {"settle": settle, "sounds": list(SOUNDS), "onsets": onsets, "starts": starts}
    paths = {"bundle": str(bundle), "full": str(full), "teachers": str(TEACHERS)}
    (folder / "plan.json").write_text(json.dumps(plan | paths), encoding="utf-8")


def _peer(key: str, folder: Path, seconds: float) -> Round:
    """One start of one system."""
    environment = dict(os.environ) | dict.fromkeys(THREADS, "1")
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    environment["PYTHONPATH"] = str(ROOT)  # the checkout alone
    log = folder / f"{key}.log"
    with log.open("w", encoding="utf-8") as stderr:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.peers.peer", key, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            text=True,
        )
        with child:
            assert child.stdout is not None
            ready = child.stdout.readline()
            start_s = time.monotonic() - began
            line = child.stdout.readline() if ready else ""
            if not line:
                raise RuntimeError(f"{key} failed:\n{log.read_text(encoding='utf-8')}")
            memory_mb = process.memory_mb(child.pid)
            child.communicate()
    values = json.loads(line)
    minutes = seconds / 60.0
    found_s = (
        values["found_s"] if key in {"ours", "frigate", "yamnet", "mn04"} else []
    )  # the others have random weights
    return Round(
        cpu_s={sound: cpu_s / minutes for sound, cpu_s in values["cpu_s"].items()},
        windows={sound: windows / minutes for sound, windows in values["windows"].items()},
        memory_mb=memory_mb,
        start_s=start_s,
        alert_s=tuple(found_s),
    )


def _daemon(bench: Bench, arguments: argparse.Namespace) -> Round:
    """One start of the whole daemon for each sound, and for two cries up to MQTT; its decoder counts too."""
    costs: dict[str, float] = {}
    memory_mb: list[float] = []
    for key in SOUNDS:
        with bench.daemon(looped(bench.folder / f"{key}.wav")) as room:
            time.sleep(DAEMON_SETTLE_S)
            before_s, began = process.cpu_with_children_s(room.pid), time.monotonic()
            time.sleep(arguments.slice_s)
            costs[key] = 60.0 * (process.cpu_with_children_s(room.pid) - before_s) / (time.monotonic() - began)
            memory_mb.append(process.memory_with_children_mb(room.pid))
    figures = bench.starts(2)
    alert_s = figures[1].values if len(figures) > 1 else (None, None)
    return Round(costs, {}, max(memory_mb), float(np.median(figures[0].values)), alert_s)


def _say(text: str) -> None:
    sys.stderr.write(f"peers: {text}\n")
    sys.stderr.flush()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/bench/run peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of all systems in turn (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each sound (default: %(default)s)")
    parser.add_argument("--slice-s", type=float, default=20.0, help="of the daemon's cost (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of {' '.join(NAMES)}")
    parser.add_argument("--bundle", type=Path, default=default_bundle_path(), help="model of ours (default: shipped)")
    parser.add_argument("--short", action="store_true", help="two rounds of ten seconds: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single value there too")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing: the values of an earlier --json")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the table (.svg or .png)")
    arguments = parser.parse_args(argv)
    arguments.bundle = arguments.bundle.resolve()
    if arguments.only and "ours" not in arguments.only:
        arguments.only.insert(0, "ours")
    if arguments.short:
        arguments.rounds, arguments.seconds, arguments.slice_s = 2, 10.0, 5.0
    return arguments


if __name__ == "__main__":
    main(sys.argv[1:])
