"""`monitord archive` as a person runs it: rows that say what `replay` says, each once, however often it was stopped."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitord.types import RATE_HZ
from service.archive.archive import WORK
from service.archive.parts import PARTS
from service.cli import CONFIG_EXIT, main
from tests.bench.process import children
from tests.support.daemon.daemon import ROOT, Json, crying_room, monitord, quiet_room, room, short_cry
from tests.support.sound.matching import wait_for
from tests.support.sound.media import write_media, write_video
from tests.support.sound.sounds import silence, write_wav

BAD = {
    "broken.flac": "damaged after",
    "empty.wav": "its audio track is empty",
    "nights/silent.mp4": "holds no sound",
    "notes.txt": "a text, no recording",
    "nowhere.wav": "no such file",
}
"""Recordings of the archive that are none or not whole, and words of why."""
ODD = [os.fsdecode(name) for name in (b"caf\xe9.wav", b"two\nlines.wav", b"--out.wav", b"concat:a|b.wav", b"%d.wav")]
"""Names that are no text, or look like something else."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of one name in two folders, others, what is wrong with each of `BAD`, and what does not count."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "nights" / "july").mkdir(parents=True)
    crying_room(folder / "nights" / "room.wav")
    write_media(folder / "nights" / "july" / "room.flac", room(silence(0.5), short_cry()), "flac", channels=2)
    for number in range(12):
        quiet_room(folder / f"quiet {number:02}.wav", 0.5)
    for name in ODD:
        (folder / name).hardlink_to(folder / "quiet 00.wav")
    whole = write_media(folder / "broken.flac", room(silence(1.0), short_cry(), silence(1.0)), "flac")
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 3 // 4] + bytes(len(content) // 4))
    (folder / "notes.txt").write_text("feed at nine\n" * 100)
    write_wav(folder / "empty.wav", silence(0.0))
    write_video(folder / "nights" / "silent.mp4", None)
    (folder / "nowhere.wav").symlink_to("gone.wav")
    (folder / ".thumbnails").mkdir()
    quiet_room(folder / ".thumbnails" / "hidden.wav", 0.5)
    os.mkfifo(folder / "pipe.wav")
    return folder


@pytest.fixture(scope="module")
def heard(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its rows, by two workers."""
    out = tmp_path_factory.mktemp("heard") / "rows.jsonl"
    done = monitord("archive", archive, "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert f"crying in 3; {len(BAD)} bad" in done.stderr.splitlines()[-1]
    return out


def rows(out: Path) -> dict[str, Json]:
    """The rows by recording."""
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert len({row["recording"] for row in found}) == len(found)
    return {row["recording"]: row for row in found}


def test_one_row_for_each_file_in_the_order_of_names(archive: Path, heard: Path) -> None:
    """Every file that is not hidden has exactly one row, and nothing of the work is left."""
    files = [path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file() or path.is_symlink()]
    assert list(rows(heard)) == sorted(name for name in files if not name.startswith("."))
    assert [path.name for path in heard.parent.iterdir()] == [heard.name]


def test_a_row_says_what_replay_says(archive: Path, heard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same lines, the same words of what is wrong, letter for letter, of each recording heard alone."""
    for name, row in rows(heard).items():
        if name.startswith("quiet") and name != "quiet 00.wav":
            continue
        status = main(["replay", str(archive / name)])
        said = capsys.readouterr()
        lines = [json.dumps(line) for line in [*row["heard"], row["tally"]] if row["tally"]["captured"]]
        assert said.out.splitlines() == lines, name
        assert said.err == (f"monitord: {row['error']}\n" if row["error"] else ""), name
        assert status == (CONFIG_EXIT if row["error"] else 0)


def test_what_is_wrong_is_a_row(archive: Path, heard: Path) -> None:
    """A bad recording has its reason, and what was heard before it breaks off; a good one has none."""
    found = rows(heard)
    assert {name for name, row in found.items() if row["error"]} == set(BAD)
    for name, words in BAD.items():
        assert found[name]["error"].startswith(f"{archive / name}: "), name
        assert words in found[name]["error"]
    assert found["broken.flac"]["episodes"] == 1
    assert 3.0 < found["broken.flac"]["duration_s"] < 6.7  # a quarter is gone
    assert found["notes.txt"]["duration_s"] == 0.0


def test_a_row_adds_its_recording_up(heard: Path) -> None:
    """How long it is, and how often crying began."""
    found = rows(heard)
    assert (found["nights/room.wav"]["episodes"], found["quiet 00.wav"]["episodes"]) == (1, 0)
    assert {found[name]["duration_s"] for name in ("quiet 00.wav", *ODD)} == {0.5}
    assert found["quiet 00.wav"]["tally"]["captured"] == RATE_HZ // 2


def test_one_worker_writes_the_same(archive: Path, heard: Path, tmp_path: Path) -> None:
    """How many work, and where the rows go, changes no byte."""
    assert monitord("archive", archive, "--out", tmp_path / "rows.jsonl", "--workers", 1).returncode == 0
    assert (tmp_path / "rows.jsonl").read_bytes() == heard.read_bytes()


def test_rows_may_lie_in_the_archive(archive: Path, tmp_path: Path) -> None:
    """What this command writes is no recording of the archive, and the folder may be given as a relative path."""
    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copy(archive / "quiet 00.wav", folder)
    relative = os.path.relpath(folder, ROOT)
    assert monitord("archive", relative, "--out", f"{relative}/rows.jsonl").returncode == 0
    assert list(rows(folder / "rows.jsonl")) == ["quiet 00.wav"]


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """After kill -9 no process is left, the second run hears only what is missing, and the rows are the same."""
    folder, whole, out = tmp_path / "archive", tmp_path / "whole.jsonl", tmp_path / "rows.jsonl"
    folder.mkdir()
    recording = quiet_room(tmp_path / "quiet.wav", 0.5)
    for number in range(PARTS):
        (folder / f"{number:03}.wav").hardlink_to(recording)
    crying_room(folder / "cry.wav")
    assert monitord("archive", folder, "--out", whole).returncode == 0

    work = out.with_name(out.name + WORK)
    command = [sys.executable, "-m", "service", "archive", str(folder), "--out", str(out), "--workers", "2"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: any(work.glob("*.jsonl")), "a part")
        workers = children(process.pid)
        process.kill()
    assert workers
    assert not out.exists()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "the end of all workers")
    finished = len(list(work.glob("*.jsonl")))

    again = monitord("archive", folder, "--out", out)
    assert again.returncode == 0, again.stderr
    assert f"{finished} of {PARTS + 1} recordings" in again.stderr  # it went on there, for each is a part of its own
    assert again.stderr.count("\r") < PARTS - finished  # a log keeps every picture of the bar
    assert out.read_bytes() == whole.read_bytes()
    assert not work.exists()


def test_two_runs_do_not_share_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While one is at work, the other is refused in words; a result is never written over."""
    quiet_room(tmp_path / "quiet.wav", 0.5)
    out = tmp_path / "rows.jsonl"
    work = out.with_name(out.name + WORK)
    work.mkdir()
    with (work / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["archive", str(tmp_path), "--out", str(out)]) == CONFIG_EXIT
    assert f"{work}: another run is at work there" in capsys.readouterr().err
    out.write_text("mine")
    assert main(["archive", str(tmp_path), "--out", str(out)]) == CONFIG_EXIT
    assert f"{out}: exists already" in capsys.readouterr().err
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone", "--out", "rows"], "gone: No such file or directory; give a folder"),
        (["file", "--out", "rows"], "file: Not a directory; give a folder"),
        (["empty", "--out", "rows"], "empty: holds no file"),
        (["full", "--out", "file/rows"], "file/rows.parts: cannot be used: Not a directory"),
        (["full", "--out", "rows", "--workers", "0"], "--workers 0: expected at least 1"),
    ],
)
def test_refusals(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """What cannot be done is said before anything is heard, with what helps."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    quiet_room(tmp_path / "full" / "quiet.wav", 0.5)
    (tmp_path / "file").touch()
    assert main(["archive", *arguments]) == CONFIG_EXIT
    assert words in capsys.readouterr().err


def test_real_recordings(shared_data: Path, tmp_path: Path) -> None:
    """Of real cries and of other sound, rows say what one replay of them all says."""
    names = ["1-100032-A-0.opus", "1-187207-A-20.opus", "4-185575-A-20.opus"]
    for name in names:
        shutil.copy(shared_data / "esc50" / name, tmp_path)
    out = tmp_path / "rows.jsonl"
    assert monitord("archive", tmp_path, "--out", out, "--workers", 2).returncode == 0
    replayed = monitord("replay", *(tmp_path / name for name in names)).stdout.splitlines()
    found = rows(out)
    assert [json.dumps(line) for row in found.values() for line in row["heard"]] == replayed[:-1]
    assert found["4-185575-A-20.opus"]["episodes"] > 0
