"""The AudioSet teachers: their front end against a slow reference, and their scores against the published ones."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from monitord.errors import BundleError, ConfigError
from tests.support.paths import SHARED
from training.data.recordings import load_audio
from training.label.mn04_frontend import log_mel
from training.label.teachers import Mn04Teacher, Teacher, YamnetTeacher

pytest.importorskip("onnxruntime", reason="the train extra is not installed")

DATA = SHARED
NEEDS_DATA = pytest.mark.skipif(not DATA.is_dir(), reason="needs the recordings of ../shared/data")


def _noise(samples: int, seed: int = 0) -> NDArray[np.int16]:
    return (np.random.default_rng(seed).standard_normal(samples) * 3000).astype(np.int16)


def _slow_frame(wide: NDArray[np.float64], centre: int) -> list[float]:
    """One column of the picture, written as the recipe reads: float64, one band after the other."""
    sharp = wide[1:] - 0.97 * wide[:-1]
    power = np.zeros(513)
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / 799) for n in range(800)]
    times = np.arange(800)
    signal = window * sharp[centre - 400 : centre + 400]
    for k in range(513):
        power[k] = abs(np.sum(signal * np.exp(-2j * math.pi * k * times / 1024))) ** 2
    edges = [700 * (math.exp(m / 1127) - 1) for m in np.linspace(0, 1127 * math.log(1 + 15000 / 700), 130)]
    mels = [1127 * math.log(1 + hertz / 700) for hertz in edges]
    column = []
    for band in range(128):
        left, middle, right = mels[band : band + 3]
        energy = 0.0
        for k in range(513):
            m = 1127 * math.log(1 + k * 31.25 / 700)  # 32,000 Hz / 1,024
            energy += power[k] * max(0.0, min((m - left) / (middle - left), (right - m) / (right - middle)))
        column.append((math.log(energy + 1e-5) + 4.5) / 5)
    return column


def test_the_picture_equals_a_slow_reference() -> None:
    """Two frames of noise agree with a float64 reference that follows the recipe line by line."""
    from scipy.signal import resample_poly  # noqa: PLC0415  only this test upsamples by itself

    sound = _noise(16_000)
    picture = log_mel(sound[None])
    wide = resample_poly(sound / 32768, 2, 1)
    for frame in (10, 57):
        np.testing.assert_allclose(picture[0, 0, :, frame], _slow_frame(wide, 320 * frame), atol=1e-4)


def test_the_picture_has_a_frame_every_10_ms() -> None:
    """Shape and dtype: 15,600 samples are 31,199 after pre-emphasis at 32 kHz, hence 98 frames."""
    picture = log_mel(np.stack([_noise(15_600, seed) for seed in range(3)]))
    assert picture.shape == (3, 1, 128, 31_199 // 320 + 1)
    assert picture.dtype == np.float32


def _published(dataset: str) -> list[dict[str, str]]:
    with (DATA / dataset / "index.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _uploads_as_scored(column: str) -> list[dict[str, str]]:
    """Uploads at 16 kHz that the corpus did not re-encode before it was scored, one in 12, from low to high score."""
    rows = [row for row in _published("donateacry") if row["set"] == "ios" and row["in_cleaned"] == "0"]
    return sorted((row for row in rows if float(row["duration_s"]) > 1), key=lambda row: row[column])[::12]


@NEEDS_DATA
def test_mn04_reproduces_the_published_scores() -> None:
    """Whole uploads give the four published digits."""
    rows = _uploads_as_scored("mn04_cry")
    sounds = [load_audio(DATA / "donateacry" / row["path"]) for row in rows]
    scores = Mn04Teacher(DATA / "teachers" / "mn04_as.onnx").scores(sounds)
    np.testing.assert_allclose(scores, [float(row["mn04_cry"]) for row in rows], atol=2e-4)


@NEEDS_DATA
def test_yamnet_comes_near_the_published_scores() -> None:
    """The column was made with the full network, which cuts its patches from one picture: 0.1 apart at most."""
    rows = _uploads_as_scored("yamnet_cry")
    sounds = [load_audio(DATA / "donateacry" / row["path"]) for row in rows]
    scores = YamnetTeacher(DATA / "teachers" / "yamnet.tflite").scores(sounds)
    gaps = np.abs(scores - [float(row["yamnet_cry"]) for row in rows])
    assert gaps.max() < 0.1
    assert gaps.mean() < 0.02


@NEEDS_DATA
def test_both_teachers_part_the_cries_of_esc50_from_the_rest() -> None:
    """The weakest of 8 crying babies stands above the median, and the strongest other sound under it."""
    rows = [row for row in _published("esc50") if row["fold"] == "1"]
    cries = [row for row in rows if row["category"] == "crying_baby"]
    others = [row for row in rows if row["category"] != "crying_baby"][::16]
    teachers: list[Teacher] = [
        Mn04Teacher(DATA / "teachers" / "mn04_as.onnx"),
        YamnetTeacher(DATA / "teachers" / "yamnet.tflite"),
    ]
    sounds = [load_audio(DATA / "esc50" / row["path"]) for row in [*cries, *others]]
    for teacher in teachers:
        scores = teacher.scores(sounds)
        assert np.median(scores[: len(cries)]) > scores[len(cries) :].max(), teacher.name


@NEEDS_DATA
def test_lengths_may_mix_and_order_stays() -> None:
    """A batch of mixed lengths gives what each window gives alone; very short sound is padded, not refused."""
    mn04 = Mn04Teacher(DATA / "teachers" / "mn04_as.onnx")
    windows = [_noise(15_600, 1), _noise(32_000, 2), _noise(100, 3), _noise(15_600, 4)]
    labels = mn04.label(windows)
    assert labels.logits.shape == (4, 527)
    assert labels.embeddings.shape == (4, 384)
    for row, window in enumerate(windows):
        np.testing.assert_allclose(labels.logits[row], mn04.label([window]).logits[0], atol=1e-3)
    assert mn04.scores([]).shape == (0,)
    assert YamnetTeacher(DATA / "teachers" / "yamnet.tflite").scores(windows).shape == (4,)


@pytest.mark.parametrize("teacher", [Mn04Teacher, YamnetTeacher])
def test_a_wrong_file_is_refused_by_name(teacher: type[Mn04Teacher] | type[YamnetTeacher], tmp_path: Path) -> None:
    """A missing file is the operator's, another file a wrong bundle; both errors name it."""
    with pytest.raises(ConfigError, match="missing"):
        teacher(tmp_path / "missing")
    (tmp_path / "text").write_text("no network at all, only words " * 10)
    with pytest.raises(BundleError, match="text"):
        teacher(tmp_path / "text")
