"""One system in a process of its own: `peer.py NAME FOLDER`. It starts, hears, and says as JSON lines what that cost.

The folder holds the sounds and `plan.json` (see `peers.py`). The first line comes when the first window is decided,
the second when everything is heard; then the process stays until its standard input ends, so that its memory can be
read. One thread. Nothing is imported that the system itself would not need.
"""

import json
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

RATE_HZ = 16_000
"""Of all sounds (hertz)."""
CHUNK = 1_600
"""Samples in which ours gets its sound: 0.1 s, as recordings come."""
WINDOW = 15_600
"""Samples that YAMNet and VGGish see: 0.975 s."""
FRIGATE_MIN_VOLUME = 500
"""RMS of int16 under which Frigate does not look (`audio.min_volume`, its default): -36.3 dBFS."""
MN04_HOP = 7_680
"""Samples between two windows of mn04: 0.48 s, as in `monitord-train streams`."""
YAMNET_CRY, MN04_CRY = 20, 23
"""Rows of "Baby cry, infant cry"."""
YAMNET_ON, MN04_ON = 0.5, 0.1
"""One window over it decides, as in `monitord-train streams`; Frigate itself asks for 0.8."""

# Any, here and below: int16 and float32 arrays, and libraries without types.
Pcm = Any
Plan = dict[str, Any]


class System(Protocol):
    """Hears a stream."""

    def begin(self) -> None:
        """A new stream: nothing is known of the room."""

    def hear(self, samples: Pcm, starts: list[int]) -> tuple[int, float | None]:
        """Hears on; returns how many windows went through the network, and when a cry was found, or None.

        Args:
            samples: int16 at 16 kHz.
            starts: Where our channel would look (samples), for systems without one.

        Returns:
            The time is in seconds of this sound, computing included.
        """


class Ours:
    """The daemon's worker with its channel, network and tracker; without capture, outbox and MQTT."""

    def __init__(self, bundle_path: str) -> None:
        from model.bundle import load_bundle  # noqa: PLC0415 - each system imports its own
        from model.classifier import Classifier  # noqa: PLC0415 - the same
        from model.runtime import open_runtime  # noqa: PLC0415 - the same

        self._bundle = load_bundle(Path(bundle_path))
        self._runtime = open_runtime(self._bundle, "litert")
        self.name, self.fault = "counted", ""
        self.windows = 0
        self._classifier = Classifier(self._bundle, self)
        self._found = False

    def forward(self, patches: Any) -> Any:
        """As `Runtime.forward`, counted."""
        self.windows += len(patches)
        return self._runtime.forward(patches)

    def begin(self) -> None:
        """As `System`."""
        from service.capture.inbox import Inbox  # noqa: PLC0415 - the same
        from service.pipeline.channel import SourceChannel  # noqa: PLC0415 - each system imports its own
        from service.pipeline.worker import Worker  # noqa: PLC0415 - the same

        manifest = self._bundle.manifest
        self._inbox = Inbox("room")
        self._worker = Worker(
            [SourceChannel.of(self._inbox, manifest.listener, manifest.tracker)],
            self._classifier,
            self,
            threading.Event(),
        )
        self._found = False

    def hear(self, samples: Pcm, _starts: list[int]) -> tuple[int, float | None]:
        """As `System`; in chunks of 0.1 s, a round of the worker each."""
        before, found_s = self.windows, None
        for start in range(0, len(samples), CHUNK):
            began = time.process_time()
            chunk = samples[start : start + CHUNK]
            self._inbox.write(chunk, RATE_HZ, 0.0)
            self._worker.round()
            if self._found and found_s is None:
                found_s = (start + len(chunk)) / RATE_HZ + time.process_time() - began
        return self.windows - before, found_s

    def event(self, _channel: object, event: Any) -> None:
        """An episode moved."""
        self._found = self._found or event.event_type == "started"

    def segment(self, *_: object) -> None:
        """A sound was scored."""

    def tick(self) -> None:
        """A round is over."""


class Windows:
    """A network on windows that are cut for it, without a channel of its own.

    Args:
        score: int16 [samples] -> probability of a cry, or None where it was not trained to say.
        on: Probability from which one window decides.
        hop: Samples between its own windows; None: it looks where our channel looks, and is told so for free.
        least_rms: int16 RMS under which it does not look.
    """

    def __init__(
        self, score: Callable[[Pcm], float | None], on: float = 1.0, hop: int | None = None, least_rms: float = 0.0
    ) -> None:
        self._score, self._on, self._hop, self._least_rms = score, on, hop, least_rms

    def begin(self) -> None:
        """As `System`; it keeps nothing."""

    def hear(self, samples: Pcm, starts: list[int]) -> tuple[int, float | None]:
        """As `System`."""
        if self._hop is not None:
            starts = list(range(0, len(samples) - WINDOW + 1, self._hop))
        windows, found_s = 0, None
        for start in starts:
            began = time.process_time()
            window = samples[start : start + WINDOW]
            if self._least_rms and np.sqrt(np.mean(np.square(window.astype(np.float32)))) < self._least_rms:
                continue
            windows += 1
            p_cry = self._score(window)
            if p_cry is not None and p_cry >= self._on and found_s is None:
                found_s = (start + WINDOW) / RATE_HZ + time.process_time() - began
        return windows, found_s


def _litert(path: Path) -> Callable[[Any], Any]:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - each system imports its own

    network = Interpreter(model_path=str(path), num_threads=1)
    network.allocate_tensors()
    taken, given = network.get_input_details()[0]["index"], network.get_output_details()[0]["index"]

    def run(x: Any) -> Any:
        network.set_tensor(taken, x)
        network.invoke()
        return network.get_tensor(given)

    return run


def _yamnet(plan: Plan) -> Callable[[Pcm], float]:
    run = _litert(Path(plan["teachers"]) / "yamnet.tflite")
    return lambda window: float(run(window.astype(np.float32) / np.float32(32768))[0, YAMNET_CRY])


def _mn04(plan: Plan) -> Callable[[Pcm], float]:
    from training.label.teachers import Mn04Teacher  # noqa: PLC0415 - each system imports its own

    teacher = Mn04Teacher(Path(plan["teachers"]) / "mn04_as.onnx", threads=1)
    return lambda window: float(teacher.scores([window])[0])


def _published(plan: Plan) -> Callable[[Pcm], None]:
    from tests.bench.peers.published_frontend import patch  # noqa: PLC0415 - each system imports its own

    run = _litert(Path(plan["bundle"]) / "model.tflite")

    def score(window: Pcm) -> None:
        run(patch(window)[None])

    return score


def _keras(plan: Plan, *, full: bool) -> Callable[[Pcm], None]:
    import tensorflow as tf  # noqa: PLC0415 - each system imports its own

    from model.vggish import COMPACT, FULL, build_classifier  # noqa: PLC0415 - the same
    from tests.bench.peers.published_frontend import patch  # noqa: PLC0415 - the same

    del plan
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = build_classifier(FULL if full else COMPACT)
    serve = tf.function(
        lambda x: model(x, training=False)["cry"], input_signature=[tf.TensorSpec((None, 96, 64), tf.float32)]
    )

    def score(window: Pcm) -> None:
        serve(patch(window)[None]).numpy()

    return score


SYSTEMS: dict[str, Callable[[Plan], System]] = {
    "ours": lambda plan: Ours(plan["bundle"]),
    "ours-full": lambda plan: Ours(plan["full"]),
    "frigate": lambda plan: Windows(_yamnet(plan), YAMNET_ON, WINDOW, FRIGATE_MIN_VOLUME),
    "yamnet": lambda plan: Windows(_yamnet(plan), YAMNET_ON),
    "mn04": lambda plan: Windows(_mn04(plan), MN04_ON, MN04_HOP),
    "published": lambda plan: Windows(_published(plan)),
    "keras-full": lambda plan: Windows(_keras(plan, full=True)),
    "keras-compact": lambda plan: Windows(_keras(plan, full=False)),
}
"""By the name on the command line; each is built in its own process."""


def main() -> None:
    """Starts, hears, says, waits."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    plan: Plan = json.loads((folder / "plan.json").read_text())
    system = SYSTEMS[name](plan)
    system.begin()
    crying = _read(folder / "crying.wav")
    system.hear(crying[: 2 * WINDOW], [0])  # until a window was decided
    _say({"ready": True})
    settle = plan["settle"]
    cpu_s, windows = {}, {}
    for sound in plan["sounds"]:
        samples, starts = _read(folder / f"{sound}.wav"), plan["starts"][sound]
        system.begin()
        system.hear(samples[:settle], [])
        began = time.process_time()
        windows[sound], _ = system.hear(samples[settle:], starts)
        cpu_s[sound] = time.process_time() - began
    found_s = []
    for onset, at_s in plan["onsets"].items():
        system.begin()
        _, decided_s = system.hear(_read(folder / f"{onset}.wav"), plan["starts"][onset])
        found_s.append(None if decided_s is None else decided_s - at_s)
    _say({"cpu_s": cpu_s, "windows": windows, "found_s": found_s})
    sys.stdin.read()


def _read(path: Path) -> Pcm:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _say(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
