"""A family's manifest: what each line becomes, and that every mistake is told by line, column and remedy."""

import csv
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from tests.support.sound.sounds import tone, write_wav
from training.data.manifest_csv import read_manifest
from training.data.public_manifest import write_public_manifest

HEADER = "path,label,baby,recording,licence"


def _manifest(folder: Path, *lines: str, header: str = HEADER) -> Path:
    for name in ("a.wav", "b.wav", "c.wav"):
        (folder / name).touch()
    path = folder / "ours.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def _refusal(path: Path, least_labels: int = 1) -> str:
    with pytest.raises(ConfigError) as refusal:
        read_manifest(path, least_labels=least_labels)
    return str(refusal.value).replace(str(path), "ours.csv")


def test_a_line_becomes_an_entry(tmp_path: Path) -> None:
    """Known columns in their fields, unknown ones kept, marks in samples, an empty recording named after its file."""
    path = _manifest(
        tmp_path,
        "./a.wav,hunger,ana,,CC0,phone,1.0,1.5,rainy",
        "",
        'b.wav,tiredness,,monday,,,,,"dry, warm"',
        header=HEADER + ",installation,start_s,end_s,weather",
    )
    one, two = read_manifest(path)
    assert (one.line, one.path, one.label, one.baby) == (2, tmp_path / "a.wav", "hunger", "ana")
    assert (one.recording, one.licence, one.installation) == ("a.wav", "CC0", "phone")
    assert one.marks == (16_000, 24_000)
    assert one.more == {"weather": "rainy"}
    assert (two.line, two.label, two.recording, two.marks) == (4, "tiredness", "monday", None)
    assert two.more == {"weather": "dry, warm"}


def test_a_spreadsheets_mark_at_the_start_is_no_part_of_the_header(tmp_path: Path) -> None:
    """UTF-8 with a byte order mark and Windows' ends of lines is read."""
    path = _manifest(tmp_path)
    path.write_bytes(f"\ufeff{HEADER}\r\na.wav,hunger,Zoë,,\r\n".encode())
    assert read_manifest(path)[0].baby == "Zoë"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Each by line and column, with what was found and what was expected."""
    path = _manifest(
        tmp_path,
        "a.wav,,ana,,",
        "b.wav,angry,,,",
        "gone.wav,hunger,,,",
        ",hunger,,,",
        "c.wav,hunger,,,",
        "c.wav,hunger,,,",
    )
    assert _refusal(path).splitlines() == [
        "ours.csv:2: label: found '', expected one of hunger, boredom, tiredness, discomfort",
        "ours.csv:3: label: found 'angry', expected one of hunger, boredom, tiredness, discomfort",
        f"ours.csv:4: path: no such recording: {tmp_path / 'gone.wav'}",
        "ours.csv:5: path: found '', expected the name of a recording",
        "ours.csv:7: path: the same sound as in line 6; keep one of the lines, or give each its own start_s and end_s",
    ]


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ("1.0,", "end_s: found '', expected seconds"),
        ("x,2", "start_s: found 'x', expected seconds"),
        ("-1,0.5", "start_s: found '-1', expected seconds"),
        ("nan,1", "start_s: found 'nan', expected seconds"),
        ("1,1.1", "end_s: the clip is 0.100 s long, expected 0.18 to 2.5 s"),
        ("1,3.6", "end_s: the clip is 2.600 s long, expected 0.18 to 2.5 s"),
        ("2,1", "end_s: the clip is -1.000 s long, expected 0.18 to 2.5 s"),
    ],
)
def test_cut_marks_that_are_none_are_refused(tmp_path: Path, marks: str, told: str) -> None:
    """One alone, no number, before the start, too short, too long, the wrong way round."""
    path = _manifest(tmp_path, f"a.wav,hunger,,,,{marks}", header=HEADER + ",start_s,end_s")
    assert f"ours.csv:2: {told}" in _refusal(path)


def test_the_bounds_of_a_clip_are_clips(tmp_path: Path) -> None:
    """0.18 s and 2.5 s to the sample, although 0.3 - 0.12 is a little less than 0.18 in binary."""
    lines = ["a.wav,hunger,,,,0.12,0.3", "b.wav,hunger,,,,0.1,2.6"]
    entries = read_manifest(_manifest(tmp_path, *lines, header=HEADER + ",start_s,end_s"))
    assert [end - start for start, end in (entry.marks for entry in entries if entry.marks)] == [2_880, 40_000]


def test_what_is_no_manifest_says_why(tmp_path: Path) -> None:
    """No file, not UTF-8, no header, semicolons, a column twice, too many values, an open quote, no line."""
    assert "cannot be read: No such file" in _refusal(tmp_path / "none.csv")
    path = _manifest(tmp_path)
    path.write_bytes(HEADER.encode() + b"\na.wav,hunger,Zo\xeb,,\n")
    assert "ours.csv:2: not UTF-8; save the table as CSV in UTF-8" in _refusal(path)
    assert "header: column path, label, baby, recording, licence is missing" in _refusal(
        _manifest(tmp_path, header="a.wav,hunger,,,")
    )
    assert "separate the columns by commas" in _refusal(_manifest(tmp_path, header=HEADER.replace(",", ";")))
    assert "column label stands there twice" in _refusal(_manifest(tmp_path, header=HEADER + ",label"))
    assert "ours.csv:2: found 6 values, expected 5" in _refusal(_manifest(tmp_path, "a.wav,hunger,x, y,,"))
    assert "not CSV" in _refusal(_manifest(tmp_path, 'a.wav,hunger,"x,,'))
    assert "no line but the header" in _refusal(_manifest(tmp_path))


def test_one_reason_is_refused_where_two_are_needed(tmp_path: Path) -> None:
    """And taken where one will do."""
    path = _manifest(tmp_path, "a.wav,hunger,,,", "b.wav,hunger,,,")
    assert len(read_manifest(path)) == 2
    assert "label: every line says hunger; this needs at least 2 different ones" in _refusal(path, 2)


def test_a_baby_on_both_sides_of_the_manifests_own_folds_is_named(tmp_path: Path) -> None:
    """So is a recording and an installation; a fold that is no integer is refused too."""
    header = HEADER + ",installation,fold"
    path = _manifest(
        tmp_path,
        "a.wav,hunger,b3,,,,2",
        "b.wav,hunger,b3,,,,1",
        "c.wav,boredom,,,,phone,1",
        header=header,
    )
    assert (
        _refusal(path) == "ours.csv:3: baby: b3 is in fold 1 and in fold 2 (line 2); all its clips belong in one fold"
    )
    path = _manifest(tmp_path, "a.wav,hunger,,r,,,1", "b.wav,hunger,,r,,,2", "c.wav,hunger,,,,,one", header=header)
    assert "ours.csv:3: recording: r is in fold 2 and in fold 1" in _refusal(path)
    assert "ours.csv:4: fold: found 'one', expected an integer" in _refusal(path)


def test_a_file_is_one_recording(tmp_path: Path) -> None:
    """Two clips of one file that claim to be of two recordings could stand on both sides: refused."""
    lines = ["a.wav,hunger,,one,,0,1", "a.wav,hunger,,two,,1,2"]
    path = _manifest(tmp_path, *lines, header=HEADER + ",start_s,end_s")
    assert "ours.csv:3: recording: found 'two', expected 'one' as in line 2" in _refusal(path)


def test_the_public_manifest_reads_back(shared_data: Path, tmp_path: Path) -> None:
    """379 of donateacry's recordings: reason, installation, licence, and what may explain a figure."""
    reasons = write_public_manifest(shared_data, tmp_path / "donateacry.csv")
    entries = read_manifest(tmp_path / "donateacry.csv", least_labels=4)
    assert reasons == {"hunger": 306, "discomfort": 49, "tiredness": 21, "boredom": 3}
    assert len(entries) == 306 + 49 + 21 + 3
    assert all(entry.installation and entry.licence and entry.recording == entry.path.name for entry in entries)
    assert not any(entry.baby for entry in entries)
    with (shared_data / "donateacry" / "index.csv").open(encoding="utf-8") as file:
        codec = {Path(row["path"]).name: row["codec"] for row in csv.DictReader(file)}
    assert all(entry.more["codec"] == codec[entry.recording] for entry in entries)
    assert set(entries[0].more) == {"code", "age", "gender", "codec"}


def test_a_disk_that_cannot_be_written_is_named(shared_data: Path, tmp_path: Path) -> None:
    """The folder of the manifest is a file: refused, and that file is left alone."""
    in_the_way = write_wav(tmp_path / "x", tone(440, 0.1))
    with pytest.raises(ConfigError, match="cannot be written"):
        write_public_manifest(shared_data, in_the_way / "donateacry.csv")
    assert in_the_way.is_file()
