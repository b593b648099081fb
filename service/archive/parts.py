"""An archive in parts: each is heard by one process and written whole, so that a stop loses only those in hand."""

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from model.bundle import Bundle, load_bundle
from model.forward import Runtime
from model.runtime import Choice, open_runtime
from monitord.errors import BundleError, ConfigError, MonitordError
from service.archive.listing import Recording
from service.capture.child.decoder import Decoders
from service.messages.json_lines import Line, archive_row
from service.pipeline.recordings import Heard, hear, source_ids

PARTS: Final = 64
"""Parts at least, where there are as many recordings: at the end some cores wait for the last part, a small one."""
PART_RECORDINGS: Final = 16
"""Most recordings in a part: short ones are heard in a second then, and 100,000 of them are some 8,000 files."""
PART_BYTES: Final = 16 * 2**20
"""Bytes after which a part ends at the latest: 9 minutes of WAV or an hour of Opus, heard in half a minute."""


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
    """Cuts an archive into parts, in its order; the same archive is always cut alike, by however many it is heard.

    Args:
        folder: Of the archive.
        recordings: Sorted.
        ears: What they are heard by.
        work: Where the rows of each part go.
    """
    # A recording more or less moves the bounds of few other parts: these numbers are powers of two (of sizes, that
    # above the share), and a name that says so, one in two parts' worth, ends its part, whatever came before.
    most = min(PART_RECORDINGS, 1 << max(0, (len(recordings) // PARTS).bit_length() - 1))
    most_bytes = min(PART_BYTES, 1 << (sum(recording.size for recording in recordings) // PARTS).bit_length())
    parts: list[Part] = []
    taken: list[Recording] = []
    for recording in recordings:
        taken.append(recording)
        ends = sha256(os.fsencode(recording.name)).digest()[0] % (2 * most) == 0
        if ends or len(taken) >= most or sum(one.size for one in taken) >= most_bytes:
            parts.append(_part(folder, taken, ears, work))
            taken = []
    return [*parts, _part(folder, taken, ears, work)] if taken else parts


def hear_part(part: Part) -> None:
    """Hears a part and writes its rows, JSON lines in the order of its recordings.

    A recording whose decoder hangs or is killed is heard once more, for that may be the machine's doing.

    Raises:
        BundleError: The model is not the one that was asked for.
        ConfigError: The archive is not there, or the rows cannot be written.
    """
    _require(part.folder)
    _require(part.rows.parent)
    bundle, runtime, decoders = _opened(part.ears)
    lines: list[Line] = []
    rows: list[str] = []

    def heard(recordings: Sequence[Recording]) -> Iterator[Heard]:
        paths = [part.folder / recording.name for recording in recordings]
        ids = [source_ids([path])[0] for path in paths]  # each as if it were heard alone
        return hear(zip(ids, paths, strict=True), bundle, runtime, lines.append, decoders=decoders)

    try:
        for recording, one in zip(part.recordings, heard(part.recordings), strict=True):
            if not one.over:
                lines.clear()
                [one] = heard([recording])  # noqa: PLW2901 - the second time counts
            if one.error is not None:
                _require(part.folder)
            error = None if one.error is None else str(one.error)
            rows.append(json.dumps(archive_row(recording.name, lines, one.tally, error)) + "\n")
            lines.clear()
    except Exception as error:
        if not isinstance(error, MonitordError):  # a bug: without this recording the others are heard
            error.add_note(f"in {part.folder / part.recordings[len(rows)].name}; a dot before its name leaves it out")
        raise
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
            with suppress(OSError):  # the disk may have become a read-only one
                temporary.unlink(missing_ok=True)


def _require(folder: Path) -> None:
    """Refuses to go on, and to call recordings bad, where the disk is gone, or on another machine.

    Raises:
        ConfigError: What holds something where the run was started holds nothing here.
    """
    try:
        with os.scandir(folder) as entries:
            if any(entries):
                return
        words = "holds nothing"
    except OSError as error:
        words = error.strerror or str(error)
    raise ConfigError(
        f"{folder}: {words} on {socket.gethostname()}; mount its disk there, under the same path, and give the same"
        " command again"
    )


def _part(folder: Path, recordings: Sequence[Recording], ears: Ears, work: Path) -> Part:
    depends = [
        str(folder),
        ears.bundle_id,
        ears.runtime,
        ears.version,
        [astuple(recording) for recording in recordings],
    ]
    name = sha256(json.dumps(depends).encode()).hexdigest()[:32]
    return Part(folder, tuple(recordings), ears, work / f"{name}.jsonl")


@lru_cache(maxsize=1)
def _opened(ears: Ears) -> tuple[Bundle, Runtime, Decoders]:
    """Loads the network, once in a process, which has one thread that hears and ends with it."""
    bundle = load_bundle(ears.bundle).require_trained()
    if bundle.id != ears.bundle_id:
        raise BundleError(
            f"{bundle.directory}: bundle {bundle.id} here, {ears.bundle_id} where the archive was started;"
            " put the same model on every machine"
        )
    return bundle, open_runtime(bundle, ears.runtime), Decoders()
