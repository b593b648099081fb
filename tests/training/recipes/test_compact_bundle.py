"""From weights to a bundle: an end-to-end fit of a tiny network on a few sounds, and what it refuses."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count, product
from pathlib import Path

import keras
import numpy as np
import pytest

from model.bundle import Bundle, load_bundle
from model.classifier import Classifier
from model.frontend import FRONTENDS, patches
from model.runtime import open_runtime
from model.strict_json import dump_json
from model.vggish import Architecture, build_classifier
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import REASONS, Window
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared, samples_of
from training.evaluate import reason_metrics, window_auc
from training.label.held_out import rows_for
from training.learn.pretrain import TRAINED, Trained
from training.recipes import compact_bundle
from training.recipes.compact_bundle import fit_compact
from training.streams import mixing, operating_point
from training.streams.mixing import Half, StreamParams, half_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, in NumPy 2

TINY = Architecture(width=0.125, dense=(64, 64))
FRONTEND = FRONTENDS["z-score"]
SHORT = StreamParams(length_s=32.0, bed_s=(8.0, 15.0), every_s=4.0, cry_every_s=(12.0, 14.0), bed_dbfs=(-70.0, -60.0))
"""In place of an hour; cries lie further apart than the hold is long."""


def named(half: Half, what: str) -> str:
    """A name whose recordings are laid in this half."""
    return next(name for name in (f"{what}{number}" for number in count()) if half_of(f"home:{name}") == half)


def takes(families: int = 8) -> list[Take]:
    """Cries with reasons, of so many families, and other sound; of each some held out for either half."""
    told = [
        Take(
            f"family{number}",
            synthetic_cry(seed=number)[:24_000],
            is_cry=True,
            p_cry=0.9,
            kind="phone:ios",
            reason=REASONS[number % len(REASONS)],
        )
        for number in range(families)
    ]
    shown = [
        Take("rain", noise(3.0, rms_dbfs=-25), is_cry=False, kind="rain"),
        Take("hum", tone(230, 3.0), is_cry=False, kind="home:hum"),
    ]
    return told + shown + held_out()


def held_out() -> list[Take]:
    """A cry, rain and a hum in each half."""
    out = []
    for seed, half in enumerate(("a", "b")):
        cry, rain, hum = (named(half, what) for what in ("cry", "rain", "hum"))  # type: ignore[arg-type]
        out += [
            Take(cry, synthetic_cry(seed=seed + 20)[:40_000], is_cry=True, p_cry=0.9, kind="x", held_out=True),
            Take(rain, noise(2.0, rms_dbfs=-20, seed=seed), is_cry=False, kind="rain", held_out=True),
            Take(hum, tone(240 + seed, 2.0), is_cry=False, kind="home:hum", held_out=True),
        ]
    return out


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Without teachers: the peers are left out."""
    return prepared_from(tmp_path_factory.mktemp("fit"), takes())


def teach_tiny(prepared: Prepared, folder: Path, *, upside_down: bool = False) -> Path:
    """Teaches a tiny network cries from other sound for a few steps, or the other way round; returns its weights."""
    keras.utils.set_random_seed(1)
    rows = rows_for(prepared, held_out=False)
    x = patches(list(samples_of(prepared, rows, WINDOW_SAMPLES)), FRONTEND)
    is_cry = np.array([r.is_cry is True for r in prepared.recordings])[prepared.windows.recording[rows]] != upside_down
    network = build_classifier(TINY)
    model = keras.Model(network.input, network.output["cry"])
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x, is_cry[:, None].astype(np.float32), batch_size=32, epochs=12, verbose=0)
    (folder / TRAINED).write_text(dump_json(Trained(TINY, FRONTEND)))
    network.save_weights(folder / "pretrained.weights.h5")
    return folder / "pretrained.weights.h5"


@pytest.fixture(scope="module")
def weights(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach_tiny(prepared, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def bundle(prepared: Prepared, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Of short streams, few settings and few resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixing, "StreamParams", partial(replace, SHORT))
        patch.setattr(operating_point, "LEANS", (0.4, 2.4))
        patch.setattr(operating_point, "ONS", (4.0, 9.0))
        patch.setattr(window_auc, "RESAMPLES", 50)
        patch.setattr(reason_metrics, "RESAMPLES", 50)
        return fit_compact(prepared, weights, tmp_path_factory.mktemp("out") / "deep" / "bundle", hours=1)


def test_the_bundle_is_whole(bundle: Bundle) -> None:
    """Loaded and verified from its folder: the network, the front end and the heads are those that were trained."""
    loaded = load_bundle(bundle.directory)
    assert loaded == bundle
    manifest = loaded.require_trained().manifest
    assert (manifest.architecture, manifest.frontend) == (TINY, FRONTEND)
    assert manifest.calibration.cry_scale > 0
    assert [path.name for path in bundle.directory.parent.iterdir()] == [bundle.directory.name]


def test_the_manifest_carries_what_was_measured(bundle: Bundle) -> None:
    """Streams, single windows and reasons by both protocols, with what was counted and on how much."""
    grouped, random = (bundle.manifest.metrics[protocol] for protocol in ("grouped", "random"))
    assert isinstance(grouped, dict)
    assert isinstance(random, dict)
    measured = grouped["streams"]
    assert isinstance(measured, dict)
    assert (measured["hours"], measured["quiet_hours"], measured["peers"]) == (2, 2, [])
    assert measured["episodes"] == 4  # two in each half's 32 s
    assert {"name", "rule", "found", "found_95", "false_per_hour", "latency_p50_s", "latency_p95_s"} <= set(measured)
    assert isinstance(grouped["false_by_kind"], dict)
    cry = grouped["cry"]
    assert isinstance(cry, dict)
    assert isinstance(cry["window_auc"], float)
    assert 0.5 < cry["window_auc"] <= 1
    for protocol in (grouped, random):
        reasons = protocol["reasons"]
        assert isinstance(reasons, dict)
        assert reasons["recordings"] == dict.fromkeys(REASONS, 2)
        assert {"model", "majority", "shuffled_labels"} <= set(reasons)
    assert grouped["commands"]


def test_thresholds_say_what_they_rest_on(bundle: Bundle) -> None:
    """One of the settings that were tried, on these streams; and eight recordings are too few to tell a reason."""
    tracker, rests_on = bundle.manifest.tracker, bundle.manifest.rests_on
    assert (tracker.lean, tracker.on) in product((0.4, 2.4), (4.0, 9.0))
    assert tracker.on_p == operating_point.USUAL.on_p
    assert "2 hours of streams with 4 cries and 2 hours without" in rests_on["tracker.on_p"]
    assert "None" not in rests_on["tracker.on_p"]
    assert tracker.unsure_below == 0.95
    assert "unsure nearly always" in rests_on["tracker.unsure_below"]


def test_the_card_tells_the_figures(bundle: Bundle) -> None:
    """It stands beside the weights and names the streams."""
    card = (bundle.directory / "MODEL_CARD.md").read_text()
    assert "**Not a medical device.**" in card
    assert "4 crying episodes" in card


def test_the_daemons_runtime_hears_a_cry(bundle: Bundle) -> None:
    """Through LiteRT, quantised: a cry that no fit saw stands over the hum that it saw."""
    classifier = Classifier(bundle, open_runtime(bundle, "litert"))

    def mean(sounds: Sequence[np.ndarray]) -> float:
        windows = [Window("s", 0, sound[:WINDOW_SAMPLES], 0.0, 0) for sound in sounds]
        return float(np.mean([scores.p_cry for scores in classifier.score(windows)]))

    cry = synthetic_cry(seed=40)
    assert mean([cry[start:] for start in range(0, 160_000, 8_000)]) > mean([tone(235, 1.0)]) + 0.1


def with_weights_of(folder: Path, trained: Trained) -> Path:
    (folder / TRAINED).write_text(dump_json(trained))
    return folder / "pretrained.weights.h5"


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras warns before it refuses
def test_weights_that_are_none_are_refused(prepared: Prepared, weights: Path, tmp_path: Path) -> None:
    """Missing, of nobody knows what, of another network: each by its name, and no bundle is left."""
    out = tmp_path / "bundle"
    missing = tmp_path / "missing" / "pretrained.weights.h5"
    with pytest.raises(ConfigError, match=r"trained\.json: cannot be read"):
        fit_compact(prepared, missing, out, hours=1)
    absent = with_weights_of(tmp_path, Trained(TINY, FRONTEND))
    with pytest.raises(ConfigError, match="no weights of this network"):
        fit_compact(prepared, absent, out, hours=1)
    absent.write_bytes(weights.read_bytes())
    with_weights_of(tmp_path, Trained(replace(TINY, dense=(8, 8)), FRONTEND))
    with pytest.raises(ConfigError, match="no weights of this network"):
        fit_compact(prepared, absent, out, hours=1)
    assert not out.exists()


def test_what_hears_the_wrong_way_round_gets_no_bundle(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A calibration that turns scores upside down would hide it."""
    monkeypatch.setattr(compact_bundle, "fit_on_streams", lambda *_: None)  # which would turn it the right way up
    weights = teach_tiny(prepared, tmp_path, upside_down=True)
    with pytest.raises(ConfigError, match="cries no higher than other sound"):
        fit_compact(prepared, weights, tmp_path / "bundle", hours=1)


def test_too_little_data_is_refused(weights: Path, tmp_path: Path) -> None:
    """Fewer families than folds; nothing held out that cries; a place where no bundle can stand."""
    few = prepared_from(tmp_path / "few", takes(families=4))
    with pytest.raises(ConfigError, match=r"4 families told a reason .*, expected at least 5"):
        fit_compact(few, weights, tmp_path / "bundle", hours=1)
    quiet = prepared_from(tmp_path / "quiet", [take for take in takes() if not (take.held_out and take.is_cry)])
    with pytest.raises(ConfigError, match="needs cries and other sound among what is held out"):
        fit_compact(quiet, weights, tmp_path / "bundle", hours=1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        fit_compact(quiet, weights, tmp_path / "file" / "bundle", hours=1)
