"""A recording as the house hears it: any file to int16 at 16 kHz, over the daemon's own road, and kept on disk."""

import hashlib
import os
import tempfile
from pathlib import Path

import av
import numpy as np

from model.decoding.frames import pcm_frames
from monitord.errors import SourceError
from monitord.pcm import Resampler
from monitord.types import Pcm


def load_audio(path: Path, cache_dir: Path | None = None) -> Pcm:
    """Returns int16 [samples] at 16 kHz, mono.

    Args:
        path: A file with sound in any container.
        cache_dir: Where decoded sound is kept, one `.npy` per content (SHA-256 of the file's bytes); made if missing.
            Without it nothing is kept.

    Raises:
        SourceError: The file is missing, is no media, holds no sound, or is damaged.
    """
    if cache_dir is None:
        return _decode(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    kept = cache_dir / f"{digest}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept, allow_pickle=False), np.int16)
    samples = _decode(path)
    _write_whole(kept, samples)
    return samples


def _decode(path: Path) -> Pcm:
    parts: list[Pcm] = []
    resampler: Resampler | None = None
    try:
        with av.open(str(path)) as container:
            for samples, rate_hz in pcm_frames(container, str(path)):
                if resampler is None or resampler.rate_hz != rate_hz:
                    parts += [] if resampler is None else [resampler.flush()]
                    resampler = Resampler(rate_hz)
                parts.append(resampler.feed(samples))
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(f"{path}: no sound can be read from it: {error.strerror or error}") from error
    if resampler is None:
        raise SourceError(f"{path}: its audio track is empty")
    return np.concatenate([*parts, resampler.flush()])


def _write_whole(path: Path, samples: Pcm) -> None:
    """Writes under another name first, so that a reader never sees half a file and two writers never mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, samples, allow_pickle=False)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
