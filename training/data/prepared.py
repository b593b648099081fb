"""A folder of labelled windows on disk: what `monitord-train prepare` writes and every command after it reads."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.errors import ConfigError
from monitord.types import Pcm
from training.data.corpus import Recording
from training.data.recordings import load_audio
from training.data.windows import cut

WINDOWS_FILE = "windows.npz"
RECORDINGS_FILE = "recordings.json"
AUDIO_DIR = "audio"


@dataclass(frozen=True, slots=True)
class Windows:
    """n windows of many recordings, in the order of the recordings and of time."""

    recording: NDArray[np.int32]
    """Index of the recording."""
    end: NDArray[np.int32]
    """One past the last sample (samples at 16 kHz)."""
    heard: NDArray[np.bool_]
    """Whether the daemon would score it."""
    sound: NDArray[np.float32]
    """Share of the window inside segments, 0 to 1."""
    tail: NDArray[np.float32]
    """Share of its last 0.24 s inside segments, 0 to 1."""
    mn04: NDArray[np.float32]
    """Teacher's probability of a baby's cry."""
    yamnet: NDArray[np.float32]
    """Teacher's probability of a baby's cry."""
    tags: NDArray[np.float16]
    """[n, 1048], both teachers' probabilities of all their classes: mn04's 527, then YAMNet's 521."""

    def __len__(self) -> int:
        return len(self.end)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder that `prepare` made."""

    folder: Path
    data: Path
    recordings: list[Recording]
    windows: Windows

    def audio(self, index: int) -> Pcm:
        """int16 [samples] at 16 kHz of one recording."""
        return load_audio(self.recordings[index].path, self.folder / AUDIO_DIR)


def load_prepared(folder: Path) -> Prepared:
    """Reads what `prepare` wrote.

    Raises:
        ConfigError: The folder holds nothing prepared.
    """
    try:
        with (folder / RECORDINGS_FILE).open(encoding="utf-8") as file:
            listing = json.load(file)
        with np.load(folder / WINDOWS_FILE, allow_pickle=False) as arrays:
            windows = Windows(**{name: arrays[name] for name in Windows.__dataclass_fields__})
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{folder}: nothing prepared here ({error}); run: monitord-train prepare") from error
    recordings = [Recording(**(row | {"path": Path(row["path"])})) for row in listing["recordings"]]
    return Prepared(folder, Path(listing["data"]), recordings, windows)


def write_prepared(folder: Path, data: Path, recordings: list[Recording], windows: Windows) -> None:
    """Writes a folder that `load_prepared` reads; what stood there is replaced file by file, each whole."""
    rows = [asdict(recording) | {"path": str(recording.path)} for recording in recordings]
    arrays = {name: getattr(windows, name) for name in Windows.__dataclass_fields__}
    partial = folder / f"{WINDOWS_FILE}.partial.npz"
    np.savez(partial, **arrays)
    partial.replace(folder / WINDOWS_FILE)
    listing = folder / f"{RECORDINGS_FILE}.partial"
    listing.write_text(json.dumps({"data": str(data), "recordings": rows}, indent=0), encoding="utf-8")
    listing.replace(folder / RECORDINGS_FILE)


def samples_of(prepared: Prepared, rows: NDArray[np.int64], window_samples: int) -> Iterator[Pcm]:
    """Yields int16 [window_samples] of each row of `prepared.windows`, zeros before the start of its recording."""
    windows = prepared.windows
    loaded: tuple[int, Pcm] | None = None
    for row in rows.tolist():
        recording, end = int(windows.recording[row]), int(windows.end[row])
        if loaded is None or loaded[0] != recording:
            loaded = recording, prepared.audio(recording)
        yield cut(loaded[1], end, window_samples)
