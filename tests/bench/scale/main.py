"""`tests/bench/run scale`: from one room to a maternity ward: what one worker can hear, by measured costs.

Costs come from real rooms in this process: recordings in real time with a thread each, the daemon's worker and network.
The simulation of `simulation.py` is then held against as many real rooms as are asked for, all noisy.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from service.pipeline.worker import PACE_S
from tests.bench import process, sounds
from tests.bench.markdown import markdown, number
from tests.bench.scale.real_rooms import LOOP_S, SETTLE_S, Heard, Rooms
from tests.bench.scale.simulation import HOP_S, Costs, Lags, simulate
from tests.support.daemon.daemon import Daemon, configure, looped
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import write_wav

FEW = 4
"""Rooms from which costs are taken, beside `--rooms`: enough to be seen, too few to wait for each other."""
PLACES = (
    ("a family", 2, 60.0, 600.0),
    ("a day nursery", 20, 60.0, 240.0),
    ("a nursery of 200 rooms", 200, 60.0, 600.0),
    ("a nursery of 200 rooms, at nap time", 200, 60.0, 120.0),
    ("a maternity ward of 40 beds", 40, 90.0, 90.0),
    ("all noisy, 32 rooms", 32, 60.0, 0.0),
    ("all noisy, 64 rooms", 64, 60.0, 0.0),
    ("all noisy, 128 rooms", 128, 60.0, 0.0),
    ("all noisy, 256 rooms", 256, 60.0, 0.0),
)
"""What, rooms, mean seconds of sound, mean seconds of quiet between; assumed, not observed."""
ROOM_S = 6000.0
"""Simulated seconds of all rooms of a place together: some ten thousand rounds."""


def main(argv: Sequence[str]) -> None:
    """Measures, simulates, compares, judges."""
    parser = argparse.ArgumentParser(prog="tests/bench/run scale", description=__doc__)
    parser.add_argument("--rooms", type=int, default=32, help="real noisy rooms to compare with (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each real run (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="real runs of six seconds: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write costs and percentiles there too")
    arguments = parser.parse_args(argv)
    seconds = 6.0 if arguments.short else arguments.seconds
    machine = process.machine()
    with tempfile.TemporaryDirectory(prefix="monitord-scale-") as name:
        runs = {}
        for key, sound, rooms in (
            ("quiet, few", sounds.quiet, FEW),
            ("quiet", sounds.quiet, arguments.rooms),
            ("noisy, few", sounds.noisy, FEW),
            ("noisy", sounds.noisy, arguments.rooms),
        ):
            runs[key] = Rooms(sound, rooms, Path(name)).hear(seconds)
            sys.stderr.write(f"scale: {rooms} rooms, {key}, load {os.getloadavg()[0]:.1f}\n")
        daemon_ms = _daemon_ms(arguments.rooms, seconds, Path(name))
        sys.stderr.write(f"scale: {arguments.rooms} quiet rooms in the daemon, load {os.getloadavg()[0]:.1f}\n")
    alone = costs_of(runs["quiet, few"], runs["quiet"], runs["noisy, few"])
    heard_ms = 1e3 * runs["quiet"].threads_s / runs["quiet"].chunks
    costs = replace(alone, tell_ms=max(0.0, daemon_ms * alone.chunk_s - heard_ms))
    few, many = runs["quiet, few"], runs["quiet"]
    each_mb = [
        (after - before) / (many.rooms - few.rooms)
        for after, before in ((many.own_mb, few.own_mb), (many.all_mb, few.all_mb))
    ]
    simulated = simulate(alone, arguments.rooms, on_s=1.0, off_s=0.0, duration_s=60.0)
    sys.stdout.write(
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']} before and"
        f" {os.getloadavg()[0]:.2f} after\n\n{_costs_table(costs)}\n{_comparison(runs['noisy'], simulated, alone)}\n"
        f"{places(costs, each_mb[1])}\n{verdict(costs, *each_mb)}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "costs": asdict(costs)}) + "\n", encoding="utf-8")


def _daemon_ms(rooms: int, seconds: float, folder: Path) -> float:
    """CPU of the daemon without its decoders for each second of a quiet room (milliseconds)."""
    path = write_wav(folder / "daemon.wav", sounds.quiet(LOOP_S))
    sources = {f"room{number}": looped(path) for number in range(rooms)}
    with (
        Mosquitto(folder / "broker") as broker,
        Subscriber(broker, topic="monitord/+/+/status") as subscriber,
        Daemon(folder, "--config", configure(folder, broker, sources)) as daemon,
    ):
        # Until then decoders start, and after it every room is scored until its floor is found.
        daemon.wait_for(
            lambda: len({said.topic for said in subscriber.heard if said.payload == "online"}) == rooms, "rooms"
        )
        time.sleep(SETTLE_S)
        before_s, began = process.cpu_s(daemon.pid), time.monotonic()
        time.sleep(seconds)
        return 1e3 * (process.cpu_s(daemon.pid) - before_s) / (time.monotonic() - began) / rooms


def costs_of(few: Heard, many: Heard, sounding: Heard) -> Costs:
    """Solves for the costs: few and many quiet rooms part a round's own cost from a chunk's; sound adds the windows."""
    equations = np.array([[run.rounds, run.chunks, run.windows] for run in (few, many, sounding)])
    worker_ms = [1e3 * (run.worker_s - run.network_s) for run in (few, many, sounding)]
    round_ms, chunk_ms, python_ms = np.linalg.solve(equations, worker_ms).tolist()
    if min(round_ms, chunk_ms, python_ms) < 0:  # too short or too busy to part round and chunk
        round_ms = 0.0
        chunk_ms, python_ms = np.linalg.lstsq(equations[:, 1:], worker_ms, rcond=None)[0].tolist()
    network_ms = 1e3 * sounding.network_s / sounding.windows
    capture_ms = 1e3 * (many.threads_s - many.worker_s) / many.chunks
    decode_ms = 1e3 * (many.process_s - many.threads_s) / many.chunks
    chunk_s = many.seconds * many.rooms / many.chunks
    return Costs(
        round_ms, chunk_ms, max(0.0, python_ms), network_ms, capture_ms, decode_ms, chunk_s=chunk_s, pace_s=PACE_S
    )


def places(costs: Costs, each_mb: float) -> str:
    """Simulates each place; Markdown."""
    rows = [["place", "rooms", "sound %", "cores", "lock %", "memory MB", "lag p50 s", "p95 s", "p99 s", "lost s"]]
    for name, rooms, on_s, off_s in PLACES:
        share = on_s / (on_s + off_s)
        duration_s = min(1800.0, max(60.0, ROOM_S / rooms))
        lags = simulate(costs, rooms, on_s=on_s, off_s=off_s, duration_s=duration_s)
        load = [number(costs.cores(rooms, share)), f"{100 * costs.python(rooms, share):.0f}", f"{rooms * each_mb:.0f}"]
        percentiles = [f"{value:.3f}" for value in lags.percentiles_s()]
        rows.append([name, str(rooms), f"{100 * share:.0f}", *load, *percentiles, f"{lags.lost_s:.0f}"])
    return markdown(rows)


def limit(costs: Costs, share: float) -> int:
    """Rooms that one worker hears before its own work alone takes all of a core, or the lock all of its time."""
    worker_ms = (costs.chunk_ms + costs.tell_ms) / costs.chunk_s + share * (
        costs.window_python_ms + costs.window_network_ms
    ) / HOP_S
    return int(min(1e3 / worker_ms, 1.0 / costs.python(1, share)))


def verdict(costs: Costs, own_mb: float, each_mb: float) -> str:
    """What follows, in words.

    Args:
        costs: Measured.
        own_mb: Memory of one more room in the process (MB).
        each_mb: The same with its decoder (MB).
    """
    limits = {share: limit(costs, share) for share in (0.1, 1 / 3, 0.5, 1.0)}
    window_ms = costs.window_python_ms + costs.window_network_ms
    network = 100.0 * costs.window_network_ms / window_ms
    quiet_ms = costs.tell_ms + costs.chunk_ms + costs.capture_ms + costs.decode_ms
    told, read = (100.0 * part / quiet_ms for part in (costs.tell_ms, costs.capture_ms + costs.decode_ms))
    decoder_mb = each_mb - own_mb
    return f"""One worker reaches its limit at about {limits[1.0]} rooms that are all noisy, {limits[1 / 3]} with sound
a third of the time, {limits[0.1]} with a tenth: there the worker takes a core, or Python's lock all of the time;
past it the daemon leaves out windows, which is not simulated. Costs of {FEW} rooms are a little too high for many.
A room takes {own_mb:.1f} MB in the process and, if a recording or a stream, {decoder_mb:.1f} MB in its decoder.

- One box: one process, as it is.
- A nursery of 200 rooms, with sound a tenth of the time: {_processes(200, limits[0.1])}, at most half loaded, such as
  one for each floor, each a node of its own on the same broker; rooms share nothing but the model's pages. The
  decoders, {0.2 * decoder_mb:.1f} GB for 200 rooms, are the first thing to share: one could decode many streams.
- A maternity ward of 40 beds, with sound half of the time: {_processes(40, limits[0.5])}.
- Of a quiet room's cost {read:.0f} % is reading a recording in real time, chunk by chunk, and {told:.0f} % telling:
  levels, MQTT, outbox. The rest is hearing; the network takes no part in it.
- Batched: one forward pass for all rooms of a round, today. The network is {network:.0f} % of a window and gains
  nothing from more windows at once on a CPU (see `floor`); what is left to batch is Python: front end and gate.
- An engine such as Ray Serve collects requests of many clients into batches and moves replicas between machines. That
  pays where full VGGish on one GPU serves several boxes (see `gpu`), or where rooms must move from a dead machine to
  another without hands. It adds a request over the network to each window of {window_ms:.1f} ms, and one more thing
  whose death is silence; before that, a process for each floor and one broker do the same with nothing new.
"""


def _processes(rooms: int, most: int) -> str:
    """How many so that each has at most half of what it could."""
    count = math.ceil(rooms / (most / 2))
    return "one process" if count == 1 else f"{count} processes"


def _comparison(real: Heard, simulated: Lags, costs: Costs) -> str:
    found = np.percentile(real.lags_s, (50, 95, 99)).tolist()
    expected = simulated.percentiles_s()
    cores, cores_expected = real.process_s / real.seconds, costs.cores(real.rooms, 1.0)
    busy = real.worker_s / real.seconds
    rows = [
        [f"{real.rooms} rooms, all noisy", "lag p50 s", "p95 s", "p99 s", "cores", "worker busy"],
        ["real", *(f"{value:.3f}" for value in found), number(cores), number(busy)],
        ["simulated", *(f"{value:.3f}" for value in expected), number(cores_expected), number(simulated.busy)],
        [
            "real / simulated",
            *(f"{a / b:.2f}" for a, b in zip(found, expected, strict=True)),
            f"{cores / cores_expected:.2f}",
            f"{busy / simulated.busy:.2f}",
        ],
    ]
    return markdown(rows)


def _costs_table(costs: Costs) -> str:
    rows = [["measured cost", "ms"]]
    names = {
        "round_ms": "a round of the worker",
        "chunk_ms": f"{costs.chunk_s:.2f} s of a room in the worker: gate, VAD, segments",
        "window_python_ms": "a window in Python: front end, tracker",
        "window_network_ms": "a window in the network",
        "capture_ms": f"{costs.chunk_s:.2f} s of a room in its own thread: read, pace, write",
        "decode_ms": f"{costs.chunk_s:.2f} s of a room in its decoder, a process of its own",
        "tell_ms": f"{costs.chunk_s:.2f} s of a room in the rest of the daemon: levels, MQTT, outbox",
    }
    rows += [[text, f"{getattr(costs, key):.4f}"] for key, text in names.items()]
    return markdown(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
