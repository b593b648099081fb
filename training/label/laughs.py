"""Babies' laughter, of which no free collection exists: grown-ups' laughs, raised in pitch and formants and repeated.

A baby's voice is shorter from the folds to the lips than a grown-up's: everything lies higher, pitch and resonances
alike, as in a recording that is played faster. Playing faster also laughs faster, and that is stretched back. Which
clips are laughs is told by the teachers, and so is whether what was made of them may be taken for a cry: then nobody
learns from it.
"""

import hashlib
import json
import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.data.corpus import Recording
from training.label.teachers import MN04_CLASSES, MN04_LAUGHTER, YAMNET_LAUGHTER
from training.sound.augment import Wave, speed

KIND: Final = "laugh:raised"
"""Of a made laugh."""
SOURCES: Final = ("emogator:", "laughing")
"""How the kinds begin that laughs are made from."""
LAUGH_FROM: Final = 0.3
"""Score of any kind of laughter, of either teacher, from which a clip is one: in a window of it."""
CRY_BELOW: Final = 0.1
"""Score of a cry, of both teachers in every window, under which a made laugh is one."""
RAISED: Final = ((1.3, 1.55), (1.55, 1.85))
"""Factors of the two that are made of each clip: a woman's laugh to a child's and to a baby's, a man's to a child's."""
WAVER: Final = 0.06
"""By how much the factor changes from one repetition to the next: nobody laughs the same twice."""
BOUT_S: Final = (2.5, 5.0)
"""Seconds of laughing in one go."""
SEAM_S: Final = 0.03
"""Seconds over which one repetition fades into the next."""
QUICKER: Final = 0.3
"""How much of the higher speed stays, as an exponent of the factor: small bodies are a little quicker."""


def is_laugh(recording: Recording, tags: NDArray[Any]) -> bool:
    """Says whether a recording is a grown-up's laugh, by its kind and by the teachers.

    Args:
        recording: What is known about it.
        tags: float [windows, 1048], both teachers' probabilities in its windows. Any: float16 or float32.
    """
    if not recording.kind.startswith(SOURCES) or not len(tags):
        return False
    columns = [*MN04_LAUGHTER, *(MN04_CLASSES + row for row in YAMNET_LAUGHTER)]
    return bool(tags[:, columns].max() >= LAUGH_FROM)


def made_from(recording: Recording, samples: Pcm, folder: Path) -> Iterator[Recording]:
    """Makes laughs of one and writes them as WAV; yields them as recordings of the same group and side.

    The same recording gives the same laughs, whatever else there is; one that lies in the folder is not made again.

    Args:
        recording: A laugh.
        samples: int16 [n] at 16 kHz, its sound.
        folder: Where they go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (low, high) in enumerate(RAISED):
        path = folder / f"{recording.dataset}-{recording.path.stem}-{number}.wav"
        if not path.exists():
            seed = hashlib.sha256(json.dumps([recording.dataset, recording.path.name, number]).encode()).digest()
            rng = np.random.default_rng(int.from_bytes(seed[:8], "big"))
            _write(path, bout(samples, float(rng.uniform(low, high)), rng))
        yield replace(recording, path=path, kind=KIND)


def bout(samples: Pcm, factor: float, rng: np.random.Generator) -> Pcm:
    """Raises a laugh and repeats it until a baby would need breath; int16 at 16 kHz in and out."""
    sound = samples.astype(np.float32) / np.float32(FULL_SCALE)
    least = int(rng.uniform(*BOUT_S) * RATE_HZ)
    out = raised(sound, factor)
    while len(out) < least:
        again = raised(sound, factor * float(np.exp(rng.uniform(-WAVER, WAVER))))
        out = _joined(out, again * np.float32(np.exp(rng.normal(0.0, 0.2))))
    out /= np.float32(max(1.0, float(np.abs(out).max())))
    return np.asarray(np.rint(out * (FULL_SCALE - 1)), np.int16)


def raised(sound: Wave, factor: float) -> Wave:
    """Raises pitch and formants by a factor of 1 to 2; it grows shorter by the factor to the power `QUICKER`."""
    return stretched(speed(sound, factor), factor ** (QUICKER - 1.0))


def stretched(sound: Wave, tempo: float) -> Wave:
    """Changes the tempo and not the pitch, by overlapping pieces that fit (FFmpeg's `atempo`): 0.5 is half as fast."""
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=RATE_HZ, layout="mono", time_base=Fraction(1, RATE_HZ))
    change, sink = graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts = RATE_HZ, 0
    graph.push(frame)
    graph.push(None)
    parts: list[Wave] = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray()[0])
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(parts) if parts else sound[:0]


def no_cry(scores: Sequence[NDArray[np.float32]]) -> bool:
    """Says whether no teacher hears a cry in any window: [windows] of each teacher."""
    return all(float(one.max(initial=0.0)) < CRY_BELOW for one in scores)


def _joined(first: Wave, second: Wave) -> Wave:
    seam = min(int(SEAM_S * RATE_HZ), len(first), len(second))
    falling = np.linspace(1, 0, seam, dtype=np.float32)
    middle = first[len(first) - seam :] * falling + second[:seam] * falling[::-1]
    return np.concatenate([first[: len(first) - seam], middle, second[seam:]])


def _write(path: Path, samples: Pcm) -> None:
    partial = path.with_suffix(".partial")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    partial.replace(path)
