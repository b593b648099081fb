"""Parts of an archive: which of them are heard again, and what ends them."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from monitord.errors import BundleError, ConfigError
from service.archive.listing import Recording
from service.archive.parts import PART_BYTES, PART_RECORDINGS, PARTS, Ears, cut, hear_part, write_whole
from service.archive.pool import in_processes  # noqa: F401 - by the code of `pooled`
from tests.support.daemon.daemon import ROOT, quiet_room

EARS = Ears(None, "a" * 12, "litert", "0.1.0")
MANY = [Recording(f"{number:04}.wav", 1_000, 1) for number in range(PARTS * PART_RECORDINGS + 1)]


def names(recordings: list[Recording], ears: Ears = EARS) -> list[str]:
    """The names of the files of an archive's parts."""
    return [part.rows.name for part in cut(Path("archive"), recordings, ears, Path("work"))]


def test_parts_hold_every_recording_once() -> None:
    """In their order, so many in a part, and a long one ends its part."""
    long = Recording("9999.wav", PARTS * PART_BYTES, 1)
    parts = cut(Path("archive"), [*MANY, long, *MANY[:1]], EARS, Path("work"))
    assert [one for part in parts for one in part.recordings] == [*MANY, long, MANY[0]]
    assert max(len(part.recordings) for part in parts) == PART_RECORDINGS
    assert parts[-2].recordings[-1] == long


@pytest.mark.parametrize(("recordings", "parts"), [(1, 1), (16, 16), (2 * PARTS - 1, 2 * PARTS - 1)])
def test_a_small_archive_has_small_parts(recordings: int, parts: int) -> None:
    """However few there are, there is a part for every core."""
    assert len(names(MANY[:recordings])) == parts
    assert len(names(MANY[: 8 * PARTS])) >= PARTS


def test_long_recordings_are_parts_of_their_own() -> None:
    """A part is a share of the sound, too: two nights among clips are not one core's work."""
    nights = [Recording(f"{number}.wav", PART_BYTES, 1) for number in range(2)]
    parts = cut(Path("archive"), [*nights, *MANY], EARS, Path("work"))
    assert [part.recordings for part in parts[:2]] == [(night,) for night in nights]
    assert len(parts[2].recordings) > 1


@pytest.mark.parametrize("changed", [{"name": "0.wav"}, {"size": 1_001}, {"changed_ns": 2}])
def test_a_changed_recording_is_heard_again(changed: dict[str, object]) -> None:
    """Its part is another; those after it stand."""
    before = names(MANY)
    after = names([replace(MANY[0], **changed), *MANY[1:]])  # type: ignore[arg-type]
    assert before[0] != after[0]
    assert before[1:] == after[1:]


@pytest.mark.parametrize("others", [MANY[1:], [Recording("-.wav", 1_000, 1), *MANY], [*MANY[:500], *MANY[501:]]])
def test_one_more_or_less_moves_few_parts(others: list[Recording]) -> None:
    """Recordings that come or go between two runs do not have all behind them heard again."""
    assert len(set(names(MANY)) - set(names(others))) < PARTS / 8


def test_another_folder_is_another_archive() -> None:
    """Of copies with the same names, sizes and times neither has the rows of the other, which name its paths."""
    here, there = (cut(Path(folder), MANY, EARS, Path("work")) for folder in ("here", "there"))
    assert not {part.rows for part in here} & {part.rows for part in there}


@pytest.mark.parametrize("changed", [{"bundle_id": "b" * 12}, {"runtime": "keras"}, {"version": "0.2.0"}])
def test_other_ears_hear_all_again(changed: dict[str, str]) -> None:
    """Rows of two models, runtimes or versions never stand in one result."""
    assert not set(names(MANY)) & set(names(MANY, replace(EARS, **changed)))  # type: ignore[arg-type]


def test_another_model_on_another_machine_is_refused(tmp_path: Path) -> None:
    """A worker that has another bundle than the run was started with hears nothing."""
    quiet_room(tmp_path / "quiet.wav", 0.5)
    [part] = cut(tmp_path, [Recording("quiet.wav", 1, 1)], EARS, tmp_path)
    with pytest.raises(BundleError, match="put the same model on every machine"):
        hear_part(part)
    assert not part.rows.exists()


def test_rows_are_whole_or_not_there(tmp_path: Path) -> None:
    """Where they cannot be written nothing is left, and the words say that the run goes on."""
    with pytest.raises(ConfigError, match="the same command goes on"):
        write_whole(tmp_path / "gone" / "rows.jsonl", "{}\n")
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(ConfigError, match="finished parts stand"):
        write_whole(tmp_path / "rows.jsonl", "{}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def kill_at_three(job: int) -> None:
    """A job that the kernel kills."""
    if job == 3:
        os.kill(os.getpid(), signal.SIGKILL)


def refuse(job: int) -> None:
    """A job that an operator must mend."""
    raise ConfigError(f"job {job}: mend it")


def pooled(work: str, jobs: str) -> list[str]:
    """What comes of jobs by two workers, or in what words it ends; the tests' own process has no children after it."""
    code = f"from tests.service.archive.test_parts import *; print(*sorted(in_processes({work}, {jobs}, 2)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else done.stderr.splitlines()[-1:]


def test_a_killed_worker_is_said() -> None:
    """Work that the kernel kills ends the run in words, not in a wait for ever."""
    [words] = pooled("kill_at_three", "range(8)")
    assert "ConfigError: a worker process was killed" in words
    assert "run the same command again" in words


def test_what_a_job_raises_comes_out() -> None:
    """With its own words and class."""
    assert pooled("refuse", "[0]") == ["monitord.errors.ConfigError: job 0: mend it"]


def test_every_job_is_told_once() -> None:
    """Each number comes as its job ends."""
    assert pooled("abs", "range(20)") == [str(number) for number in range(20)]
