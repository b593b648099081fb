"""A bundle by the paper's recipe: what it says of itself, and a cry head that hears again after all weights moved."""

from pathlib import Path

import numpy as np
import pytest

from model.bundle import load_bundle
from model.calibration import p_cry
from model.classifier import Classifier
from model.frontend import FrontendParams, patches
from model.litert import LiteRtRuntime
from model.vggish import build_classifier, named_weights, weight_shapes
from monitord.errors import BundleError, ConfigError
from monitord.types import REASONS
from tests.support.models.model_bundles import TINY, make_dead_bundle
from tests.support.models.vggish_reference import random_weights
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from tests.support.training.reason_clips import reason_clips
from training.learn.paper_training import PaperParams
from training.recipes.cry_head import refit_cry
from training.recipes.paper_bundle import fit_paper

# Keras' own, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ONCE = PaperParams(epochs=1, learning_rate=1e-3, batch=8)


def test_without_other_sound_the_bundle_says_that_it_hears_nothing(tmp_path: Path) -> None:
    """All weights moved under the cry's head: untrained, refused by the daemon, and the card says what to do.

    The rest is whole: both protocols, the start's ear, its data and the clips', and a network for LiteRT.
    """
    ear = FrontendParams(pre_emphasis=0.9, z_score=True)
    start = make_dead_bundle(tmp_path / "start", frontend=ear)
    clips = reason_clips(16, synthetic=True)
    out = tmp_path / "made"
    fit_paper(clips, start.directory, out, tmp_path / "work", params=ONCE, n_folds=2)
    bundle = load_bundle(out)
    manifest = bundle.manifest
    assert manifest.heads == "untrained"
    with pytest.raises(BundleError, match="untrained"):
        Classifier(bundle, LiteRtRuntime(bundle))
    assert manifest.name == "tiny-paper-synthetic"
    assert manifest.frontend == ear
    assert [data.name for data in manifest.data] == ["none", "tones"]
    for protocol in ("random", "grouped"):
        judged = manifest.metrics[protocol]["reasons"]  # type: ignore[index, call-overload]  # JSON values
        assert judged["clips"] == dict.fromkeys(REASONS, 4)  # type: ignore[index, call-overload]
        assert {"model", "majority", "shuffled_labels"} <= set(judged)  # type: ignore[arg-type]
    card = (out / "MODEL_CARD.md").read_text()
    assert "The daemon refuses this bundle" in card
    assert "SYNTHETIC" in card
    assert not bundle.weights()["cry/kernel"].any()
    moved, before = bundle.weights(), start.weights()
    assert not np.allclose(moved["conv1/kernel"], before["conv1/kernel"], atol=1e-4)
    x = patches([clips.window(0)], ear)
    told = LiteRtRuntime(bundle).forward(x)
    assert told.cry.tolist() == [0.0]
    assert np.isfinite(told.reasons).all()


def takes() -> list[Take]:
    """Cries and other sound on both sides."""
    cry = synthetic_cry()
    return [
        Take("cry", cry[:64_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("cry_too", cry[64_000:128_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("rain", noise(4.0, rms_dbfs=-20), is_cry=False, kind="home:rain"),
        Take("hum", tone(200, 4.0), is_cry=False, kind="home:hum"),
        Take("cry_new", synthetic_cry(seed=3)[:64_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
        Take("rain_new", noise(4.0, rms_dbfs=-25, seed=2), is_cry=False, kind="home:rain", held_out=True),
        Take("hum_new", tone(230, 4.0), is_cry=False, kind="home:hum", held_out=True),
    ]


def test_the_cry_is_heard_again_on_an_embedding_that_moved(tmp_path: Path) -> None:
    """A head fitted on recordings that may be learnt from tells cries held out, and so does its calibration."""
    made = prepared_from(tmp_path, takes())
    model = build_classifier(TINY)
    variables = named_weights(model)
    for name, array in random_weights(weight_shapes(TINY, heads=True)).items():
        variables[name].assign(array)
    calibration, found = refit_cry(model, made, FrontendParams())
    assert found["window_auc"] > 0.9
    low, high = found["window_auc_95"]
    assert low <= found["window_auc"] <= high
    heard = patches([synthetic_cry(seed=3)[20_000:35_600], noise(0.975, rms_dbfs=-25, seed=2)], FrontendParams())
    cry, rain = p_cry(calibration, model.predict_on_batch(heard)["cry"][:, 0])
    assert cry > 0.5 > rain


def test_without_cries_there_is_nothing_to_fit(tmp_path: Path) -> None:
    """Said before any window is heard."""
    made = prepared_from(tmp_path, [take for take in takes() if not take.is_cry])
    with pytest.raises(ConfigError, match="needs cries and other sound"):
        refit_cry(build_classifier(TINY), made, FrontendParams())
