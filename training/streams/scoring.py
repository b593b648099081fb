"""What a network says along a stream: ours as the daemon hears it, the peers as they are used."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.listening.listener import Listener
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, AudioChunk, Pcm, Window
from training.label.teachers import Teacher
from training.streams.false_alarms import Heard
from training.streams.mixing import Stream

CHUNK: Final = 60 * RATE_HZ
"""Samples heard at once: a minute."""
HEARD: Final[Pcm] = np.broadcast_to(np.int16(0), WINDOW_SAMPLES)
"""Stands for a window's sound after it was scored: hours of windows would not fit into memory."""

Scorer = Callable[[Sequence[Window]], NDArray[np.float32]]
"""Windows to float32 [n] probabilities of a cry."""


def bundle_scorer(bundle: Bundle) -> Scorer:
    """Ours, on LiteRT as in the daemon."""
    classifier = Classifier(bundle, open_runtime(bundle, "litert"))
    return lambda windows: np.array([scores.p_cry for scores in classifier.score(windows)], np.float32)


def teacher_scorer(teacher: Teacher) -> Scorer:
    """A peer."""
    return lambda windows: teacher.scores([window.samples for window in windows])


def hear_stream(stream: Stream, bundle: Bundle, scorer: Scorer) -> Heard:
    """Runs the daemon's ear over a stream and scores its windows."""
    listener = Listener("stream", bundle.manifest.listener)
    kept: list[Window] = []
    p_cry: list[float] = []
    for start in range(0, len(stream.samples), CHUNK):
        chunk = AudioChunk("stream", RATE_HZ, start, stream.samples[start : start + CHUNK], start / RATE_HZ)
        last = start + CHUNK >= len(stream.samples)
        items = listener.feed(chunk) + (listener.flush() if last else [])
        windows = [item for item in items if isinstance(item, Window)]
        p_cry += scorer(windows).tolist() if windows else []
        kept += [replace(window, samples=HEARD) for window in windows]
    return Heard(stream, kept, p_cry)


def slide(stream: Stream, scorer: Scorer, hop: int) -> Heard:
    """Scores every window of a stream, `hop` samples at 16 kHz apart, as programs do that have no ear of their own."""
    p_cry: list[float] = []
    kept: list[Window] = []
    for batch in _batches(stream.samples, hop):
        p_cry += scorer(batch).tolist()
        kept += [replace(window, samples=HEARD) for window in batch]
    return Heard(stream, kept, p_cry)


def _batches(samples: Pcm, hop: int) -> Iterator[list[Window]]:
    batch: list[Window] = []
    for start in range(0, len(samples) - WINDOW_SAMPLES + 1, hop):
        cut = samples[start : start + WINDOW_SAMPLES]
        batch.append(Window("stream", start, cut, start / RATE_HZ, start))
        if len(batch) == 32:  # noqa: PLR2004 - more at once is no faster
            yield batch
            batch = []
    if batch:
        yield batch
