"""An archive in parts: each is heard by one process and written whole, so that a stop loses only those in hand."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from model.bundle import Bundle, load_bundle
from model.forward import Runtime
from model.runtime import Choice, open_runtime
from monitord.errors import BundleError, ConfigError
from service.archive.listing import Recording
from service.messages.json_lines import Line, archive_row
from service.pipeline.recordings import hear, source_ids

PART_RECORDINGS: Final = 16
"""Most recordings in a part: short ones are heard in 3 s then, of which a tenth is the first one's start."""
PART_BYTES: Final = 16 * 2**20
"""Bytes after which a part ends: 9 minutes of WAV or 2 hours of Opus, which is half a minute of hearing."""


@dataclass(frozen=True, slots=True)
class Ears:
    """What an archive is heard by."""

    bundle: Path | None
    """Directory of the model; None: the one that comes with monitord."""
    bundle_id: str
    """The model's: on every machine it is the same, or it does not hear."""
    runtime: Choice
    version: str
    """Of monitord."""


@dataclass(frozen=True, slots=True)
class Part:
    """Recordings that follow each other, and where their rows go."""

    folder: Path
    """Of the archive."""
    recordings: tuple[Recording, ...]
    ears: Ears
    rows: Path
    """Named after all that the rows depend on: where it exists, it is finished and right."""

    @property
    def size(self) -> int:
        """Bytes of its recordings."""
        return sum(recording.size for recording in self.recordings)


def cut(folder: Path, recordings: Sequence[Recording], ears: Ears, work: Path) -> list[Part]:
    """Cuts an archive into parts, in its order; the same archive is always cut alike.

    Args:
        folder: Of the archive.
        recordings: Sorted.
        ears: What they are heard by.
        work: Where the rows of each part go.
    """
    parts: list[Part] = []
    taken: list[Recording] = []
    for recording in recordings:
        taken.append(recording)
        if len(taken) == PART_RECORDINGS or sum(one.size for one in taken) >= PART_BYTES:
            parts.append(_part(folder, taken, ears, work))
            taken = []
    return [*parts, _part(folder, taken, ears, work)] if taken else parts


def hear_part(part: Part) -> None:
    """Hears a part and writes its rows, JSON lines in the order of its recordings.

    Raises:
        BundleError: The model is not the one that was asked for.
        ConfigError: The rows cannot be written.
    """
    bundle, runtime = _opened(part.ears)
    paths = [part.folder / recording.name for recording in part.recordings]
    ids = [source_ids([path])[0] for path in paths]  # each as if it were heard alone
    rows: list[str] = []
    lines: list[Line] = []
    heard = hear(zip(ids, paths, strict=True), bundle, runtime, lines.append)
    for recording, one in zip(part.recordings, heard, strict=True):
        error = None if one.error is None else str(one.error)
        rows.append(json.dumps(archive_row(recording.name, lines, one.tally, error)) + "\n")
        lines.clear()
    write_whole(part.rows, "".join(rows))


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all, also after a power cut.

    Raises:
        ConfigError: The disk is full, or the folder may not be written.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}; finished parts stand, and the same command goes on"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _part(folder: Path, recordings: Sequence[Recording], ears: Ears, work: Path) -> Part:
    depends = [ears.bundle_id, ears.runtime, ears.version, [astuple(recording) for recording in recordings]]
    name = sha256(json.dumps(depends).encode()).hexdigest()[:32]
    return Part(folder, tuple(recordings), ears, work / f"{name}.jsonl")


@lru_cache(maxsize=1)
def _opened(ears: Ears) -> tuple[Bundle, Runtime]:
    """Loads the network, once in a process."""
    bundle = load_bundle(ears.bundle).require_trained()
    if bundle.id != ears.bundle_id:
        raise BundleError(
            f"{bundle.directory}: bundle {bundle.id} here, {ears.bundle_id} where the archive was started;"
            " put the same model on every machine"
        )
    return bundle, open_runtime(bundle, ears.runtime)
