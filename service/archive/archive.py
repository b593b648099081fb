"""An archive from its listing to its rows: each recording heard once, however often the run was stopped."""

import fcntl
import filecmp
import json
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from monitord.errors import ConfigError
from service.archive.listing import list_recordings
from service.archive.parts import Ears, Part, cut, hear_part

WORK: Final = ".parts"
"""Added to the name of the result: the folder in which finished parts wait for the others."""
LOCK: Final = "lock"
"""Name of the file in it that a run holds."""
BAR_S, LOG_S = 0.1, 30.0
"""Least time between two pictures of the bar (seconds): on a terminal, and in a log, which keeps each of them."""

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
    work = out.parent / (out.name + WORK)
    recordings = list_recordings(folder, but=(out, work))
    with _alone(work, out):
        parts = cut(folder, recordings, ears, work)
        finished = {path.name for path in work.iterdir()}
        missing = [part for part in parts if part.rows.name not in finished]
        if missing and out.exists():
            raise _is_there(out)
        _hear(parts, missing, engine, workers)
        return _gather(parts, work / "all.jsonl", out)


def _hear(parts: Sequence[Part], missing: Sequence[Part], engine: Engine, workers: int | None) -> None:
    total, done = sum(part.size for part in parts), sum(len(part.recordings) for part in parts)
    recordings = f" of {done:,} recordings"
    done -= sum(len(part.recordings) for part in missing)
    initial = total - sum(part.size for part in missing)
    with tqdm(
        total=total,
        initial=initial,
        desc="archive",
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
        mininterval=BAR_S if sys.stderr.isatty() else LOG_S,
    ) as bar:
        bar.set_postfix_str(f"{done:,}{recordings}")
        if not missing:
            return
        with closing(engine(hear_part, missing, workers)) as finished:
            for number in finished:
                done += len(missing[number].recordings)
                bar.set_postfix_str(f"{done:,}{recordings}", refresh=False)
                bar.update(missing[number].size)


def _gather(parts: Sequence[Part], whole: Path, out: Path) -> Result:
    """Puts the parts together, and adds up what they say."""
    result = Result()
    try:
        with whole.open("w", encoding="ascii") as file:
            for part in parts:
                file.write(_add(result, part))
            file.flush()
            os.fsync(file.fileno())
        if not out.exists():
            whole.replace(out)
        elif not filecmp.cmp(whole, out, shallow=False):  # the same: a run that was stopped right after this
            raise _is_there(out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror or error}; the same command goes on") from error
    finally:
        with suppress(OSError):
            whole.unlink(missing_ok=True)
    return result


def _add(result: Result, part: Part) -> str:
    """Adds up what a part says; returns its rows."""
    rows = part.rows.read_text(encoding="ascii", errors="replace")
    try:
        found = [json.loads(row) for row in rows.splitlines()]
        names = [row["recording"] for row in found]
        result.recordings += len(found)
        result.crying += sum(row["episodes"] > 0 for row in found)
        result.bad += sum(row["error"] is not None for row in found)
        result.duration_s += sum(row["duration_s"] for row in found)
    except (ValueError, LookupError, TypeError):
        names = []
    if names != [recording.name for recording in part.recordings]:
        part.rows.unlink()
        raise ConfigError(
            f"{part.rows}: damaged, and deleted; give the same command again, which hears anew what was in this part"
        )
    return rows


@contextmanager
def _alone(work: Path, out: Path) -> Iterator[None]:
    """Holds the folder of the parts while the block lasts, and takes it away where that comes to its end.

    Raises:
        ConfigError: The result is there already, another run holds the folder, or it cannot be made.
    """
    with ExitStack() as stack:
        try:
            shutil.rmtree(_gone(work), ignore_errors=True)
            if out.exists() and not work.exists():
                raise _is_there(out)
            work.mkdir(parents=True, exist_ok=True)
            if any(work.iterdir()) and not (work / LOCK).exists():
                raise ConfigError(f"{work}: holds something else, and would be deleted at the end; give another --out")
            file = stack.enter_context((work / LOCK).open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"{work}: another run is at work there; wait for it, or give another --out") from error
        except OSError as error:
            raise ConfigError(f"{work}: cannot be used: {error.strerror or error}; give another --out") from error
        try:
            yield
        except BaseException:
            if not any(work.glob("*.jsonl")):  # nothing was heard: nothing is left behind
                _clear(work)
            raise
        _clear(work)


def _clear(work: Path) -> None:
    """Takes the folder away at once, and then deletes it: a kill in the middle leaves none that looks like a run's."""
    with suppress(OSError):
        work.rename(_gone(work))
    for folder in (_gone(work), work):
        shutil.rmtree(folder, ignore_errors=True)  # a network's disk may still hold the lock


def _gone(work: Path) -> Path:
    return work.with_name(f".{work.name}.gone")


def _is_there(out: Path) -> ConfigError:
    return ConfigError(f"{out}: exists already, and is not written over; remove it, or give another --out")
