"""Teachers: AudioSet networks that say how much a window sounds like a baby's cry. Their outputs train ours."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitord.errors import BundleError, ConfigError
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.label.mn04_frontend import log_mel

MN04_CRY: Final = 23
"""Row of "Baby cry, infant cry" among AudioSet's 527 classes (class_labels_indices.csv)."""
YAMNET_CRY: Final = 20
"""Row of "Baby cry, infant cry" among YAMNet's 521 classes (yamnet_class_map.csv)."""
MN04_BABY_LAUGHTER, YAMNET_BABY_LAUGHTER = 17, 14
"""Rows of "Baby laughter" in the same two lists."""
MN04_LAUGHTER, YAMNET_LAUGHTER = range(16, 22), range(13, 19)
"""Rows of laughter and its kinds, from "Laughter" to "Chuckle, chortle", in the same two lists."""
MN04_CLASSES: Final = 527
"""AudioSet's classes."""
MN04_WIDTH: Final = 384
"""Length of mn04's embedding."""
YAMNET_CLASSES: Final = 521
"""YAMNet's classes."""
YAMNET_SAMPLES: Final = 15_600
"""What YAMNet takes (samples at 16 kHz): 0.975 s."""
YAMNET_HOP_SAMPLES: Final = 7_680
"""From one patch to the next in longer sound (samples at 16 kHz): 0.48 s (yamnet/params.py, patch_hop_seconds)."""
BATCH_SECONDS: Final = 32.0
"""How much sound one run of mn04 takes at most (seconds): larger batches were no faster on two cores."""
MIN_SAMPLES: Final = 2_880
"""Shorter sound is padded with zeros up to this (samples at 16 kHz): 0.18 s, the shortest segment there is."""


class Teacher(Protocol):
    """A network that scores sound for a baby's cry."""

    @property
    def name(self) -> str:
        """Short name, used in file names and tables."""

    @property
    def window_s(self) -> float:
        """Length of sound that it likes best (seconds)."""

    def scores(self, windows: Sequence[Pcm]) -> NDArray[np.float32]:
        """Returns float32 [n], probability of "Baby cry, infant cry" per window of int16 at 16 kHz, any lengths."""


@dataclass(frozen=True, slots=True)
class Mn04Labels:
    """All that mn04 says about n windows."""

    logits: NDArray[np.float32]
    """float32 [n, 527], before the sigmoid, in AudioSet's order."""
    embeddings: NDArray[np.float32]
    """float32 [n, 384], what the classifier rests on."""

    @property
    def p_cry(self) -> NDArray[np.float32]:
        """float32 [n], probability of "Baby cry, infant cry"."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.logits[:, MN04_CRY])), np.float32)


class Mn04Teacher:
    """EfficientAT's mn04 on ONNX Runtime, which is kept from phoning home.

    Args:
        path: `mn04_as.onnx`.
        threads: Cores to use.

    Raises:
        ConfigError: There is no such file.
        BundleError: It is no ONNX file, or another network.
    """

    name: Final = "mn04"
    window_s: Final = 10.0
    """AudioSet's clips are 10 s; it scores shorter sound lower, but ranks it well."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        _require_file(path)
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime  # noqa: PLC0415  reads the switch above when it is loaded
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals  # noqa: PLC0415  the same

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            # ONNX Runtime ships no types.
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (refusals.InvalidProtobuf, refusals.InvalidGraph, refusals.Fail) as error:
            raise BundleError(f"{path}: not a network that ONNX Runtime can load: {error}") from error
        found = {output.name: output.shape[-1] for output in self._session.get_outputs()}
        if found != {"logits": MN04_CLASSES, "embedding": MN04_WIDTH}:
            raise BundleError(f"{path}: outputs {found}, expected logits [n, 527] and embedding [n, 384]: not mn04")

    def scores(self, windows: Sequence[Pcm]) -> NDArray[np.float32]:
        """Returns float32 [n], probability of "Baby cry, infant cry" per window of int16 at 16 kHz, any lengths."""
        return self.label(windows).p_cry

    def label(self, windows: Sequence[Pcm]) -> Mn04Labels:
        """Returns logits and embeddings in the order of `windows`, int16 at 16 kHz, any lengths."""
        logits = np.empty((len(windows), MN04_CLASSES), np.float32)
        embeddings = np.empty((len(windows), MN04_WIDTH), np.float32)
        for rows, batch in _batches(windows):
            logits[rows], embeddings[rows] = self._session.run(["logits", "embedding"], {"logmel": log_mel(batch)})
        return Mn04Labels(logits, embeddings)


class YamnetTeacher:
    """YAMNet on LiteRT. Sound longer than 0.975 s is scored in whole patches every 0.48 s, and the mean counts.

    Args:
        path: `yamnet.tflite`.
        threads: Cores to use.

    Raises:
        ConfigError: There is no such file.
        BundleError: It is no LiteRT file, or another network.
    """

    name: Final = "yamnet"
    window_s: Final = YAMNET_SAMPLES / RATE_HZ
    """Seconds; the only length that it takes."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        _require_file(path)
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  only who labels pays for it

        try:
            # LiteRT ships no types.
            self._network: Any = Interpreter(model_path=str(path), num_threads=threads)
        except ValueError as error:
            raise BundleError(f"{path}: not a network that LiteRT can load: {error}") from error
        taken, given = self._network.get_input_details()[0], self._network.get_output_details()[0]
        if tuple(taken["shape"]) != (YAMNET_SAMPLES,) or tuple(given["shape"]) != (1, YAMNET_CLASSES):
            raise BundleError(f"{path}: {taken['shape']} to {given['shape']}, expected [15600] to [1, 521]: not YAMNet")
        self._network.allocate_tensors()
        self._taken, self._given = taken["index"], given["index"]

    def scores(self, windows: Sequence[Pcm]) -> NDArray[np.float32]:
        """Returns float32 [n], probability of "Baby cry, infant cry" per window of int16 at 16 kHz, any lengths."""
        return self.label(windows)[:, YAMNET_CRY]

    def label(self, windows: Sequence[Pcm]) -> NDArray[np.float32]:
        """Returns float32 [n, 521], probabilities of YAMNet's classes per window of int16 at 16 kHz, any lengths."""
        return np.array([self._score(window) for window in windows], np.float32).reshape(-1, YAMNET_CLASSES)

    def _score(self, window: Pcm) -> NDArray[np.float32]:
        sound = window.astype(np.float32) / np.float32(FULL_SCALE)
        sound = np.pad(sound, (0, max(0, YAMNET_SAMPLES - len(sound))))
        starts = range(0, len(sound) - YAMNET_SAMPLES + 1, YAMNET_HOP_SAMPLES)
        patches = [self._patch(sound[start : start + YAMNET_SAMPLES]) for start in starts]
        return np.asarray(np.mean(patches, axis=0), np.float32)

    def _patch(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        self._network.set_tensor(self._taken, sound)
        self._network.invoke()
        return np.array(self._network.get_tensor(self._given)[0], np.float32)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"{path}: no such teacher; give the folder that holds mn04_as.onnx and yamnet.tflite")


def _batches(windows: Sequence[Pcm]) -> Iterator[tuple[list[int], Pcm]]:
    """Yields (row numbers, int16 [n, samples]): equal lengths together, at most `BATCH_SECONDS` of sound each."""
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for row, window in enumerate(windows):
        by_length[max(len(window), MIN_SAMPLES)].append(row)
    for length, rows in by_length.items():
        step = max(1, int(BATCH_SECONDS * RATE_HZ / length))
        for first in range(0, len(rows), step):
            batch = rows[first : first + step]
            yield batch, np.stack([np.pad(windows[row], (0, length - len(windows[row]))) for row in batch])
