"""The folds of the comparison as tasks: what they keep is what `compare` itself would have kept."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from tests.support.training.reason_clips import reason_clips
from tests.support.training.train_command import monitord_train
from training.baselines.choice import choose
from training.baselines.compare import compare
from training.baselines.fold_tasks import Chosen, MethodTask, do_folds
from training.data.clips import load_clips, save_clips

ONLY = ("majority", "mfcc-gmm")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of six babies."""
    folder = tmp_path_factory.mktemp("clips") / "clips"
    save_clips(reason_clips(24), folder)
    return folder


def kept(work: Path) -> dict[str, bytes]:
    """What a folder of finished folds holds."""
    return {path.name: path.read_bytes() for path in work.iterdir()}


def test_folds_by_tasks_are_those_of_one_process(clips: Path, tmp_path: Path) -> None:
    """Every file is the same, byte for byte, and so are the figures; what is finished is not asked again."""
    loaded = load_clips(clips)
    methods = choose(loaded, only=ONLY)
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    figures = compare(loaded, methods, n_folds=2, work=alone)
    asked: list[MethodTask] = []

    def engine(work: Callable[[MethodTask], object], tasks: Sequence[MethodTask]) -> Iterator[int]:
        asked.extend(tasks)
        for number, task in enumerate(tasks):
            work(pickle.loads(pickle.dumps(task)))  # as another process gets it
            yield number

    chosen = Chosen(clips, ONLY, None, None, None, None)
    do_folds(engine, chosen, n_folds=2, work=shared)
    assert [task.method for task in asked] == [0] * 4 + [1] * 4  # two folds of two protocols
    assert kept(shared) == kept(alone)
    assert compare(loaded, methods, n_folds=2, work=shared) == figures
    next(shared.glob("mfcc-gmm*")).unlink()
    do_folds(engine, chosen, n_folds=2, work=shared)
    assert [task.method for task in asked[8:]] == [1]
    assert kept(shared) == kept(alone)


def test_a_machine_without_the_folder_trains_nothing(clips: Path, tmp_path: Path) -> None:
    """What it kept would lie where nobody looks, and be trained again: it is said, before any time is spent."""
    work = tmp_path / "work"

    def elsewhere(work_on: Callable[[MethodTask], object], tasks: Sequence[MethodTask]) -> Iterator[int]:
        work.rename(tmp_path / "shared")
        for number, task in enumerate(tasks):
            work_on(task)
            yield number

    with pytest.raises(ConfigError, match=f"{work}: not on .*; give a folder that all machines share"):
        do_folds(elsewhere, Chosen(clips, ONLY, None, None, None, None), n_folds=2, work=work)
    assert not work.exists()


@pytest.mark.ward
def test_ray_gives_the_same_bytes(clips: Path, tmp_path: Path) -> None:
    """`compare --engine ray` prints, writes and keeps what it does without, of a network too."""
    made = []
    for engine in ([], ["--engine", "ray"]):
        work, out = tmp_path / f"work{len(made)}", tmp_path / f"figures{len(made)}.json"
        only = ["--only", *ONLY, "waveform-cnn", "--epochs", 1, "--folds", 2]
        done = monitord_train("compare", "--clips", clips, *only, "--work", work, "--out", out, *engine)
        assert done.returncode == 0, done.stderr
        made.append((done.stdout, out.read_bytes(), kept(work)))
    assert made[0] == made[1]


def test_ray_needs_a_shared_folder(clips: Path) -> None:
    """Without --work there is nowhere to find the folds again."""
    done = monitord_train("compare", "--clips", clips, "--engine", "ray")
    assert done.returncode == 2
    assert "--engine: needs --work" in done.stderr
