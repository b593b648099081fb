"""The folds of a cross-validation as tasks that any machine does; `crossval` then finds them finished."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from training.data.clips import load_clips
from training.data.splits import Protocol
from training.evaluate.crossval import claim_folds, finish_fold, kept_fold, made_folds
from training.learn.initial_weights import InitialWeights, Seen, load_initial_weights, see
from training.learn.paper_training import PaperParams
from training.results.checkpoint_dir import require


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One fold, by the paths at which every machine finds what it needs."""

    clips: Path
    start: Path | None
    params: PaperParams
    n_folds: int
    work: Path
    protocol: Protocol
    number: int
    """From 1."""


Engine = Callable[[Callable[[FoldTask], object], Sequence[FoldTask]], Iterable[int]]
"""Does every task; yields the number of each that is done."""


def do_folds(engine: Engine, clips: Path, start: Path | None, params: PaperParams, *, n_folds: int, work: Path) -> None:
    """Has the folds trained that are not finished.

    Args:
        engine: Who does it.
        clips: Folder that `prepare` or `synth` wrote.
        start: As for `load_initial_weights`.
        params: The recipe's.
        n_folds: As for `crossval`.
        work: A folder that all machines share; `crossval` finds the folds there.

    Raises:
        ConfigError: As `crossval`.
    """
    clips, start, work = clips.absolute(), start and start.absolute(), work.absolute()
    loaded = load_clips(clips)
    claim_folds(work, loaded, load_initial_weights(start), params, n_folds)
    tasks = [
        FoldTask(clips, start, params, n_folds, work, protocol, number)
        for protocol, folds in made_folds(loaded, n_folds).items()
        for number in range(1, len(folds) + 1)
        if not kept_fold(work, protocol, number).exists()
    ]
    for _ in tqdm(engine(_do, tasks), total=len(tasks), desc="folds", unit="fold"):
        pass


def _do(task: FoldTask) -> None:
    require(task.work)
    seen, start = _opened(task.clips, task.start)
    finish_fold(seen, start, task.params, task.protocol, task.number, n_folds=task.n_folds, work=task.work)


@lru_cache(maxsize=1)
def _opened(clips: Path, start: Path | None) -> tuple[Seen, InitialWeights]:
    """What a process keeps from one fold to the next."""
    weights = load_initial_weights(start)
    return see(load_clips(clips), weights), weights
