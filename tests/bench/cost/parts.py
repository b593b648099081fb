"""Measures of single parts, one thread: run as a program, it prints a JSON list of figures.

Times are CPU times of this thread, with warm caches: what a part costs, not what it waits for.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from model.bundle import load_bundle
from model.classifier import Classifier
from model.frontend import patches
from model.running_frontend import RunningFrontend
from model.runtime import open_runtime
from monitord.listening.listener import Listener
from monitord.listening.vad import Vad
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, AudioChunk, Window
from tests.bench import sounds
from tests.bench.cost.figures import Figure
from tests.bench.sounds import Sound

CHUNK = RATE_HZ // 10
"""Samples at 16 kHz: 0.1 s, as recordings come."""
SOUND_S = 30.0
"""Length of the sound that is cut into windows (seconds)."""
CALLS = 50
"""Calls in one repetition."""
BATCH = 16
"""Windows in one pass of a replay."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--repetitions", type=int, default=20)
    arguments = parser.parse_args()
    json.dump([asdict(figure) for figure in measure(arguments.bundle, arguments.repetitions)], sys.stdout)


def measure(bundle_path: Path, repetitions: int) -> list[Figure]:
    """Takes the parts' times."""
    bundle = load_bundle(bundle_path)
    manifest = bundle.manifest
    runtime = open_runtime(bundle, "litert")
    classifier = Classifier(bundle, runtime)
    crying = sounds.crying(SOUND_S)
    hop = manifest.listener.windows.hop_frames * manifest.listener.segmenter.frame_ms * RATE_HZ // 1000
    starts = range(0, len(crying) - WINDOW_SAMPLES, hop)
    windows = [Window("room", i, crying[i : i + WINDOW_SAMPLES], 0.0, i) for i in starts]
    x = patches([window.samples for window in windows], manifest.frontend)  # float32 [n, 96, 64]
    frame = RATE_HZ * manifest.listener.segmenter.frame_ms // 1000
    frames = [crying[i : i + frame] for i in range(0, WINDOW_SAMPLES - frame + 1, frame)]
    vad = Vad(manifest.listener.vad)

    def timed(name: str, call: Callable[[int], object], per: float = 1) -> Figure:
        taken = []
        for _ in range(repetitions):
            began = time.thread_time()
            for i in range(CALLS):
                call(i)
            taken.append(1e3 * (time.thread_time() - began) / CALLS / per)
        return Figure(name, "ms", tuple(taken))

    def listen(name: str, sound: Sound) -> Figure:
        heard = sound(CALLS * repetitions * CHUNK / RATE_HZ)
        listener = Listener("room", manifest.listener)
        position = 0

        def feed(_: int) -> None:
            nonlocal position
            listener.feed(AudioChunk("room", RATE_HZ, position, heard[position : position + CHUNK], 0.0))
            position += CHUNK

        return timed(f"gate, VAD and segments, a second of {name}", feed, CHUNK / RATE_HZ)

    frontend = RunningFrontend(manifest.frontend)
    batches = [windows[i : i + BATCH] for i in range(0, len(windows) - BATCH + 1, BATCH)]
    together = timed(
        f"score {BATCH} windows at once, each", lambda i: classifier.score(batches[i % len(batches)]), BATCH
    )
    return [
        listen("a quiet room", sounds.quiet),
        listen("crying", sounds.crying),
        timed("VAD, a window", lambda _: [vad.is_voice(each) for each in frames]),
        timed("front end, a window", lambda i: frontend.patch(windows[i % len(windows)])),
        timed("network, a window", lambda i: runtime.forward(x[i % len(x) :][:1])),
        timed(f"network, {BATCH} windows at once, each", lambda _: runtime.forward(x[:BATCH]), BATCH),
        timed("score a window", lambda i: classifier.score(windows[i % len(windows) :][:1])),
        together,
        Figure("windows in a second of one core", "1/s", tuple(1e3 / value for value in together.values)),
    ]


if __name__ == "__main__":
    main()
