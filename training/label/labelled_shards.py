"""Labelled shards on disk: augmented windows, as the network may meet them, and what both teachers say of each.

The teachers hear the mixed, coded and reverberant window, not the clean recording, so that the student can follow
them; only whether a baby cries in it comes from the recordings. A stopped run goes on with the next shard. On the
command line and in file names an augmented window is called a view.
"""

import json
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.bundle import Bundle
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from training.data.prepared import Prepared, load_prepared
from training.label.augmented_windows import AugmentationParams, AugmentedWindows
from training.label.held_out import rows_for
from training.label.mining import mistaken
from training.label.targets import cry_targets
from training.label.teachers import YAMNET_SAMPLES, Mn04Teacher, YamnetTeacher
from training.results.checkpoint_dir import claim
from training.sound.room_responses import load_rooms

SHARD: Final = 4_096
"""Windows in a file: 128 MB of sound."""


Job = tuple[Path, Path, AugmentationParams, int, int, int, NDArray[np.int64] | None]
"""A shard to write: what was prepared, where it goes, how, its number, seed, windows, and what is drawn more often."""
Engine = Callable[[Callable[[Job], object], Sequence[Job]], Iterable[int]]
"""Does every job; yields the number of each that is done."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Labelled, augmented windows."""

    samples: Pcm
    """int16 [n, WINDOW_SAMPLES] at 16 kHz."""
    cry: NDArray[np.float32]
    """[n], 0 to 1; NaN where nobody has said."""
    tags: NDArray[np.float16]
    """[n, 1048], both teachers' probabilities of all their classes: mn04's 527, then YAMNet's 521."""
    embedding: NDArray[np.float16]
    """[n, 384], mn04's."""


def teach(
    prepared: Prepared,
    folder: Path,
    params: AugmentationParams,
    *,
    shards: int,
    seed: int,
    workers: int,
    views: int = SHARD,
    miner: Bundle | None = None,
    engine: Engine | None = None,
) -> None:
    """Writes the shards that are missing.

    Args:
        prepared: What `prepare` wrote.
        folder: Where the shards go.
        params: How windows are augmented.
        shards: How many there will be.
        seed: Of all chance.
        workers: Processes.
        views: In each shard.
        miner: A bundle whose mistakes on other sound are drawn more often.
        engine: Who writes the shards; None: `workers` processes of this machine. Elsewhere `prepared` and `folder` lie
            at the same, absolute path.

    Raises:
        ConfigError: There are no cries, or nothing else, to learn from, a teacher is missing, the folder holds views of
            another kind, or the disk is full; finished shards stand.
    """
    targets = cry_targets(prepared)
    rows = rows_for(prepared, held_out=False)
    other = np.array([recording.is_cry is False for recording in prepared.recordings])[prepared.windows.recording]
    # A cry more likely than not; and other recordings, because a pause between cries is no other sound.
    if not (targets[rows] > 0.5).any() or not (other[rows] & (targets[rows] == 0.0)).any():  # noqa: PLR2004
        raise ConfigError(f"{prepared.folder}: needs both cries and other sound to learn from")
    task: dict[str, str | int | float] = {"seed": seed, "views": views, "params": json.dumps(asdict(params))}
    if miner is not None:
        task["miner"] = miner.id
    claim(folder, task)
    missing = [number for number in range(shards) if not shard_path(folder, number).exists()]
    if not missing:
        return
    mined = None if miner is None else mistaken(prepared, rows, miner)
    jobs = [(prepared.folder, folder, params, number, seed, views, mined) for number in missing]
    if engine is not None:
        for _ in tqdm(engine(_write, jobs), total=len(jobs), desc="teach", unit="shard"):
            pass
        return
    # Spawned, because ONNX Runtime's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        for _ in tqdm(pool.imap_unordered(_write, jobs), total=len(jobs), desc="teach", unit="shard"):
            pass


def load_shard(path: Path) -> Shard:
    """Reads one file that `teach` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Shard(**{name: arrays[name] for name in Shard.__dataclass_fields__})


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies."""
    return folder / f"views-{number:04d}.npz"


_drawer: dict[Path, tuple[AugmentedWindows, Mn04Teacher, YamnetTeacher]] = {}
"""What a worker process keeps from one shard to the next: decoded recordings and loaded teachers."""


def _write(job: Job) -> None:
    source, folder, params, number, seed, n, mined = job
    if source not in _drawer:
        prepared = load_prepared(source)
        windows = AugmentedWindows(
            prepared,
            cry_targets(prepared),
            rows_for(prepared, held_out=False),
            load_rooms(prepared.data / "rooms"),
            mined=mined,
            seed=seed,
            params=params,
        )
        teachers = prepared.data / "teachers"
        mn04 = Mn04Teacher(teachers / "mn04_as.onnx", threads=1)
        _drawer[source] = windows, mn04, YamnetTeacher(teachers / "yamnet.tflite", threads=1)
    windows, mn04, yamnet = _drawer[source]
    drawn = [windows.draw(number * n + i) for i in range(n)]
    samples = np.stack([x for x, _ in drawn])
    labels = mn04.label(list(samples))
    tags = np.concatenate([1.0 / (1.0 + np.exp(-labels.logits)), yamnet.label(list(samples))], axis=1)
    path = shard_path(folder, number)
    partial = path.with_suffix(f".{socket.gethostname()}.{os.getpid()}.partial.npz")
    try:
        np.savez(
            partial,
            samples=samples,
            cry=np.array([cry for _, cry in drawn], np.float32),
            tags=tags.astype(np.float16),
            embedding=labels.embeddings.astype(np.float16),
        )
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}; finished shards stand") from error
    finally:
        partial.unlink(missing_ok=True)


assert WINDOW_SAMPLES == YAMNET_SAMPLES
