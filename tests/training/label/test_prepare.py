"""Recordings to labelled windows: heard by the daemon's own ear, cut at the right place, kept and read again."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.errors import ConfigError
from monitord.listening.gate import GateParams
from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ
from tests.support.sound.chunks import hear as hear_at_once
from tests.support.sound.chunks import segments, whole, windows
from tests.support.sound.sounds import cry_in_room, noise, silence, tone, write_wav
from tests.support.training.prepared import HOP, Take, prepared_from
from training.data.prepared import RECORDINGS_FILE, WINDOWS_FILE, Windows, load_prepared, samples_of, write_prepared
from training.data.windows import all_windows, cut, hear
from training.label.prepare import prepare

PARAMS = ListenerParams()


@given(st.integers(0, 50), st.integers(-60, 120), st.integers(0, 60))
def test_cut_is_zeros_beyond_both_ends(n: int, end: int, length: int) -> None:
    """Any place and length: as if the recording lay in endless silence."""
    samples = np.arange(1, n + 1).astype(np.int16)
    padded = np.concatenate([np.zeros(200, np.int16), samples, np.zeros(200, np.int16)])
    assert np.array_equal(cut(samples, end, length), padded[200 + end - length : 200 + end])


def test_it_hears_as_the_daemon_does() -> None:
    """The same windows and segments as from a live source: training sees what serving sees."""
    sound = cry_in_room()
    at_once = hear_at_once([whole(sound, RATE_HZ)])
    heard, cried = hear(sound, PARAMS)
    assert [w.end for w in heard] == [w.end for w in windows(at_once)]
    assert [(s.start, len(s.samples)) for s in cried] == [(s.start, len(s.samples)) for s in segments(at_once)]


@pytest.mark.parametrize("seed", range(5))
def test_all_windows_are_the_grid_and_hold_those_heard(seed: int) -> None:
    """Told that every room is noisy, the ear drops none of the grid, and finds the same segments."""
    rng = np.random.default_rng(seed)
    parts = [tone(500, d) if i % 2 else noise(d, rms_dbfs=-80) for i, d in enumerate(rng.uniform(0.05, 3.0, 9))]
    sound = np.concatenate(parts)
    heard, cried = hear(sound, PARAMS)
    every, cried_too = hear(sound, all_windows(PARAMS))
    grid = [window.end for window in every]
    assert grid[: len(sound) // HOP] == [HOP * number for number in range(1, len(sound) // HOP + 1)]
    assert {window.end for window in heard} <= set(grid)
    assert [(s.start, len(s.samples)) for s in cried] == [(s.start, len(s.samples)) for s in cried_too]


def test_a_row_gives_back_its_window(tmp_path: Path) -> None:
    """The samples of a row are those of the window that the listener cut, of whichever recording, in any order."""
    takes = [Take("cry", cry_in_room(0.5, 0.5), is_cry=True), Take("tone", tone(400, 1.5), is_cry=False)]
    prepared = prepared_from(tmp_path, takes)
    expected = [w.samples for take in takes for w in hear(take.samples, all_windows(PARAMS))[0]]
    assert len(prepared.windows) == len(expected)
    order = np.random.default_rng(1).permutation(len(expected))
    for row, samples in zip(order.tolist(), samples_of(prepared, order, WINDOW_SAMPLES), strict=True):
        assert np.array_equal(samples, expected[row])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Every column and every recording, with its path; nothing half-written is left beside."""
    made = prepared_from(tmp_path / "sounds", [Take("cry", cry_in_room(0.5, 0.0), is_cry=True, reason="hunger")])
    folder = tmp_path / "prepared"
    folder.mkdir()
    write_prepared(folder, tmp_path, made.recordings, made.windows)
    read = load_prepared(folder)
    assert (read.recordings, read.data, read.folder) == (made.recordings, tmp_path, folder)
    for name in Windows.__dataclass_fields__:
        assert np.array_equal(getattr(read.windows, name), getattr(made.windows, name))
        assert getattr(read.windows, name).dtype == getattr(made.windows, name).dtype
    assert sorted(path.name for path in folder.iterdir()) == sorted([RECORDINGS_FILE, WINDOWS_FILE])
    assert np.array_equal(read.audio(0), cry_in_room(0.5, 0.0))


def _nothing(folder: Path) -> None:
    (folder / RECORDINGS_FILE).unlink()


def _half(folder: Path) -> None:
    (folder / RECORDINGS_FILE).write_text('{"recordings": [')


def _no_arrays(folder: Path) -> None:
    (folder / WINDOWS_FILE).write_bytes(b"no arrays")


def _column_missing(folder: Path) -> None:
    np.savez(folder / WINDOWS_FILE, end=np.zeros(1, np.int32))


@pytest.mark.parametrize("damage", [_nothing, _half, _no_arrays, _column_missing])
def test_what_is_not_prepared_is_refused(tmp_path: Path, damage: object) -> None:
    """By the name of the folder, with the command that makes one."""
    made = prepared_from(tmp_path, [Take("cry", cry_in_room(0.5, 0.0), is_cry=True)])
    write_prepared(tmp_path, tmp_path, made.recordings, made.windows)
    assert callable(damage)
    damage(tmp_path)
    with pytest.raises(ConfigError, match=r"nothing prepared here .*; run: monitord-train prepare"):
        load_prepared(tmp_path)


@pytest.fixture
def data(tmp_path: Path, shared_data: Path) -> Path:
    """A folder of a few sounds from formulas with index files, and the real teachers."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "teachers").symlink_to(shared_data / "teachers")
    indices = {
        "donateacry": "path,install,set,code,in_cleaned,mn04_cry,yamnet_cry\na.wav,one,android,hu,1,0.4,0.3\n",
        "esc50": "path,category,fold,freesound_id\n4-2-A-0.wav,dog,4,2\nbroken.wav,dog,1,3\n",
        "speech": "path,group,licence\n",
        "home": "path,group,licence\nrain.wav,rain,CC0\n",
        "corvin": "path,baby,context\n",
        "catmeows": "path,cat,context\n",
        "emogator": "path,speaker,emotion\n",
    }
    for name, index in indices.items():
        (folder / name).mkdir()
        (folder / name / "index.csv").write_text(index)
    write_wav(folder / "donateacry" / "a.wav", cry_in_room(1.0, 1.0)[: 6 * RATE_HZ])
    write_wav(folder / "esc50" / "4-2-A-0.wav", np.concatenate([tone(300, 0.4), silence(1.0)]))
    (folder / "esc50" / "broken.wav").write_text("This is no sound.")
    write_wav(folder / "home" / "rain.wav", noise(2.0, rms_dbfs=-20))
    return folder


def test_recordings_become_labelled_windows(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every readable recording by ear and teachers; the shares of sound as counted sample by sample; one is skipped."""
    made = prepare(data, tmp_path / "prepared", PARAMS)
    assert "broken.wav: no sound can be read from it" in capsys.readouterr().out
    assert [recording.path.name for recording in made.recordings] == ["a.wav", "4-2-A-0.wav", "rain.wav"]
    takes = [Take(r.path.stem, made.audio(i), is_cry=r.is_cry) for i, r in enumerate(made.recordings)]
    expected = prepared_from(tmp_path / "expected", takes).windows
    for name in ("recording", "end", "heard"):
        assert np.array_equal(getattr(made.windows, name), getattr(expected, name))
    for name in ("sound", "tail"):
        np.testing.assert_allclose(getattr(made.windows, name), getattr(expected, name), atol=1e-6)
    assert 0 < made.windows.heard.sum() < len(made.windows)
    loudest = [float(made.windows.yamnet[made.windows.recording == i].max()) for i in range(3)]
    assert loudest[0] > 0.5 > max(loudest[1:])  # the teacher hears the synthetic cry, and no other
    assert made.windows.tags.dtype == np.float16
    assert made.windows.tags.shape[0] == len(made.windows)


def test_laughs_are_made_unless_they_are_cries(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of each clip that is a laugh, heard and labelled like the others, behind them; none that a teacher doubts."""
    (data / "emogator" / "index.csv").write_text("path,speaker,emotion\nx.wav,000001,Amusement\n")
    write_wav(data / "emogator" / "x.wav", tone(300, 1.5))
    monkeypatch.setattr("training.label.prepare.is_laugh", lambda recording, _tags: recording.dataset == "emogator")
    made = prepare(data, tmp_path / "prepared", PARAMS)
    assert [(r.kind, r.group) for r in made.recordings[-2:]] == [("laugh:raised", "000001")] * 2
    assert np.array_equal(np.unique(made.windows.recording), np.arange(len(made.recordings)))
    monkeypatch.setattr("training.label.prepare.no_cry", lambda _scores: False)
    assert [r.kind for r in prepare(data, tmp_path / "prepared", PARAMS).recordings][-1] == "emogator:joy"


def test_hearing_anew_keeps_what_the_teachers_said(data: Path, tmp_path: Path) -> None:
    """With another gate the marks of what is heard change; the labels are used again, not computed."""
    folder = tmp_path / "prepared"
    first = prepare(data, folder, PARAMS)
    with np.load(folder / WINDOWS_FILE) as arrays:
        marked = dict(arrays)
    marked["mn04"] = np.arange(len(first.windows), dtype=np.float32)  # what no teacher says
    np.savez(folder / WINDOWS_FILE, **marked)
    deaf = prepare(data, folder, ListenerParams(gate=GateParams(least_dbfs=0.0, noisy_dbfs=1.0)))
    assert np.array_equal(deaf.windows.mn04, marked["mn04"])
    assert np.array_equal(deaf.windows.end, first.windows.end)
    assert first.windows.heard.any()
    assert not deaf.windows.heard.any()
    listing = json.loads((folder / RECORDINGS_FILE).read_text())
    assert listing["data"] == str(data)
