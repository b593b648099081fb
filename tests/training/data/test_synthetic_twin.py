"""The synthetic twin: the paper's counts, the same bytes every time, reasons that can be heard, never called real."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.bundle import load_bundle
from model.frontend import FrontendParams, patches
from monitord.errors import ConfigError
from monitord.types import RATE_HZ, REASONS
from training.data.clips import ClipSet, load_clips
from training.data.cutting import cut_clips
from training.data.splits import folds_of
from training.data.synthetic_babies import BABIES
from training.data.synthetic_twin import synthesise
from training.data.table_one import table_one
from training.label.teachers import YAMNET_CRY, YamnetTeacher

FEW = (replace(BABIES[0], clips=(12, 12, 12, 12)), replace(BABIES[4], clips=(12, 12, 12, 12)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two babies, twelve cry sounds for each reason."""
    folder = tmp_path_factory.mktemp("twin")
    synthesise(folder, 1, FEW)
    return folder


@pytest.fixture(scope="module")
def twin(folder: Path) -> ClipSet:
    """The same, read back."""
    return load_clips(folder)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_counts_are_the_papers() -> None:
    """Ten babies, 205 + 312 + 152 + 183 = 852 cry sounds, as its Table 1 has them."""
    by_reason = np.array([baby.clips for baby in BABIES]).sum(axis=0)
    assert by_reason.tolist() == [205, 312, 152, 183]
    assert [sum(baby.clips) for baby in BABIES] == [44, 52, 182, 29, 184, 150, 71, 101, 23, 16]
    assert [(baby.months, baby.sex) for baby in BABIES] == [
        (1, "boy"),
        (1, "boy"),
        (1, "girl"),
        (1, "girl"),
        (2, "boy"),
        (2, "boy"),
        (3, "boy"),
        (3, "girl"),
        (3, "girl"),
        (4, "girl"),
    ]


def test_each_clip_is_one_file_of_a_legal_length(folder: Path, twin: ClipSet) -> None:
    """96 files of 0.18 to 2.5 s, 12 for each baby and reason, several in each recording."""
    assert len(list((folder / "wav").iterdir())) == len(twin.clips) == 96
    assert set(Counter((clip.baby, clip.label) for clip in twin.clips).values()) == {12}
    assert len({clip.baby for clip in twin.clips}) == 2
    lengths = [len(twin.cut(index)) for index in range(96)]
    assert 0.18 * RATE_HZ <= min(lengths) < max(lengths) <= 2.5 * RATE_HZ
    assert set(Counter(clip.recording for clip in twin.clips).values()) == {6}  # 12 in two recordings


def test_it_says_that_it_is_synthetic(folder: Path, twin: ClipSet) -> None:
    """In the clips, in the table, and in every line of the manifest, so that `prepare` says it again."""
    assert twin.synthetic
    assert "synthetic: no baby ever cried in it" in table_one(twin)
    header, *lines = (folder / "manifest.csv").read_text().splitlines()
    assert header.endswith(",synthetic")
    assert all(line.endswith(",yes") for line in lines)


def test_prepare_makes_the_same_of_it(folder: Path, twin: ClipSet) -> None:
    """The manifest cuts the very clips and windows that `synth` wrote, and they stay synthetic."""
    again = cut_clips(folder / "manifest.csv", load_bundle()).clips
    assert again.synthetic
    assert again.clips == twin.clips
    assert all(np.array_equal(one, other) for one, other in zip(again.sounds, twin.sounds, strict=True))
    assert np.array_equal(again.clip, twin.clip)
    assert np.array_equal(again.end, twin.end)


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    """The same seed twice, and another one; an earlier twin in the folder is replaced whole."""
    one = (replace(BABIES[2], clips=(2, 1, 0, 1)),)
    synthesise(tmp_path, 3, one)
    first = _bytes(tmp_path)
    synthesise(tmp_path, 4, (replace(one[0], clips=(1, 1, 1, 0)),))
    assert len(_bytes(tmp_path)) == 3 + 3  # three sounds, the manifest, two files of clips
    synthesise(tmp_path, 3, one)
    assert _bytes(tmp_path) == first


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A family's own folder of sounds is not replaced by a twin's."""
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "ours.wav").touch()
    with pytest.raises(ConfigError, match="holds other files; give a new folder"):
        synthesise(tmp_path, 1, FEW)
    assert [path.name for path in tmp_path.rglob("*")] == ["wav", "ours.wav"]


def test_the_reason_can_be_heard(twin: ClipSet) -> None:
    """A linear probe on coarse spectrograms finds most reasons in random folds, where chance finds a quarter."""
    x = patches(list(twin.windows()), FrontendParams())  # float32 [windows, 96, 64]
    features = x.reshape(len(x), 8, 12, 32, 2).mean(axis=(2, 4)).reshape(len(x), -1)
    right = 0
    for train, test in folds_of(twin.clips, twin.labels, "random"):
        rows = np.isin(twin.clip, train)
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        probe.fit(features[rows], twin.labels[twin.clip[rows]])
        p = probe.predict_proba(features)
        right += sum(int(p[twin.clip == index].mean(axis=0).argmax() == twin.labels[index]) for index in test)
    assert right / len(twin.clips) > 0.7


@pytest.mark.parametrize("reason", REASONS)
def test_yamnet_takes_it_for_a_babys_cry(twin: ClipSet, shared_data: Path, reason: str) -> None:
    """Every reason: an AudioSet network that had no part in making it says "baby cry" over 0.3 in most clips."""
    yamnet = YamnetTeacher(shared_data / "teachers" / "yamnet.tflite")
    of = np.flatnonzero(twin.labels == REASONS.index(reason))
    loudest = [
        yamnet.label([twin.window(row) for row in np.flatnonzero(twin.clip == i)])[:, YAMNET_CRY].max() for i in of
    ]
    assert np.median(loudest) > 0.3
