"""The folds of the comparison as tasks that any machine does; `compare` then finds them finished."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from training.baselines.choice import choose
from training.baselines.compare import finish_fold, unfinished
from training.baselines.method import Method
from training.data.clips import ClipSet, load_clips
from training.data.splits import Fold
from training.results.checkpoint_dir import require


@dataclass(frozen=True, slots=True)
class Chosen:
    """Methods and clips, by the paths at which every machine finds them."""

    clips: Path
    only: tuple[str, ...]
    teachers: Path | None
    start: Path | None
    epochs: int | None
    crossval: Path | None


@dataclass(frozen=True, slots=True)
class MethodTask:
    """One method on one fold."""

    chosen: Chosen
    method: int
    """Its number among those chosen, from 0."""
    fold: Fold
    work: Path


Engine = Callable[[Callable[[MethodTask], object], Sequence[MethodTask]], Iterable[int]]
"""Does every task; yields the number of each that is done."""


def do_folds(engine: Engine, chosen: Chosen, *, n_folds: int, work: Path) -> None:
    """Has trained what is not finished.

    Args:
        engine: Who does it.
        chosen: With absolute paths.
        n_folds: As for `compare`.
        work: A folder that all machines share, absolute; `compare` finds the folds there.

    Raises:
        ConfigError: As `compare` and `choose`.
    """
    clips, methods = _opened(chosen)
    tasks = [
        MethodTask(chosen, method, fold, work)
        for method, fold in unfinished(clips, methods, n_folds=n_folds, work=work)
    ]
    for _ in tqdm(engine(_do, tasks), total=len(tasks), desc="compare", unit="fold"):
        pass


def _do(task: MethodTask) -> None:
    require(task.work)
    clips, methods = _opened(task.chosen)
    finish_fold(clips, methods[task.method], task.fold, task.work)


@lru_cache(maxsize=1)
def _opened(chosen: Chosen) -> tuple[ClipSet, list[Method]]:
    """What a process keeps from one fold to the next."""
    clips = load_clips(chosen.clips)
    methods = choose(
        clips,
        only=chosen.only,
        teachers=chosen.teachers,
        start=chosen.start,
        epochs=chosen.epochs,
        crossval=chosen.crossval,
    )
    return clips, methods
