"""An archive whose run was stopped, or lost what it works on: what the next one finds, takes and refuses."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest

from model.bundle import load_bundle
from monitord.errors import ConfigError
from service.archive import parts
from service.archive.archive import LOCK, WORK
from service.archive.listing import list_recordings
from service.archive.parts import Ears, Part, cut, hear_part
from service.cli import CONFIG_EXIT, main
from tests.bench.process import children
from tests.support.daemon.daemon import ROOT, crying_room, quiet_room, room
from tests.support.sound.matching import wait_for
from tests.support.sound.sounds import silence, write_wav

ROW = {"recording": "quiet.wav", "duration_s": 0.5, "episodes": 0, "error": None, "heard": [], "tally": {}}
"""As one that was heard, for runs that only put rows together."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive of one recording."""
    (tmp_path / "archive").mkdir()
    quiet_room(tmp_path / "archive" / "quiet.wav", 0.5)
    return tmp_path / "archive"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where its rows go."""
    return tmp_path / "rows.jsonl"


def left(folder: Path, out: Path, rows: str) -> Part:
    """Leaves what a run leaves that was killed after its last part, as `monitord archive` names it."""
    ears = Ears(None, load_bundle(None).id, "litert", version("monitord"))
    work = out.with_name(out.name + WORK)
    work.mkdir()
    (work / LOCK).touch()
    [part] = cut(folder, list_recordings(folder), ears, work)
    part.rows.write_text(rows)
    return part


@pytest.mark.parametrize("rows", ["", "{", "[]\n", '{"recording": "quiet.wav"}\n', "\0\0", '{"recording": "b"}\n'])
def test_a_damaged_part_is_heard_again(folder: Path, out: Path, rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, no result is made of it, and the next run does not stumble over it."""
    part = left(folder, out, rows)
    assert main(["archive", str(folder), "--out", str(out)]) == CONFIG_EXIT
    assert f"{part.rows}: damaged, and deleted; give the same command again" in capsys.readouterr().err
    assert not out.exists()
    assert not part.rows.exists()


def test_a_run_killed_at_its_very_end_is_done(folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all parts are there they become the result; where that is there as well, only they go."""
    work = left(folder, out, json.dumps(ROW) + "\n").rows.parent
    assert main(["archive", str(folder), "--out", str(out)]) == 0
    assert json.loads(out.read_text()) == ROW
    assert not work.exists()
    left(folder, out, json.dumps(ROW) + "\n")
    assert main(["archive", str(folder), "--out", str(out)]) == 0
    assert "1 recordings" in capsys.readouterr().err.splitlines()[-1]
    assert json.loads(out.read_text()) == ROW
    assert not work.exists()


def test_a_run_killed_while_it_tidies_up_has_left_nothing(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parts go at once: what is still to be deleted then is no run to be gone on with, and goes with the next."""
    work = left(folder, out, json.dumps(ROW) + "\n").rows.parent
    with monkeypatch.context() as killed:
        killed.setattr("shutil.rmtree", lambda *_, **__: None)
        assert main(["archive", str(folder), "--out", str(out)]) == 0
    assert not work.exists()
    assert len(list(out.parent.iterdir())) == 3  # the archive, the rows, and what is still to be deleted
    assert main(["archive", str(folder), "--out", str(out)]) == CONFIG_EXIT
    assert f"{out}: exists already" in capsys.readouterr().err
    assert len(list(out.parent.iterdir())) == 2


def test_a_result_that_came_meanwhile_is_not_written_over(
    folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever put it there keeps it, and the finished parts stand."""
    part = left(folder, out, json.dumps(ROW) + "\n")
    out.write_text("mine")
    assert main(["archive", str(folder), "--out", str(out)]) == CONFIG_EXIT
    assert f"{out}: exists already" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert sorted(path.name for path in part.rows.parent.iterdir()) == sorted([LOCK, part.rows.name])


def test_a_folder_of_somebody_else_is_not_taken(folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What this command did not make it does not delete at its end."""
    work = out.with_name(out.name + WORK)
    work.mkdir()
    (work / "mine").touch()
    assert main(["archive", str(folder), "--out", str(out)]) == CONFIG_EXIT
    assert f"{work}: holds something else" in capsys.readouterr().err
    assert [path.name for path in work.iterdir()] == ["mine"]


@pytest.mark.parametrize("is_there", [True, False])
def test_recordings_are_not_bad_where_their_disk_is_gone(folder: Path, tmp_path: Path, *, is_there: bool) -> None:
    """A folder that is no more, or that a disk is no longer mounted on, ends the run in words; no row blames a file."""
    part = cut(folder, list_recordings(folder), Ears(None, "a" * 12, "litert", "0.1.0"), tmp_path)[0]
    (folder / "quiet.wav").unlink()
    if not is_there:
        folder.rmdir()
    words = "holds nothing" if is_there else "No such file or directory"
    with pytest.raises(ConfigError, match=f"{folder}: {words} on .*; mount its disk there"):
        hear_part(part)
    assert not part.rows.exists()


def test_a_bug_names_its_recording(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants the other rows before it is mended can leave that one out; the traceback says how."""

    def buggy(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    [part] = cut(folder, list_recordings(folder), Ears(None, "a" * 12, "litert", "0.1.0"), tmp_path)
    monkeypatch.setattr(parts, "_opened", lambda _: (None, None, None))
    monkeypatch.setattr(parts, "hear", buggy)
    with pytest.raises(ZeroDivisionError) as bug:
        hear_part(part)
    assert bug.value.__notes__ == [f"in {folder / 'quiet.wav'}; a dot before its name leaves it out"]
    assert not part.rows.exists()


def test_a_decoder_that_is_killed_costs_nothing(tmp_path: Path, out: Path) -> None:
    """As the kernel does where memory runs out, the decoder first: the recording is heard once more, and is not bad."""
    folder = tmp_path / "archive"
    folder.mkdir()
    crying_room(folder / "cry.wav", after_s=1.0)
    write_wav(folder / "long.wav", room(silence(600.0)))
    command = [sys.executable, "-m", "service", "archive", str(folder), "--out", str(out), "--workers", "1"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        copies: list[int] = []

        def decodes() -> bool:
            with suppress(FileNotFoundError):  # one of them ended meanwhile
                copies[:] = [
                    copy
                    for worker in children(run.pid)
                    for decoder in children(worker)
                    for copy in children(decoder)
                    if "long.wav" in opened(copy)
                ]
            return bool(copies)

        wait_for(decodes, "the long recording's decoder")
        os.kill(copies[0], signal.SIGKILL)
        _, said = run.communicate()
    assert run.returncode == 0, said
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["recording"], row["error"]) for row in rows] == [("cry.wav", None), ("long.wav", None)]
    assert rows[1]["duration_s"] == 600.0


def opened(process: int) -> set[str]:
    """Names of the files that a process has open."""
    try:
        return {link.readlink().name for link in Path(f"/proc/{process}/fd").iterdir()}
    except OSError:  # it ended
        return set()
