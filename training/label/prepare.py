"""Recordings to labelled windows: `monitord-train prepare`.

Every recording is heard by the daemon's own `Listener`. Windows fall on the listener's grid; those that the daemon
would score are marked `heard`, the others are kept too, because the gate is judged by them and because a network may
learn from them. The teachers score each window, so a label speaks of a second of sound and not of a whole recording.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from monitord.errors import SourceError
from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Pcm
from training.data.corpus import Recording, read_corpus
from training.data.prepared import AUDIO_DIR, WINDOWS_FILE, Prepared, Windows, load_prepared, write_prepared
from training.data.recordings import load_audio
from training.data.windows import all_windows, hear
from training.label.laughs import is_laugh, made_from, no_cry
from training.label.teachers import MN04_CLASSES, YAMNET_CLASSES, YAMNET_CRY, Mn04Teacher, YamnetTeacher

LAUGHS_DIR = "laughs"


def prepare(data: Path, folder: Path, params: ListenerParams) -> Prepared:
    """Hears and labels all recordings under `data`, and babies' laughs made of them; writes and returns `folder`.

    What the teachers said in an earlier run over the same folder is used again, so that hearing anew, with other
    parameters, takes a minute. A recording without sound is skipped with a line that names it. Nothing half-written
    is left behind.

    Raises:
        ConfigError: `data` is not the folder that is expected, or a teacher is missing.
    """
    teachers = _Teachers(data / "teachers", folder)
    folder.mkdir(parents=True, exist_ok=True)
    recordings: list[Recording] = []
    parts: list[Windows] = []
    laughs: list[Recording] = []
    for recording in tqdm(read_corpus(data), desc="hear and label", unit="recording", mininterval=1.0):
        part = _heard(recording, len(recordings), folder, params, teachers)
        if part is None:
            continue
        if is_laugh(recording, part.tags):
            laughs += made_from(recording, load_audio(recording.path, folder / AUDIO_DIR), folder / LAUGHS_DIR)
        parts.append(part)
        recordings.append(recording)
    for laugh in tqdm(laughs, desc="make babies' laughs", unit="laugh", mininterval=1.0):
        part = _heard(laugh, len(recordings), folder, params, teachers)
        if part is not None and no_cry([part.mn04, part.yamnet]):
            parts.append(part)
            recordings.append(laugh)
    windows_all = _concatenate(parts)
    write_prepared(folder, data, recordings, windows_all)
    return Prepared(folder, data, recordings, windows_all)


def _heard(
    recording: Recording, index: int, folder: Path, params: ListenerParams, teachers: "_Teachers"
) -> Windows | None:
    """The windows of one recording; None where it holds no sound, or nothing long enough for a window."""
    try:
        samples = load_audio(recording.path, folder / AUDIO_DIR)
    except SourceError as error:
        tqdm.write(f"skipped: {error}")
        return None
    windows, segments = hear(samples, all_windows(params))
    if not windows:
        return None
    heard = [window.end for window in hear(samples, params)[0]]
    ends = np.array([window.end for window in windows], np.int32)
    inside = np.zeros(len(samples) + 1, np.int64)
    for segment in segments:
        inside[segment.start + 1 : segment.start + len(segment.samples) + 1] = 1
    inside = np.cumsum(inside)
    hop = params.windows.hop_frames * params.segmenter.frame_ms * RATE_HZ // 1000
    return Windows(
        recording=np.full(len(ends), index, np.int32),
        end=ends,
        heard=np.isin(ends, heard),
        sound=_share(inside, ends, WINDOW_SAMPLES),
        tail=_share(inside, ends, hop),
        **teachers.label(recording, ends, [window.samples for window in windows]),
    )


class _Teachers:
    """Both teachers, and what they said before."""

    def __init__(self, models: Path, folder: Path) -> None:
        self._mn04 = Mn04Teacher(models / "mn04_as.onnx")
        self._yamnet = YamnetTeacher(models / "yamnet.tflite")
        self._before: dict[Path, tuple[Windows, NDArray[np.int64]]] = {}
        if (folder / WINDOWS_FILE).exists():
            old = load_prepared(folder)
            bounds = np.searchsorted(old.windows.recording, np.arange(len(old.recordings) + 1))
            for index, recording in enumerate(old.recordings):
                self._before[recording.path] = old.windows, np.arange(bounds[index], bounds[index + 1])

    def label(self, recording: Recording, ends: NDArray[np.int32], samples: list[Pcm]) -> dict[str, NDArray[Any]]:
        """Returns the columns `mn04`, `yamnet` and `tags` of one recording's windows. Any: float32 and float16."""
        if recording.path in self._before:
            windows, rows = self._before[recording.path]
            if np.array_equal(windows.end[rows], ends) and windows.tags.shape[1] == MN04_CLASSES + YAMNET_CLASSES:
                return {name: getattr(windows, name)[rows] for name in ("mn04", "yamnet", "tags")}
        labels = self._mn04.label(samples)
        yamnet = self._yamnet.label(samples)
        tags = np.concatenate([1.0 / (1.0 + np.exp(-labels.logits)), yamnet], axis=1).astype(np.float16)
        return {"mn04": labels.p_cry, "yamnet": yamnet[:, YAMNET_CRY], "tags": tags}


def _share(inside: NDArray[np.int64], ends: NDArray[np.int32], length: int) -> NDArray[np.float32]:
    starts = np.maximum(ends - length, 0)
    last = len(inside) - 1
    return ((inside[np.minimum(ends, last)] - inside[np.minimum(starts, last)]) / length).astype(np.float32)


def _concatenate(parts: list[Windows]) -> Windows:
    return Windows(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in Windows.__dataclass_fields__})
