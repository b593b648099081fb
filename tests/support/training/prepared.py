"""What `prepare` would have made of a few sounds from formulas, with scores in place of the teachers'."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from tests.support.sound.sounds import write_wav
from training.data.corpus import Dataset, Recording
from training.data.prepared import Prepared, Windows, write_prepared
from training.data.windows import all_windows, hear
from training.label.teachers import MN04_BABY_LAUGHTER, MN04_CLASSES, YAMNET_CLASSES

TAGS = MN04_CLASSES + YAMNET_CLASSES
"""Classes that both teachers tell apart."""
CRY_TAG, OTHER_TAG = 1, 2
"""What stands high in the windows of cry recordings, and in those of all others."""
HOP = 3_840
"""Samples at 16 kHz between two windows: 0.24 s."""


@dataclass(frozen=True)
class Take:
    """One recording to be."""

    name: str
    samples: Pcm
    is_cry: bool | None
    p_cry: float | Sequence[float] = 0.0
    """What both teachers say of its windows: of all, or one after the other."""
    kind: str = "dog"
    group: str = ""
    """The name where empty."""
    reason: str | None = None
    held_out: bool = False
    laugh: float = 0.0
    """What mn04 says of "Baby laughter" in its windows."""
    dataset: Dataset = "home"


def prepared_from(folder: Path, takes: Sequence[Take]) -> Prepared:
    """Writes the sounds and hears them with the daemon's ear; shares of sound are counted sample by sample."""
    folder.mkdir(parents=True, exist_ok=True)
    recordings, columns = [], []
    for index, take in enumerate(takes):
        path = write_wav(folder / f"{take.name}.wav", take.samples)
        recordings.append(
            Recording(path, take.dataset, take.kind, take.group or take.name, take.is_cry, take.reason, take.held_out)
        )
        columns.append(_columns(index, take))
    joined: dict[str, Any] = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    return Prepared(folder, folder, recordings, Windows(**joined))


def on_disk(prepared: Prepared) -> Prepared:
    """Leaves it in its folder as `prepare` does, for what runs in another process."""
    write_prepared(prepared.folder, prepared.data, prepared.recordings, prepared.windows)
    return prepared


def _columns(index: int, take: Take) -> dict[str, NDArray[Any]]:
    windows, segments = hear(take.samples, all_windows(ListenerParams()))
    heard = {window.end for window in hear(take.samples, ListenerParams())[0]}
    inside = np.zeros(len(take.samples), np.bool_)
    for segment in segments:
        inside[segment.start : segment.start + len(segment.samples)] = True
    ends = [window.end for window in windows]
    p_cry = np.full(len(ends), take.p_cry) if isinstance(take.p_cry, float) else np.array(take.p_cry)
    tags = np.zeros((len(ends), TAGS))
    tags[:, CRY_TAG if take.is_cry else OTHER_TAG] = 0.9
    tags[:, MN04_BABY_LAUGHTER] = take.laugh
    return {
        "recording": np.full(len(ends), index, np.int32),
        "end": np.array(ends, np.int32),
        "heard": np.array([end in heard for end in ends], np.bool_),
        "sound": np.array([inside[max(0, e - WINDOW_SAMPLES) : e].sum() / WINDOW_SAMPLES for e in ends], np.float32),
        "tail": np.array([inside[max(0, e - HOP) : e].sum() / HOP for e in ends], np.float32),
        "mn04": p_cry.astype(np.float32),
        "yamnet": p_cry.astype(np.float32),
        "tags": tags.astype(np.float16),
    }
