"""Clips: cut by the daemon's ear or by hand, written and read back whole, and counted as in the paper's Table 1."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.bundle import load_bundle
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import cry_in_room, noise, silence, tone, write_wav
from training.data.clips import ClipSet, load_clips, save_clips
from training.data.cutting import Cutting, cut_clips
from training.data.table_one import table_one
from training.data.windows import cut, hear

HEADER = "path,label,baby,recording,licence,installation,start_s,end_s,weather"


def _manifest(folder: Path, *lines: str) -> Path:
    path = folder / "ours.csv"
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def room() -> Pcm:
    """Quiet, a bout of ten cry sounds, quiet, then a doorbell."""
    bell = tone(700, 0.6, peak_dbfs=-12) + noise(0.6, rms_dbfs=-55)
    return np.concatenate([cry_in_room(), bell, noise(2.0, rms_dbfs=-55)])


@pytest.fixture(scope="module")
def heard(room: Pcm, tmp_path_factory: pytest.TempPathFactory) -> Cutting:
    """The room as one recording."""
    folder = tmp_path_factory.mktemp("heard")
    write_wav(folder / "room.wav", room)
    return cut_clips(_manifest(folder, "room.wav,hunger,ana,,CC0,phone,,,rainy"), load_bundle())


def test_the_ear_cuts_as_the_daemon_does(heard: Cutting, room: Pcm) -> None:
    """Every clip is a segment of the daemon's `Listener`, with the windows that the daemon pools for it."""
    windows, segments = hear(room, load_bundle().manifest.listener)
    by_start = {segment.start: segment for segment in segments}
    clips = heard.clips
    assert len(clips.clips) >= 8
    for index, clip in enumerate(clips.clips):
        segment = by_start[clip.start]
        assert np.array_equal(clips.cut(index), segment.samples)
        expected = [w.samples for w in windows if segment.start < w.end <= segment.closed]
        found = [clips.window(row) for row in np.flatnonzero(clips.clip == index)]
        assert len(found) >= 1
        assert np.array_equal(found, expected)


def test_a_clip_knows_what_the_manifest_said(heard: Cutting) -> None:
    """Label, baby, recording, phone, licence and the column that we do not know."""
    clip = heard.clips.clips[0]
    assert (clip.label, clip.baby, clip.recording, clip.installation) == ("hunger", "ana", "room.wav", "phone")
    assert (clip.licence, clip.more) == ("CC0", {"weather": "rainy"})
    assert (heard.clips.name, heard.clips.synthetic) == ("ours.csv", False)


def test_sounds_without_a_cry_are_left_out_and_counted(heard: Cutting, room: Pcm, tmp_path: Path) -> None:
    """The doorbell is no hunger, unless every segment is asked for; a recording of which nothing is left is named."""
    bell = len(room) - round(2.6 * RATE_HZ)
    assert heard.without_cry >= 1
    assert all(clip.end < bell for clip in heard.clips.clips)
    write_wav(tmp_path / "room.wav", room)
    write_wav(tmp_path / "bell.wav", np.concatenate([noise(8.0, rms_dbfs=-55), room[bell:]]))
    path = _manifest(tmp_path, "room.wav,hunger,,,,,,,", "bell.wav,boredom,,,,,,,")
    everything = cut_clips(path, load_bundle(), every_segment=True)
    assert any(clip.end > bell for clip in everything.clips.clips)
    assert everything.without_cry == 0
    assert [entry.path.name for entry in cut_clips(path, load_bundle()).empty] == ["bell.wav"]


def test_cut_marks_are_trusted(tmp_path: Path) -> None:
    """Also where no network hears a cry: the windows end on the ear's grid and at the clip's end, and look back."""
    sound = noise(4.0, rms_dbfs=-30)
    write_wav(tmp_path / "a.wav", sound)
    cutting = cut_clips(_manifest(tmp_path, "a.wav,hunger,ana,,,,2,2.5,", "a.wav,boredom,ana,,,,0,0.3,"), load_bundle())
    clips = cutting.clips
    assert np.array_equal(clips.cut(0), sound[32_000:40_000])
    # The grid is 0.24 s = 3,840 samples. The first end with 0.18 s = 2,880 samples of the clip is 10 * 3,840 = 38,400.
    ends = [38_400, 40_000]
    assert np.array_equal([clips.window(row) for row in (0, 1)], [cut(sound, end, WINDOW_SAMPLES) for end in ends])
    assert np.array_equal(clips.window(0), sound[38_400 - WINDOW_SAMPLES : 38_400])
    # 0.3 s = 4,800 samples at the start of the file: zeros in front.
    assert clips.clip.tolist() == [0, 0, 1, 1]
    assert np.array_equal(clips.window(3), np.concatenate([silence(0.675), sound[:4_800]]))
    assert clips.labels.tolist() == [0, 1]


def test_bad_recordings_are_refused_by_line_before_the_work(tmp_path: Path) -> None:
    """A text, a file without sound, a mark behind the end: all told at once."""
    (tmp_path / "notes.wav").write_text("no sound")
    write_wav(tmp_path / "empty.wav", silence(0.0))
    write_wav(tmp_path / "short.wav", tone(440, 1.0))
    path = _manifest(tmp_path, "notes.wav,hunger,,,,,,,", "empty.wav,hunger,,,,,,,", "short.wav,boredom,,,,,0.5,1.2,")
    with pytest.raises(ConfigError) as refusal:
        cut_clips(path, load_bundle())
    told = str(refusal.value)
    assert "ours.csv:2: path: " in told
    assert "take the line out" in told
    assert "ours.csv:3: path: " in told
    assert "ours.csv:4: end_s: found 1.200, expected at most 1.000, the length of" in told


def test_nothing_but_silence_says_what_can_be_done(tmp_path: Path) -> None:
    """No clip at all is refused, and nothing is written."""
    write_wav(tmp_path / "quiet.wav", noise(3.0, rms_dbfs=-60))
    with pytest.raises(ConfigError, match="no cry is heard in any recording"):
        cut_clips(_manifest(tmp_path, "quiet.wav,hunger,,,,,,,"), load_bundle())


def test_clips_come_back_as_they_were_written(heard: Cutting, tmp_path: Path) -> None:
    """Every clip, sample and window; and nothing else is left in the folder."""
    save_clips(heard.clips, tmp_path)
    again = load_clips(tmp_path)
    assert (again.name, again.synthetic, again.clips) == (heard.clips.name, False, heard.clips.clips)
    assert all(np.array_equal(a, b) for a, b in zip(again.sounds, heard.clips.sounds, strict=True))
    assert np.array_equal(list(again.windows()), list(heard.clips.windows()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips.json", "clips.npz"]


def test_a_folder_without_clips_says_how_to_make_some(heard: Cutting, tmp_path: Path) -> None:
    """Empty, cut short, or a file where the folder should be: refused with the command that helps."""
    with pytest.raises(ConfigError, match=r"no clips here.*prepare --manifest"):
        load_clips(tmp_path)
    save_clips(heard.clips, tmp_path)
    whole = (tmp_path / "clips.npz").read_bytes()
    (tmp_path / "clips.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="no clips here"):
        load_clips(tmp_path)
    with pytest.raises(ConfigError, match="cannot be written"):
        save_clips(heard.clips, tmp_path / "clips.npz")


def test_table_one_counts_by_baby_and_reason(heard: Cutting) -> None:
    """A row for each baby, the totals under them; hand-counted: two of Ana's, one of Ben's."""
    clips = heard.clips
    one, two, other = clips.clips[:3]
    three = [one, replace(two, label="boredom"), replace(other, baby="ben", recording="b.wav")]
    rows = np.flatnonzero(clips.clip < 3)
    small = ClipSet("ours.csv", True, three, clips.sounds[:3], clips.clip[rows], clips.end[rows])  # noqa: FBT003
    lines = table_one(small).splitlines()
    assert lines[0] == "Table 1. ours.csv (synthetic: no baby ever cried in it)"
    assert lines[2:7] == [
        "| baby | hunger | boredom | tiredness | discomfort | total |",
        "|---|---|---|---|---|---|",
        "| ana | 1 | 1 | 0 | 0 | 2 |",
        "| ben | 1 | 0 | 0 | 0 | 1 |",
        "| total | 2 | 1 | 0 | 0 | 3 |",
    ]
    assert lines[-1].startswith("3 clips of ")
    assert "2 recordings in 1 groups" in lines[-1]  # one phone holds Ana and Ben together


def test_table_one_sums_up_what_would_be_hundreds_of_rows(heard: Cutting) -> None:
    """Twenty rows of the biggest, one of the others."""
    clip = heard.clips.clips[0]
    many = [replace(clip, baby="", installation=f"i{i}") for i in range(25)] + [
        replace(clip, baby="", installation="i7")
    ]
    sounds = [heard.clips.sounds[0]] * 26
    lines = table_one(ClipSet("x", False, many, sounds, np.arange(26), np.full(26, WINDOW_SAMPLES))).splitlines()  # noqa: FBT003
    assert lines[2].startswith("| installation |")
    assert lines[4] == "| i7 | 2 | 0 | 0 | 0 | 2 |"
    assert lines[24:26] == ["| 5 others | 5 | 0 | 0 | 0 | 5 |", "| total | 26 | 0 | 0 | 0 | 26 |"]
