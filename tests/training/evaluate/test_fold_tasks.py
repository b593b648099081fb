"""The folds of a cross-validation as tasks: what they keep is what `crossval` itself would have kept."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.training.reason_clips import reason_clips
from tests.support.training.train_command import monitord_train
from training.data.clips import load_clips, save_clips
from training.evaluate.crossval import crossval
from training.evaluate.fold_tasks import FoldTask, do_folds
from training.learn.initial_weights import load_initial_weights
from training.learn.paper_training import PaperParams

# Keras' own, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PARAMS = PaperParams(epochs=1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of six babies."""
    folder = tmp_path_factory.mktemp("clips") / "clips"
    save_clips(reason_clips(24), folder)
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny bundle."""
    return make_dead_bundle(tmp_path_factory.mktemp("start") / "bundle").directory


def in_turn(work: Callable[[FoldTask], object], tasks: Sequence[FoldTask]) -> Iterator[int]:
    """Does each task as another process gets it."""
    for number, task in enumerate(tasks):
        work(pickle.loads(pickle.dumps(task)))
        yield number


def kept(work: Path) -> dict[str, bytes]:
    """What a folder of finished folds holds."""
    return {path.name: path.read_bytes() for path in work.iterdir()}


def test_folds_by_tasks_are_those_of_one_process(clips: Path, start: Path, tmp_path: Path) -> None:
    """Every file is the same, byte for byte, and so are the figures; what is finished is not asked again."""
    loaded, weights = load_clips(clips), load_initial_weights(start)
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    figures = crossval(loaded, weights, PARAMS, n_folds=2, work=alone)
    asked: list[FoldTask] = []

    def engine(work: Callable[[FoldTask], object], tasks: Sequence[FoldTask]) -> Iterator[int]:
        asked.extend(tasks)
        return in_turn(work, tasks)

    do_folds(engine, clips, start, PARAMS, n_folds=2, work=shared)
    assert [(task.protocol, task.number) for task in asked] == [
        (protocol, number) for protocol in ("random", "grouped") for number in (1, 2)
    ]
    assert kept(shared) == kept(alone)
    assert crossval(loaded, weights, PARAMS, n_folds=2, work=shared) == figures
    (shared / "grouped-2.npz").unlink()
    do_folds(engine, clips, start, PARAMS, n_folds=2, work=shared)
    assert [(task.protocol, task.number) for task in asked[4:]] == [("grouped", 2)]
    assert kept(shared) == kept(alone)


def test_a_machine_without_the_folder_trains_nothing(clips: Path, start: Path, tmp_path: Path) -> None:
    """What it kept would lie where nobody looks, and be trained again: it is said, before any time is spent."""
    work = tmp_path / "work"

    def elsewhere(work_on: Callable[[FoldTask], object], tasks: Sequence[FoldTask]) -> Iterator[int]:
        work.rename(tmp_path / "shared")
        yield from in_turn(work_on, tasks)

    with pytest.raises(ConfigError, match=f"{work}: not on .*; give a folder that all machines share"):
        do_folds(elsewhere, clips, start, PARAMS, n_folds=2, work=work)
    assert not work.exists()


@pytest.mark.ward
def test_ray_gives_the_same_bytes(clips: Path, start: Path, tmp_path: Path) -> None:
    """`crossval --engine ray` prints, writes and keeps what it does without."""
    made = []
    for engine in ([], ["--engine", "ray"]):
        work, out = tmp_path / f"work{len(made)}", tmp_path / f"figures{len(made)}.json"
        folders = ["--clips", clips, "--from", start, "--work", work, "--out", out]
        done = monitord_train("crossval", *folders, "--epochs", 1, "--folds", 2, *engine)
        assert done.returncode == 0, done.stderr
        made.append((done.stdout, out.read_bytes(), kept(work)))
    assert made[0] == made[1]


def test_ray_needs_a_shared_folder(clips: Path) -> None:
    """Without --work there is nowhere to find the folds again."""
    done = monitord_train("crossval", "--clips", clips, "--engine", "ray")
    assert done.returncode == 2
    assert "--engine: needs --work" in done.stderr
