"""Pretraining: no group on both sides, a tiny network that must learn, and what it refuses."""

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import write_media
from prepared import Take, prepared_from
from sklearn.metrics import roc_auc_score
from sounds import noise, silence, synthetic_cry, tone

from model.frontend import FrontendParams, patches
from model.vggish import Architecture, build_classifier
from monitord.errors import ConfigError
from monitord.windows import WINDOW_SAMPLES
from training.batches import Batches, BatchParams
from training.corpus import Recording, is_held_out
from training.held_out import evaluation_rows, rows_for
from training.prepare import Prepared, Windows, samples_of
from training.pretrain import PretrainParams, pretrain
from training.targets import cry_targets

TINY = Architecture(width=0.125, dense=(16, 16))


@given(st.lists(st.tuples(st.sampled_from(["home", "speech"]), st.integers(0, 30)), min_size=1, max_size=40))
def test_no_group_is_on_both_sides(groups: list[tuple[str, int]]) -> None:
    """Whatever recordings there are: every window is on one side, and a group's windows are all on the same."""
    recordings = [
        Recording(Path(f"{i}"), dataset, "kind", f"g{g}", None, None, is_held_out(dataset, f"g{g}"))  # type: ignore[arg-type]
        for i, (dataset, g) in enumerate(groups)
    ]
    of = np.repeat(np.arange(len(groups)), 3).astype(np.int32)
    column = np.zeros(len(of), np.float32)
    windows = Windows(of, of, column > 0, column, column, column, column, column[:, None].astype(np.float16))
    prepared = Prepared(Path(), Path(), recordings, windows)
    sides = [rows_for(prepared, held_out=held_out) for held_out in (True, False)]
    assert sorted(np.concatenate(sides).tolist()) == list(range(len(of)))
    held, shown = ({groups[recording] for recording in of[rows].tolist()} for rows in sides)
    assert not held & shown


def takes() -> list[Take]:
    """Cries and other sound, of each one recording held out."""
    cry = synthetic_cry()
    return [
        Take("cry", cry[:48_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("cry_too", cry[48_000:96_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("rain", noise(3.0, rms_dbfs=-20), is_cry=False, kind="home:rain"),
        Take("hum", tone(200, 3.0), is_cry=False, kind="home:hum"),
        Take("cry_new", synthetic_cry(seed=3)[:64_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
        Take("rain_new", noise(3.0, rms_dbfs=-25, seed=2), is_cry=False, kind="home:rain", held_out=True),
        Take("hum_new", tone(230, 3.0), is_cry=False, kind="home:hum", held_out=True),
        Take("unclear", tone(230, 3.0), is_cry=None, p_cry=0.1, kind="phone:ios", held_out=True),
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """With a room to reverberate in."""
    folder = tmp_path_factory.mktemp("pretrain")
    made = prepared_from(folder, takes())
    (folder / "rooms").mkdir()
    response = np.concatenate([[20_000], np.zeros(400), [6_000], np.zeros(400)]).astype(np.int16)
    write_media(folder / "rooms" / "nursery.flac", response, "flac")
    return made


def test_what_models_are_judged_on(prepared: Prepared) -> None:
    """Held out, labelled, heard by the daemon; of cries only windows that are half full of sound."""
    rows, cry, confirmed = evaluation_rows(prepared)
    of = prepared.windows.recording[rows]
    assert set(of.tolist()) == {4, 5, 6}
    assert prepared.windows.heard[rows].all()
    np.testing.assert_array_equal(cry, of == 4)
    assert (prepared.windows.sound[rows[cry]] >= 0.5).all()
    assert confirmed[cry].all()
    assert not confirmed[~cry].any()


def test_a_tiny_network_learns(prepared: Prepared) -> None:
    """A few batches are enough to tell a cry that it never saw from rain and hum: sounds and labels belong together."""
    keras.utils.set_random_seed(1)
    plain = BatchParams(size=16, p_noise=0, p_room=0, p_codec=0, p_speed=0, p_hiss=0, mask=(0, 0))
    rows = rows_for(prepared, held_out=False)
    batches = Batches(prepared, cry_targets(prepared), rows, [], FrontendParams(), steps=40, params=plain)
    network = build_classifier(TINY)
    model = keras.Model(network.input, {"cry": network.output["cry"]})
    model.compile("adam", {"cry": keras.losses.BinaryCrossentropy(from_logits=True)})
    for number in range(len(batches)):
        x, y = batches[number]
        model.train_on_batch(x, {"cry": y["cry"]})
    rows, cry, _ = evaluation_rows(prepared)
    seen = patches(list(samples_of(prepared, rows, WINDOW_SAMPLES)), FrontendParams())
    logits = model.predict_on_batch(seen)["cry"][:, 0]
    assert roc_auc_score(cry, logits) > 0.9


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, under NumPy 2
def test_a_run_leaves_weights_and_a_log(prepared: Prepared, tmp_path: Path) -> None:
    """Two steps of the real thing: weights that fit the network and are not where they began, a line an epoch."""
    weights = pretrain(prepared, tmp_path, TINY, PretrainParams(epochs=2, steps=1, seed=1))
    keras.utils.set_random_seed(1)
    model = build_classifier(TINY)
    before = [weight.copy() for weight in model.get_weights()]
    model.load_weights(weights)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    log = (tmp_path / "log.csv").read_text().splitlines()
    assert {"epoch", "loss", "held_out_auc"} <= set(log[0].split(","))
    assert len(log) == 1 + 2


def test_without_cries_or_without_anything_else_it_refuses(tmp_path: Path) -> None:
    """There is nothing to tell apart: said before any time is spent."""
    rain = Take("rain", noise(2.0), is_cry=False)
    cry = Take("cry", synthetic_cry()[:40_000], is_cry=True, p_cry=0.9)
    quiet = Take("quiet", silence(2.0), is_cry=None)
    for number, one in enumerate((rain, cry, quiet)):
        alone = prepared_from(tmp_path / str(number), [one])
        with pytest.raises(ConfigError, match="needs both cries and other sound"):
            pretrain(alone, tmp_path / "out", TINY, PretrainParams(epochs=1, steps=1))
