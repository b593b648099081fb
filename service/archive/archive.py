"""An archive from its listing to its rows: each recording heard once, however often the run was stopped."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from monitord.errors import ConfigError
from service.archive.listing import list_recordings
from service.archive.parts import Ears, Part, cut, hear_part

WORK: Final = ".parts"
"""Added to the name of the result: the folder in which finished parts wait for the others."""

Engine = Callable[[Callable[[Part], object], Sequence[Part], int | None], Generator[int]]
"""Does the work for every part with so many workers, None for one on each core; yields the numbers of those done."""


@dataclass(slots=True)
class Result:
    """What the rows say, added up."""

    recordings: int = 0
    crying: int = 0
    """Recordings with an episode."""
    bad: int = 0
    """Recordings that give no sound, or break off."""
    duration_s: float = 0.0
    """Of all sound that was heard (seconds)."""


def archive(folder: Path, out: Path, ears: Ears, *, engine: Engine, workers: int | None) -> Result:
    """Hears every recording under a folder; writes one row for each, sorted by name.

    A run that was stopped, however, goes on with the parts that are missing; a recording that was changed meanwhile,
    and those of its part, are heard again.

    Args:
        folder: Of the archive.
        out: Gets the rows, JSON lines as `json_lines.archive_row`, when all are there.
        ears: What they are heard by.
        engine: Who does the work.
        workers: At the same time, at most; None: one for each core.

    Raises:
        ConfigError: There is nothing to hear, `out` is there already or cannot be written, or another run is at it.
        BundleError: The network cannot be loaded.
    """
    if out.exists():
        raise ConfigError(f"{out}: exists already, and is not written over; remove it, or give another --out")
    work = out.with_name(out.name + WORK)
    recordings = list_recordings(folder, but=(out, work))
    with _alone(work):
        parts = cut(folder, recordings, ears, work)
        missing = [part for part in parts if not part.rows.exists()]
        _hear(parts, missing, engine, workers)
        result = _gather(parts, out)
        shutil.rmtree(work, ignore_errors=True)  # a network's disk may still hold the lock
    return result


def _hear(parts: Sequence[Part], missing: Sequence[Part], engine: Engine, workers: int | None) -> None:
    total, done = sum(part.size for part in parts), sum(len(part.recordings) for part in parts)
    recordings = f" of {done:,} recordings"
    done -= sum(len(part.recordings) for part in missing)
    initial = total - sum(part.size for part in missing)
    with tqdm(total=total, initial=initial, desc="archive", unit="B", unit_scale=True, unit_divisor=1024) as bar:
        bar.set_postfix_str(f"{done:,}{recordings}")
        if not missing:
            return
        with closing(engine(hear_part, missing, workers)) as finished:
            for number in finished:
                done += len(missing[number].recordings)
                bar.set_postfix_str(f"{done:,}{recordings}", refresh=False)
                bar.update(missing[number].size)


def _gather(parts: Sequence[Part], out: Path) -> Result:
    """Puts the parts together, and adds up what they say."""
    result = Result()
    partial = out.with_name(f".{out.name}.partial")
    try:
        with partial.open("w", encoding="ascii") as file:
            for part in parts:
                rows = part.rows.read_text(encoding="ascii")
                _add(result, part, rows)
                file.write(rows)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror or error}; the same command goes on") from error
    return result


def _add(result: Result, part: Part, rows: str) -> None:
    found = [json.loads(row) for row in rows.splitlines()]
    if [row["recording"] for row in found] != [recording.name for recording in part.recordings]:
        raise ConfigError(f"{part.rows}: not what this command writes; delete it and run the same command again")
    result.recordings += len(found)
    result.crying += sum(row["episodes"] > 0 for row in found)
    result.bad += sum(row["error"] is not None for row in found)
    result.duration_s += sum(row["duration_s"] for row in found)


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Holds the folder of the parts until the block is left or the process ends.

    Raises:
        ConfigError: Another run holds it, or it cannot be made.
    """
    with ExitStack() as stack:
        try:
            work.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((work / "lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"{work}: another run is at work there; wait for it, or give another --out") from error
        except OSError as error:
            raise ConfigError(f"{work}: cannot be used: {error.strerror or error}; give another --out") from error
        yield
