"""Batches of labelled windows: each once an epoch, in an order that the epoch alone decides, partly hidden."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.frontend import PLAIN, FrontendParams, patches
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from tests.support.training.labelled_shards import TAGS, WIDTH, embedding_of, tags_of, write_shards
from training.label.agreement import agreed
from training.learn.batches import BATCH, CRIES, MASK, VOICES, Batches, mask

N = 2 * BATCH
"""Windows."""
PLACE = np.arange(N) / N
"""By window: how much it is a cry, and so which one it is."""
SAID = np.where(np.arange(N) % 8 == 0, np.nan, PLACE)
"""By window: what people say of it; nothing of one in eight."""


@pytest.fixture(scope="module")
def samples() -> Pcm:
    """Noise, each window another."""
    return np.random.default_rng(1).integers(-3_000, 3_000, (N, WINDOW_SAMPLES)).astype(np.int16)


@pytest.fixture(scope="module")
def folder(samples: Pcm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards of unequal length, and what a killed process left of a fourth."""
    made = write_shards(tmp_path_factory.mktemp("views"), samples, PLACE, SAID, shards=3)
    (made / "views-0003.4711.partial.npz").write_bytes(b"half of it")
    return made


@pytest.fixture(scope="module")
def batches(folder: Path) -> Batches:
    """Nothing hidden."""
    return Batches(folder, FrontendParams(), mask=(0, 0))


def rows_of(batch: tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]) -> list[int]:
    """Which windows they are, by the first direction of the embedding."""
    places = batch[1]["teacher"][:, 0] * PLACE.std() + PLACE.mean()
    return [round(place * N) for place in places.tolist()]


def epoch(batches: Batches, number: int) -> list[list[int]]:
    """The windows of each batch."""
    batches.begin(number)
    return [rows_of(batches[index]) for index in range(len(batches))]


def test_an_epoch_is_each_view_once(batches: Batches) -> None:
    """Over all shards, whatever epoch it is."""
    for number in (0, 1, 7):
        assert sorted(row for rows in epoch(batches, number) for row in rows) == list(range(N))


def test_the_order_is_the_epochs(folder: Path, batches: Batches) -> None:
    """Another in each epoch, the same for whoever begins there, another with another seed."""
    first, second = epoch(batches, 0), epoch(batches, 1)
    assert first != second
    fresh = Batches(folder, PLAIN)
    assert epoch(fresh, 1) == second
    assert epoch(Batches(folder, PLAIN, seed=1), 0) != first


def test_keras_calls_between_epochs_change_nothing(batches: Batches) -> None:
    """It calls `on_epoch_end` before the first epoch too: only `begin` moves on."""
    batches.begin(2)
    before = rows_of(batches[0])
    batches.on_epoch_end()
    assert rows_of(batches[0]) == before


def test_sound_and_labels_belong_together(batches: Batches, samples: Pcm) -> None:
    """The bundle's own front end, and both teachers' words of that very window; all float32."""
    batches.begin(0)
    x, y = batches[1]
    rows = rows_of((x, y))
    assert x.shape == (BATCH, 96, 64)
    assert {array.dtype for array in (x, *y.values())} == {np.dtype(np.float32)}
    np.testing.assert_allclose(x, patches(samples[rows], FrontendParams()), atol=5e-3)  # float16 up to 8
    np.testing.assert_array_equal(y["tags"], tags_of(PLACE[rows]))
    np.testing.assert_array_equal(y["voices"], y["tags"][:, VOICES])
    assert (batches.classes, batches.width) == (TAGS, WIDTH)
    embedding = embedding_of(PLACE).astype(np.float32)
    expected = (embedding - embedding.mean(axis=0)) / embedding.std(axis=0)
    np.testing.assert_allclose(y["teacher"], expected[rows], atol=2e-2)


def test_a_cry_is_what_people_and_teachers_agree_on(batches: Batches) -> None:
    """What nobody has said the teachers say, over all shards at once: there is no target without a number."""
    batches.begin(0)
    expected = agreed(SAID.astype(np.float32), tags_of(PLACE))
    for index in range(len(batches)):
        batch = batches[index]
        np.testing.assert_array_equal(batch[1]["cry"][:, 0], expected[rows_of(batch)])
        assert np.isfinite(batch[1]["cry"]).all()


def test_voices_are_peoples_and_animals(shared_data: Path) -> None:
    """The columns from speech to the last animal, in both lists; music and things are not among them."""
    labels = (shared_data / "teachers" / "audioset_527_labels.csv").read_text().splitlines()
    classes = (shared_data / "teachers" / "yamnet_class_map.csv").read_text().splitlines()
    names = [line.split(",", 2)[2].strip('"') for line in [*labels[1:], *classes[1:]]]
    chosen = [names[column] for column in VOICES]
    assert len(names) == TAGS
    assert chosen.count("Speech") == chosen.count("Baby cry, infant cry") == chosen.count("Whale vocalization") == 2
    assert "Music" not in chosen
    assert names[VOICES.max() + 1] == "Music"


def test_each_patch_is_partly_hidden(folder: Path, batches: Batches) -> None:
    """By the seed, the epoch and the batch alone; other parts in the next epoch."""
    hiding, again = Batches(folder, FrontendParams()), Batches(folder, FrontendParams())
    batches.begin(0)
    assert rows_of(hiding[0]) == rows_of(batches[0])
    changed = (hiding[0][0] != batches[0][0]).any(axis=(1, 2))
    assert changed.mean() > 0.9  # a width of 0 for both is one in 273
    np.testing.assert_array_equal(hiding[0][0], again[0][0])
    again.begin(1)
    assert not np.array_equal(hiding[0][0], again[0][0])


@pytest.mark.parametrize("seed", range(20))
def test_a_mask_hides_runs_behind_the_mean(seed: int) -> None:
    """One run of frames and one of bands, at most as wide as asked, and nothing else."""
    whole = np.random.default_rng(seed).normal(size=(96, 64)).astype(np.float32)
    patch = whole.copy()
    mask(patch, MASK, np.random.default_rng(seed))
    changed = patch != whole
    frames, bands = changed.all(axis=1), changed.all(axis=0)
    np.testing.assert_array_equal(changed, frames[:, None] | bands[None, :])
    np.testing.assert_allclose(patch[changed], whole.mean(), atol=1e-6)
    for hidden, most in zip((frames, bands), MASK, strict=True):
        assert hidden.sum() <= most
        assert np.abs(np.diff(hidden.astype(int), prepend=0, append=0)).sum() in (0, 2)  # one run


def test_without_views_it_refuses(tmp_path: Path, samples: Pcm) -> None:
    """An empty folder says which command fills it; less than a batch is too little."""
    with pytest.raises(ConfigError, match="make some with `monitord-train teach`"):
        Batches(tmp_path, PLAIN)
    few = write_shards(tmp_path / "few", samples[:3], np.zeros(3), shards=1)
    with pytest.raises(ConfigError, match="3 views, fewer than a batch of 64"):
        Batches(few, PLAIN)


def test_people_know_better_than_the_teachers(tmp_path: Path, samples: Pcm) -> None:
    """Where people say that nobody cries, no teacher's class says a baby does; all its other classes stay."""
    said = np.select([np.arange(N) % 2 == 0, np.arange(N) > N - 10], [0.0, 1.0], np.nan)
    made = Batches(write_shards(tmp_path, samples, PLACE, said, shards=1), PLAIN, mask=(0, 0))
    made.begin(0)
    tags = made[0][1]["tags"]
    rows = np.array(rows_of(made[0]))
    expected = tags_of(PLACE)[rows].astype(np.float32)
    expected[np.ix_(rows % 2 == 0, CRIES)] = 0.0
    assert tags_of(PLACE)[1:, CRIES].min() > 0
    np.testing.assert_allclose(tags, expected, atol=1e-3)
