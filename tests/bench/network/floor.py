"""`tests/bench/run floor`: the least that a window can cost on this machine, and how far from it we are.

The floor of a layer is its multiply-adds at the rate of a large matrix product on one thread, or its weights at the
rate at which one thread reads memory, whichever takes longer; the network's is the sum over its layers. All is measured
in turn, round by round.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from model.bundle import default_bundle_path
from model.frontend import N_FRAMES, N_MELS
from model.vggish import COMPACT, FULL, Architecture
from tests.bench import process
from tests.bench.markdown import markdown, number
from tests.bench.network.arithmetic import Machine, floor, layers
from tests.bench.network.full_vggish import full_bundle
from tests.bench.peers.peer import CHUNK, RATE_HZ, Ours
from tests.bench.sounds import noisy, quiet

SIDE = 1536
"""Of the float32 matrices: 9 MB each, past every cache of a core."""
INT8_SHAPE = (512, 2048, 2048)
"""Rows, inputs and units of the int8 product."""
READ_BYTES = 1 << 28
"""Read in one go (bytes): eight times the largest cache here."""
BATCH = 16
"""Windows in one pass, beside one."""
SETTLE_S = 20.0
"""Before a room is timed (seconds)."""
WINDOW_TARGET = 1.5
"""Times the network's own time that a window may take."""


def main(argv: Sequence[str]) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="tests/bench/run floor", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of everything in turn (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="four rounds: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single value there too")
    parser.add_argument("--make-int8", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.make_int8:
        _make_int8(arguments.make_int8)
        return
    before = process.machine()
    values = _measure(4 if arguments.short else arguments.rounds)
    load = f"load {before['load_before']} before and {os.getloadavg()[0]:.2f} after"
    sys.stdout.write(f"{before['cpu']}, {before['cores']} cores, {load}, one thread\n\n{report(values)}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": before, "values": values}) + "\n", encoding="utf-8")


def report(values: dict[str, list[float]]) -> str:
    """The table and what it says."""
    best = {name: min(each) for name, each in values.items()}  # a floor is what was reached once
    middle = {name: float(np.median(each)) for name, each in values.items()}
    float_gmacs = SIDE**3 / best["float ms"] / 1e6
    measured = "int8 ms" in best
    int8_gmacs = float(np.prod(INT8_SHAPE)) / best["int8 ms"] / 1e6 if measured else 4 * float_gmacs
    machine = Machine(float_gmacs, int8_gmacs, READ_BYTES / best["read ms"] / 1e6)
    whence = "" if measured else ", taken for four times float32, because TensorFlow is missing to make such a product"
    head = (
        f"One thread: {float_gmacs:.0f} G multiply-adds/s in float32, {int8_gmacs:.0f} in int8 (the best matrix product"
        f"{whence}), {machine.read_gb_s:.1f} GB/s read."
    )
    rows = [["", "M multiply-adds", "weights MB", "arithmetic ms", "weights ms", "floor ms", "measured ms", "times"]]
    for name, architecture, is_int8, key in (
        ("compact, int8, one window", COMPACT, True, "compact"),
        (f"compact, int8, {BATCH} windows, each", COMPACT, True, "compact batch"),
        ("compact, float32", COMPACT, False, ""),
        ("full, int8, one window", FULL, True, "full"),
        (f"full, int8, {BATCH} windows, each", FULL, True, "full batch"),
        ("full, float32", FULL, False, ""),
    ):
        windows = BATCH if "batch" in key else 1
        rows.append(_row(name, architecture, machine, middle.get(f"{key} ms"), int8=is_int8, windows=windows))
    lines = [head, "", markdown(rows)]
    ours = [heard / network for heard, network in zip(values["road ms"], values["compact ms"], strict=True)]
    window = [heard / network for heard, network in zip(values["window ms"], values["compact ms"], strict=True)]
    verdict = "kept" if np.median(window) <= WINDOW_TARGET else "NOT kept"
    lines.append(
        f"A window in a noisy room, ours: {middle['window ms']:.3f} ms with front end and tracker,"
        f" {np.median(window):.2f} times its network ({min(window):.2f} to {max(window):.2f};"
        f" at most {WINDOW_TARGET}: {verdict});"
        f" {middle['road ms']:.3f} ms with the listener too, {np.median(ours):.2f} times.\n"
    )
    if "full ms" in middle:
        verdict = "kept" if middle["full ms"] <= 8.0 else "NOT kept"
        lines.append(f"Full VGGish in int8: {middle['full ms']:.1f} ms in its network (at most 8: {verdict}).\n")
    return "\n".join(lines)


def _row(
    name: str, architecture: Architecture, machine: Machine, measured_ms: float | None, *, int8: bool, windows: int
) -> list[str]:
    least = floor(architecture, machine, int8=int8, windows=windows)
    count = sum(layer.multiply_adds for layer in layers(architecture)) / 1e6
    size_mb = sum(layer.weights for layer in layers(architecture)) * (1 if int8 else 4) / 1e6
    measured = ["", ""] if measured_ms is None else [number(measured_ms), f"{measured_ms / least.ms:.2f}"]
    return [name, *map(number, (count, size_mb, least.arithmetic_ms, least.weights_ms, least.ms)), *measured]


def _measure(rounds: int) -> dict[str, list[float]]:
    """Milliseconds by name, one for each round; `window` and `road` from the CPU of the worker's own road."""
    timed: dict[str, Callable[[], float]] = {}
    a = np.random.default_rng(1).standard_normal((SIDE, SIDE), np.float32)
    out = np.empty_like(a)
    timed["float"] = lambda: _ms(lambda: np.matmul(a, a, out=out), 3)
    memory = np.ones(READ_BYTES // 4, np.float32)
    timed["read"] = lambda: _ms(lambda: memory @ memory, 2)
    with tempfile.TemporaryDirectory(prefix="monitord-floor-") as folder:
        if (product := _int8(Path(folder) / "int8.tflite")) is not None:
            timed["int8"] = lambda: _ms(product, 20)
        networks = {"compact": default_bundle_path(), "full": full_bundle()}
        for name, bundle in networks.items():
            if bundle is not None:
                for label, windows in ((name, 1), (f"{name} batch", BATCH)):
                    timed[label] = _network(bundle / "model.tflite", windows, 8 if name == "full" else 60)
        ours = {room.__name__: _Room(room(SETTLE_S + 4.0 * (rounds + 1))) for room in (quiet, noisy)}
        values: dict[str, list[float]] = {f"{name} ms": [] for name in (*timed, "window", "road")}
        for call in timed.values():
            call()  # warm
        for number_ in range(rounds):
            for name, call in timed.items():
                values[f"{name} ms"].append(call())
            ear_ms, _ = ours["quiet"].hear(4.0)
            road_ms, windows = ours["noisy"].hear(4.0)
            values["road ms"].append(road_ms / windows)
            values["window ms"].append((road_ms - ear_ms) / windows)
            sys.stderr.write(f"floor: round {number_ + 1} of {rounds}, load {os.getloadavg()[0]:.1f}\n")
    return values


class _Room:
    """Ours in one room."""

    def __init__(self, samples: Any) -> None:
        self._ours = Ours(str(default_bundle_path()))
        self._ours.begin()
        self._samples, self._at = samples, 0
        self.hear(SETTLE_S)

    def hear(self, seconds: float) -> tuple[float, int]:
        """Hears on; returns CPU milliseconds and windows."""
        end = self._at + round(seconds * RATE_HZ / CHUNK) * CHUNK
        began = time.process_time()
        windows, _ = self._ours.hear(self._samples[self._at : end], [])
        self._at = end
        return 1e3 * (time.process_time() - began), windows


def _network(path: Path, windows: int, calls: int) -> Callable[[], float]:
    """Milliseconds of a window in the network alone."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    taken = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(taken, (windows, N_FRAMES, N_MELS))
    interpreter.allocate_tensors()
    patches = np.random.default_rng(1).standard_normal((windows, N_FRAMES, N_MELS), np.float32)
    interpreter.set_tensor(taken, patches)
    return lambda: _ms(interpreter.invoke, max(1, calls // windows)) / windows


def _ms(call: Callable[[], object], times: int) -> float:
    """CPU milliseconds of a call: another process on the core does not count."""
    began = time.process_time()
    for _ in range(times):
        call()
    return 1e3 * (time.process_time() - began) / times


def _int8(path: Path) -> Callable[[], object] | None:
    """A large product with int8 weights in LiteRT, ready to run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.network.floor", "--make-int8", path], check=False, stderr=subprocess.DEVNULL
    )
    if done.returncode:
        return None
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    interpreter.set_tensor(details["index"], np.random.default_rng(1).standard_normal(details["shape"], np.float32))
    return interpreter.invoke  # type: ignore[no-any-return]  # LiteRT ships no types


def _make_int8(path: Path) -> None:
    """The child that has TensorFlow: converts one dense layer."""
    import tensorflow as tf  # noqa: PLC0415 - only this child needs it

    count, inputs, units = INT8_SHAPE
    kernel = tf.constant(np.random.default_rng(1).standard_normal((inputs, units), np.float32))
    product = tf.function(lambda x: x @ kernel, input_signature=[tf.TensorSpec((count, inputs), tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([product.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())


if __name__ == "__main__":
    main(sys.argv[1:])
