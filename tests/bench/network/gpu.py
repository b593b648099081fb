"""`tests/bench/run gpu`: full VGGish in Keras on a GPU: windows per second by batch, latency, and rooms it could serve.

Keras runs on whatever is installed: JAX or TensorFlow (KERAS_BACKEND chooses). Without a GPU it runs on the CPU and
says so.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from model.frontend import N_FRAMES, N_MELS
from model.vggish import COMPACT, FULL, build_classifier
from tests.bench.markdown import markdown, number

BATCHES = (1, 8, 32, 128, 512)
"""Windows in one pass."""
HOP_S = 0.24
"""Between two windows of a room with sound (seconds)."""
LEAST_S = 1.0
"""Of each repetition (seconds)."""


def main(argv: Sequence[str]) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="tests/bench/run gpu", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, help="of each batch (default: %(default)s)")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, metavar="N", help="windows in one pass")
    parser.add_argument("--compact", action="store_true", help="the shipped network in place of the full one")
    parser.add_argument("--short", action="store_true", help="twice a tenth of a second: a look, no result")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single value there too")
    arguments = parser.parse_args(argv)
    repetitions, least_s = (2, 0.1) if arguments.short else (arguments.repetitions, LEAST_S)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "jax" if find_spec("jax") else "tensorflow")
    run, device = _compiled(compact=arguments.compact)
    values: dict[int, list[float]] = {batch: [] for batch in arguments.batches}
    for repetition in range(repetitions + 1):  # the first compiles and warms up
        for batch, taken in values.items():
            one_ms = _ms(run, batch, least_s if repetition else 0.0)
            if repetition:
                taken.append(one_ms)
            sys.stderr.write(f"gpu: repetition {repetition} of {repetitions}, {batch} windows: {one_ms:.2f} ms\n")
    name = "compact VGGish" if arguments.compact else "full VGGish"
    backend = f"Keras on {os.environ['KERAS_BACKEND']}, float32"
    sys.stdout.write(f"{name}, {backend}, {device}, load {os.getloadavg()[0]:.1f}\n\n{report(values)}")
    if arguments.json:
        found = {"device": device, "backend": backend, "ms": values}
        arguments.json.write_text(json.dumps(found) + "\n", encoding="utf-8")


def report(values: dict[int, list[float]]) -> str:
    """The table, and how many rooms that would be.

    Args:
        values: By windows in one pass, milliseconds of a pass.
    """
    rows = [["windows at once", "ms a pass", "least to most", "windows/s", "rooms at one window each 0.24 s"]]
    for batch, taken in values.items():
        per_s = 1e3 * batch / float(np.median(taken))
        spread = f"{number(min(taken))} to {number(max(taken))}"
        rows.append([str(batch), number(float(np.median(taken))), spread, number(per_s), f"{per_s * HOP_S:.0f}"])
    fitting = [
        (1e3 * batch / float(np.median(taken)) * HOP_S, batch)
        for batch, taken in values.items()
        if np.median(taken) / 1e3 <= HOP_S
    ]
    if not fitting:
        return f"{markdown(rows)}\nNo pass is done within {HOP_S} s: not one room in real time.\n"
    rooms, batch = max(fitting)
    return (
        f"{markdown(rows)}\nMost rooms in real time, all with sound at once, each pass done within {HOP_S} s:"
        f" {rooms:.0f}, with {batch} windows at once. The sound must come there too, 32 kB/s a room, and be turned into"
        " patches first.\n"
    )


def _ms(run: Callable[[Any], Any], batch: int, least_s: float) -> float:
    """Milliseconds of a pass, input and output copied, over at least so long; wall time."""
    patches = np.random.default_rng(batch).standard_normal((batch, N_FRAMES, N_MELS), np.float32)
    count, began = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - began < least_s:
        run(patches)
        count += 1
    return 1e3 * (time.perf_counter() - began) / count


def _compiled(*, compact: bool) -> tuple[Callable[[Any], Any], str]:
    """The network compiled for its backend, as NumPy to NumPy, and on what it runs."""
    model = build_classifier(COMPACT if compact else FULL)
    if os.environ["KERAS_BACKEND"] == "jax":
        import jax  # noqa: PLC0415 - whichever is installed

        state = model.trainable_variables, model.non_trainable_variables
        values = [[variable.value for variable in each] for each in state]
        passing = jax.jit(lambda trained, fixed, x: model.stateless_call(trained, fixed, x, training=False)[0]["cry"])
        device = jax.devices()[0]
        is_gpu = device.platform == "gpu"
        return lambda x: np.asarray(passing(*values, x)), _device(device.device_kind, is_gpu=is_gpu)
    import tensorflow as tf  # noqa: PLC0415 - whichever is installed

    serve = tf.function(
        lambda x: model(x, training=False)["cry"], input_signature=[tf.TensorSpec((None, N_FRAMES, N_MELS), tf.float32)]
    )
    found = tf.config.list_physical_devices("GPU")
    name = tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU") if found else "cpu"
    return lambda x: serve(x).numpy(), _device(name, is_gpu=bool(found))


def _device(name: str, *, is_gpu: bool) -> str:
    if not is_gpu:
        return f"NO GPU: on the CPU, {os.cpu_count()} cores"
    done = subprocess.run(
        ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader"],
        check=False,
        capture_output=True,
        text=True,
    )
    return f"on {name}" + (f" (busy {done.stdout.strip()} before)" if done.returncode == 0 else "")


if __name__ == "__main__":
    main(sys.argv[1:])
