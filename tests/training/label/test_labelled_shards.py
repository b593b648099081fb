"""Labelled shards: what both teachers say of the very window, whole shards, and a run that may be stopped."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from tests.support.paths import ROOT
from tests.support.sound.media import write_media
from tests.support.sound.sounds import noise, silence, synthetic_cry
from tests.support.training.prepared import Take, on_disk, prepared_from
from training.data.prepared import Prepared
from training.label.augmented_windows import AugmentationParams, AugmentedWindows
from training.label.held_out import rows_for
from training.label.labelled_shards import _write, load_shard, shard_path, teach
from training.label.targets import cry_targets
from training.label.teachers import MN04_CLASSES, MN04_WIDTH, YAMNET_CLASSES, YAMNET_CRY, Mn04Teacher, YamnetTeacher
from training.sound.room_responses import load_rooms

pytest.importorskip("onnxruntime", reason="the train extra is not installed")

PARAMS = AugmentationParams(cry_share=0.6)
SEED, VIEWS, SHARDS = 3, 6, 2

TEACHES_BY_RAY = """
from pathlib import Path
from model.cluster.ray_tasks import ray_tasks
from training.data.prepared import load_prepared
from training.label.augmented_windows import AugmentationParams
from training.label.labelled_shards import teach
params = AugmentationParams(cry_share=0.6)
prepared = load_prepared(Path({prepared!r}))
teach(prepared, Path({out!r}), params, shards={shards}, seed={seed}, workers=1, views={views}, engine=ray_tasks)
"""
"""As the command, which writes shards of 128 MB."""


def takes() -> list[Take]:
    """A cry and rain."""
    return [
        Take("cry", synthetic_cry()[:40_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("rain", noise(2.5, rms_dbfs=-20), is_cry=False, kind="home:rain"),
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Prepared:
    """With the real teachers and a room."""
    folder = tmp_path_factory.mktemp("teach")
    made = on_disk(prepared_from(folder, takes()))
    (folder / "teachers").symlink_to(shared_data / "teachers")
    (folder / "rooms").mkdir()
    response = np.concatenate([[20_000], np.zeros(400), [6_000], np.zeros(400)]).astype(np.int16)
    write_media(folder / "rooms" / "nursery.flac", response, "flac")
    return made


@pytest.fixture(scope="module")
def folder(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run leaves, by a process of its own."""
    out = tmp_path_factory.mktemp("views") / "new"
    teach(prepared, out, PARAMS, shards=SHARDS, seed=SEED, workers=1, views=VIEWS)
    return out


def test_a_shard_is_views_and_what_teachers_hear_in_them(prepared: Prepared, folder: Path) -> None:
    """Numbered through all shards; the teachers label the mixed, coded, reverberant window itself."""
    assert sorted(path.name for path in folder.iterdir()) == ["task.json", "views-0000.npz", "views-0001.npz"]
    rows, rooms = rows_for(prepared, held_out=False), load_rooms(prepared.data / "rooms")
    drawer = AugmentedWindows(prepared, cry_targets(prepared), rows, rooms, seed=SEED, params=PARAMS)
    shard = load_shard(shard_path(folder, 1))
    drawn = [drawer.draw(number) for number in range(VIEWS, 2 * VIEWS)]
    np.testing.assert_array_equal(shard.samples, np.stack([x for x, _ in drawn]))
    assert shard.samples.shape == (VIEWS, WINDOW_SAMPLES)
    np.testing.assert_array_equal(shard.cry, np.array([cry for _, cry in drawn], np.float32))
    assert shard.tags.shape == (VIEWS, MN04_CLASSES + YAMNET_CLASSES)
    assert shard.embedding.shape == (VIEWS, MN04_WIDTH)
    assert [str(array.dtype) for array in (shard.samples, shard.cry, shard.tags)] == ["int16", "float32", "float16"]
    models = prepared.data / "teachers"
    mn04 = Mn04Teacher(models / "mn04_as.onnx").label(list(shard.samples))
    yamnet = YamnetTeacher(models / "yamnet.tflite").label(list(shard.samples))
    np.testing.assert_allclose(shard.tags[:, :MN04_CLASSES], 1 / (1 + np.exp(-mn04.logits)), atol=2e-3)
    np.testing.assert_allclose(shard.tags[:, MN04_CLASSES:], yamnet, atol=2e-3)
    np.testing.assert_allclose(shard.embedding, mn04.embeddings, atol=2e-2, rtol=2e-3)
    assert shard.tags[:, MN04_CLASSES + YAMNET_CRY].max() > 0.3  # the synthetic cry


def test_a_stopped_run_goes_on(prepared: Prepared, folder: Path, tmp_path: Path) -> None:
    """Finished shards are not touched, half a one does not count, the missing one is what it would have been."""
    partial = tmp_path / "views-0001.4711.partial.npz"
    kept = shard_path(tmp_path, 0)
    kept.write_bytes(b"finished long ago")
    partial.write_bytes(b"half of it")
    teach(prepared, tmp_path, PARAMS, shards=SHARDS, seed=SEED, workers=2, views=VIEWS)
    assert kept.read_bytes() == b"finished long ago"
    made, expected = load_shard(shard_path(tmp_path, 1)), load_shard(shard_path(folder, 1))
    np.testing.assert_array_equal(made.samples, expected.samples)
    np.testing.assert_array_equal(made.tags, expected.tags)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    teach(prepared, tmp_path, PARAMS, shards=SHARDS, seed=SEED, workers=2, views=VIEWS)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.ward
def test_ray_gives_the_same_bytes(prepared: Prepared, folder: Path, tmp_path: Path) -> None:
    """`teach --engine ray` writes shard for shard what it does without."""
    paths = {"prepared": str(prepared.folder), "out": str(tmp_path)}
    code = TEACHES_BY_RAY.format(**paths, shards=SHARDS, seed=SEED, views=VIEWS)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_nothing_half_written_is_left(prepared: Prepared, tmp_path: Path) -> None:
    """Where the disk takes no more, a line says so, and the folder holds what it held."""
    gone = tmp_path / "gone"
    with pytest.raises(ConfigError, match=r"views-0000\.npz: cannot be written: .*; finished shards stand"):
        _write((prepared.folder, gone, PARAMS, 0, SEED, 2, None))
    assert not gone.exists()
    in_the_way = shard_path(tmp_path, 0)
    in_the_way.mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        _write((prepared.folder, tmp_path, PARAMS, 0, SEED, 2, None))
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Before any time is spent."""
    (tmp_path / "file").write_text("in the way")
    made = prepared_from(tmp_path / "prepared", takes())
    with pytest.raises(ConfigError, match="cannot be used"):
        teach(made, tmp_path / "file" / "views", PARAMS, shards=1, seed=0, workers=1)


def test_views_of_another_kind_are_not_mixed_in(prepared: Prepared, folder: Path) -> None:
    """Another seed or other chances in the same folder would go unnoticed for ever: refused, naming what differs."""
    with pytest.raises(ConfigError, match="not the same: seed"):
        teach(prepared, folder, PARAMS, shards=SHARDS, seed=SEED + 1, workers=1, views=VIEWS)


@pytest.mark.parametrize(
    "alone",
    [
        Take("rain", noise(2.0), is_cry=False),
        Take("cry", np.concatenate([silence(2.0), synthetic_cry()[:40_000]]), is_cry=True, p_cry=0.9),
        Take("quiet", silence(2.0), is_cry=None),
    ],
    ids=lambda take: take.name,
)
def test_without_cries_or_without_anything_else_it_refuses(alone: Take, tmp_path: Path) -> None:
    """There is nothing to tell apart; the pauses of a cry recording are no other sound. Held-out cries do not count."""
    held_out = Take("held_out", synthetic_cry()[:40_000], is_cry=True, p_cry=0.9, held_out=True)
    made = prepared_from(tmp_path / "prepared", [alone, held_out])
    with pytest.raises(ConfigError, match="needs both cries and other sound"):
        teach(made, tmp_path / "out", PARAMS, shards=1, seed=0, workers=1)
    assert not (tmp_path / "out").exists()
