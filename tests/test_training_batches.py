"""Batches: drawn by the seed alone, in the asked shares, and never from what is held out or unknown."""

import numpy as np
import pytest
from numpy.typing import NDArray
from prepared import TAGS, Take, prepared_from
from sounds import noise, synthetic_cry, tone

from model.frontend import FrontendParams, patches
from training.batches import HARD, Batches, BatchParams, _hisses, _pools
from training.prepare import Prepared
from training.rooms import Room

PURE = BatchParams(size=8, p_noise=0, p_room=0, p_codec=0, p_speed=0, p_hiss=0, jitter=0, mask=(0, 0))
"""Nothing is done to a window."""
ROOMS = [Room("hall", np.array([1, 0, 0, 0.5], np.float32), 0)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Two kinds of cry and two kinds of other sound, one recording that is held out, one that nobody knows."""
    takes = [
        Take("cry", synthetic_cry()[:40_000], is_cry=True, kind="crying_baby"),
        Take("cry_too", synthetic_cry(seed=2)[:40_000], is_cry=True, kind="phone:ios"),
        Take("cat", tone(700, 2.0), is_cry=False, kind="cat"),
        Take("rain", noise(2.0, rms_dbfs=-20), is_cry=False, kind="home:rain"),
        Take("held_out", tone(3_000, 2.0), is_cry=False, kind="dog", held_out=True),
        Take("unknown", tone(5_000, 2.0), is_cry=None, kind="phone:ios"),
    ]
    return prepared_from(tmp_path_factory.mktemp("batches"), takes)


def targets_of(prepared: Prepared) -> NDArray[np.float32]:
    """1 for a cry, 0 for other sound, NaN where nobody knows."""
    labels = np.array([np.nan if r.is_cry is None else float(r.is_cry) for r in prepared.recordings])
    return labels[prepared.windows.recording].astype(np.float32)


def batches(prepared: Prepared, params: BatchParams | None = None, *, seed: int = 0) -> Batches:
    shown = np.array([not recording.held_out for recording in prepared.recordings])
    rows = np.flatnonzero(shown[prepared.windows.recording])
    targets = targets_of(prepared)
    return Batches(prepared, targets, rows, ROOMS, FrontendParams(), steps=3, seed=seed, params=params)


def test_shapes_and_shares(prepared: Prepared) -> None:
    """Patches, cries and tags of a batch, float32; two fifths of the rows come from cries."""
    drawn = batches(prepared, BatchParams(size=10))
    assert len(drawn) == 3
    x, y = drawn[0]
    assert x.shape == (10, 96, 64)
    assert (y["cry"].shape, y["tags"].shape) == ((10, 1), (10, TAGS))
    assert {a.dtype for a in (x, y["cry"], y["tags"])} == {np.dtype(np.float32)}
    assert np.isfinite(x).all()
    assert y["cry"][:, 0].tolist() == [1.0] * 4 + [0.0] * 6
    assert (y["tags"][:4, 1] > 0.8).all()
    assert (y["tags"][4:, 2] > 0.8).all()


def test_the_same_seed_gives_the_same_batch(prepared: Prepared) -> None:
    """By seed, epoch and index alone: in any order, in another process; anything else gives another batch."""
    one, again = batches(prepared, BatchParams(size=8)), batches(prepared, BatchParams(size=8))
    in_order = [one[index] for index in range(3)]
    backwards = [again[index] for index in (2, 1, 0)][::-1]
    for (x, y), (x_again, y_again) in zip(in_order, backwards, strict=True):
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(y["cry"], y_again["cry"])
        np.testing.assert_array_equal(y["tags"], y_again["tags"])
    assert not np.array_equal(in_order[0][0], in_order[1][0])
    assert not np.array_equal(batches(prepared, BatchParams(size=8), seed=1)[0][0], in_order[0][0])
    one.on_epoch_end()
    assert not np.array_equal(one[0][0], in_order[0][0])


def test_without_augmentation_a_row_is_a_window(prepared: Prepared) -> None:
    """What is drawn is what the daemon would see, by the same front end; only of what is known and not held out."""
    ends = zip(prepared.windows.recording.tolist(), prepared.windows.end.tolist(), strict=True)
    padded = [np.pad(prepared.audio(index), (15_600, 0)) for index in range(len(prepared.recordings))]
    seen = patches([padded[index][end : end + 15_600] for index, end in ends], FrontendParams())
    drawn, found = batches(prepared, PURE), set()
    for index in range(3):
        for patch in drawn[index][0]:
            row = int(np.abs(seen - patch).max(axis=(1, 2)).argmin())
            np.testing.assert_allclose(patch, seen[row], atol=1e-3)
            found.add(int(prepared.windows.recording[row]))
    assert found == {0, 1, 2, 3}


@pytest.mark.parametrize("change", ["p_noise", "p_room", "p_codec", "p_speed", "p_hiss"])
def test_every_augmentation_changes_the_sound_and_keeps_the_label(prepared: Prepared, change: str) -> None:
    """Each by itself: other patches than without it, the same shares of cries."""
    fields = {name: getattr(PURE, name) for name in BatchParams.__dataclass_fields__}
    x, y = batches(prepared, BatchParams(**(fields | {change: 1.0})))[0]
    pure_x, pure_y = batches(prepared, PURE)[0]
    assert np.abs(x - pure_x).max() > 0.1
    assert np.isfinite(x).all()
    np.testing.assert_array_equal(y["cry"], pure_y["cry"])


def test_a_mask_hides_runs_behind_the_mean(prepared: Prepared) -> None:
    """In each patch one run of frames and one of bands at most as wide as asked, and nothing else."""
    fields = {name: getattr(PURE, name) for name in BatchParams.__dataclass_fields__}
    masked = batches(prepared, BatchParams(**(fields | {"mask": (20, 12)})))[0][0]
    pure = batches(prepared, PURE)[0][0]
    widths = []
    for patch, whole in zip(masked, pure, strict=True):
        changed = patch != whole
        frames, bands = changed.all(axis=1), changed.all(axis=0)
        np.testing.assert_array_equal(changed, frames[:, None] | bands[None, :])
        np.testing.assert_allclose(patch[frames], whole.mean(), atol=1e-4)
        for hidden in (frames, bands):
            assert np.abs(np.diff(hidden.astype(int), prepend=0, append=0)).sum() in (0, 2)  # one run
        widths.append((int(frames.sum()), int(bands.sum())))
    assert max(width for width, _ in widths) in range(1, 21)
    assert max(width for _, width in widths) in range(1, 13)


def test_each_kind_is_drawn_as_often(prepared: Prepared) -> None:
    """However many windows it has; the kinds that are nearest to a cry, and speech, three times as often."""
    kinds = np.array([r.kind for r in prepared.recordings])[prepared.windows.recording]
    rows = np.flatnonzero(np.isin(kinds, ["cat", "home:rain", "phone:ios"]))
    pools = _pools(prepared, rows)
    assert "cat" in HARD
    assert sorted({str(kinds[row]) for row in pool} for pool in pools if len(pool)) == sorted(
        [{"cat"}, {"cat"}, {"cat"}, {"home:rain"}, {"phone:ios"}]
    )
    assert sorted(np.unique(np.concatenate(pools)).tolist()) == rows.tolist()


def test_hisses_fall_with_the_frequency() -> None:
    """From white noise to 6 dB an octave: the last one's lower half outweighs its upper half, the first one's not."""
    hisses = _hisses(np.random.default_rng(0))
    powers = [np.abs(np.fft.rfft(hiss.astype(np.float64))) ** 2 for hiss in (hisses[0], hisses[-1])]
    shares = [float(power[: len(power) // 2].sum() / power.sum()) for power in powers]
    assert shares[0] == pytest.approx(0.5, abs=0.02)
    assert shares[1] > 0.99
    assert all(np.abs(hiss).max() == pytest.approx(1.0) for hiss in hisses)
