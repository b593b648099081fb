"""What counts as a recording of an archive, whatever its name and however its folder is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.archive.listing import Recording, list_recordings
from tests.support.paths import ROOT

LISTS = """
import sys
from pathlib import Path
from service.archive.listing import list_recordings
print(*(one.name for one in list_recordings(Path(sys.argv[1]))))
"""


def names(recordings: list[Recording]) -> list[str]:
    """In their order."""
    return [one.name for one in recordings]


def test_odd_names_are_names(tmp_path: Path) -> None:
    """Bytes that are no text, line ends, dashes: each is listed, and leads to its file."""
    odd = sorted(os.fsdecode(name) for name in (b"caf\xe9.wav", b"two\nlines.wav", b"-out.wav", b"a|b.wav", b" .wav"))
    for name in odd:
        (tmp_path / name).write_bytes(b"12")
    assert names(list_recordings(tmp_path)) == odd
    assert {one.size for one in list_recordings(tmp_path)} == {2}


def test_links_end(tmp_path: Path) -> None:
    """A link to a file is one, a link to a folder is not followed, and one to itself leads nowhere."""
    (tmp_path / "room.wav").write_bytes(b"12")
    (tmp_path / "again.wav").symlink_to("room.wav")
    (tmp_path / "all").symlink_to(".")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    found = {one.name: one.size for one in list_recordings(tmp_path)}
    assert found == {"room.wav": 2, "again.wav": 2, "loop.wav": 0}
    with pytest.raises(ConfigError, match=r"loop\.wav: .*; give a folder"):
        list_recordings(tmp_path / "loop.wav")


def test_what_does_not_belong_is_known_by_any_path(tmp_path: Path) -> None:
    """A result within the archive is none of it, whether both are called by a link, by dots, or straight."""
    july = tmp_path / "archive" / "july"
    (july / "rows.jsonl.parts").mkdir(parents=True)
    (july / "rows.jsonl.parts" / "1.jsonl").touch()
    (july / "rows.jsonl").touch()
    (july / "room.wav").touch()
    (tmp_path / "link").symlink_to("archive")
    for folder in (july.parent, july / "..", tmp_path / "link"):
        for place in (july, tmp_path / "link" / "july", july / ".." / "july"):
            but = (place / "rows.jsonl", place / "rows.jsonl.parts")
            assert names(list_recordings(folder, but)) == ["july/room.wav"]
    assert "july/rows.jsonl" in names(list_recordings(july.parent, (tmp_path / "rows.jsonl",)))  # a name alone is none


def test_a_folder_that_may_not_be_read_is_listed(tmp_path: Path) -> None:
    """As every disk's `lost+found` is: it stands where its recordings would, and the others are heard."""
    (tmp_path / "room.wav").touch()
    (tmp_path / "lost+found").mkdir(mode=0o000)
    mere = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []  # root may read all
    listed = [*mere, sys.executable, "-c", LISTS]
    done = subprocess.run([*listed, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["lost+found", "room.wav"]
    done = subprocess.run(
        [*listed, str(tmp_path / "lost+found")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith("lost+found: Permission denied; give a folder that can be read\n")
