"""Pretraining: no group on both sides, a tiny network that must learn, a stopped run that goes on, and refusals."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.bundle import load_bundle
from model.frontend import FrontendParams
from model.vggish import Architecture, build_classifier, named_weights
from monitord.errors import BundleError, ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.labelled_shards import write_shards
from tests.support.training.prepared import Take, prepared_from
from training.data.corpus import Recording, is_held_out
from training.data.prepared import Prepared, Windows
from training.label.held_out import evaluation_rows, rows_for
from training.learn import pretrain as module
from training.learn.batches import Batches
from training.learn.pretrain import PretrainParams, Trained, pretrain, read_trained

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, in NumPy 2

TINY = Architecture(width=0.125, dense=(64, 64))
FRONTEND = FrontendParams()
EPOCHS = 4


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


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What each epoch is tried on: held-out cries and other sound; and recordings that it may not be tried on."""
    takes = [
        Take("cry_shown", synthetic_cry()[:32_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("cry_new", synthetic_cry(seed=3)[:64_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
        Take("rain_new", noise(3.0, rms_dbfs=-25, seed=2), is_cry=False, kind="home:rain", held_out=True),
        Take("hum_new", tone(230, 3.0), is_cry=False, kind="home:hum", held_out=True),
        Take("unclear", tone(230, 3.0), is_cry=None, p_cry=0.1, kind="phone:ios", held_out=True),
    ]
    return prepared_from(tmp_path_factory.mktemp("pretrain"), takes)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows of two crying bouts, and as many of noise and of tones."""
    cry = np.concatenate([synthetic_cry(seed=seed) for seed in (1, 2)])
    starts = np.linspace(0, len(cry) - WINDOW_SAMPLES, 96).astype(int)
    cries = [cry[start : start + WINDOW_SAMPLES] for start in starts]
    others: list[Pcm] = [noise(0.975, rms_dbfs=-20 - i / 4, seed=i) for i in range(48)]
    others += [tone(100 + 5 * i, 0.975) for i in range(48)]
    samples = np.stack([*cries, *others])
    return write_shards(tmp_path_factory.mktemp("views"), samples, np.repeat([1.0, 0.0], 96))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Averages over a few steps, for there are but a few."""
    monkeypatch.setattr(module, "EMA", 0.5)


def run(prepared: Prepared, views: Path, folder: Path) -> Path:
    params = PretrainParams(epochs=EPOCHS, seed=1)
    return pretrain(prepared, views, folder, architecture=TINY, frontend=FRONTEND, params=params)


def weights_of(path: Path) -> dict[str, NDArray[np.float32]]:
    model = build_classifier(TINY)
    model.load_weights(path)
    return {name: np.array(variable) for name, variable in named_weights(model).items()}


@pytest.fixture(scope="module")
def trained(prepared: Prepared, views: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run that nobody stopped leaves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EMA", 0.5)
        return run(prepared, views, tmp_path_factory.mktemp("trained") / "new")


def log_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_what_models_are_judged_on(prepared: Prepared) -> None:
    """Held out, labelled, heard by the daemon; of cries only windows that are half full of sound."""
    rows, cry, confirmed = evaluation_rows(prepared)
    of = prepared.windows.recording[rows]
    assert set(of.tolist()) == {1, 2, 3}
    assert prepared.windows.heard[rows].all()
    np.testing.assert_array_equal(cry, of == 1)
    assert (prepared.windows.sound[rows[cry]] >= 0.5).all()
    assert confirmed[cry].all()
    assert not confirmed[~cry].any()


def test_a_tiny_network_learns(trained: Path) -> None:
    """A dozen steps tell a cry that it never saw from rain and hum: sounds and labels belong together."""
    log = log_of(trained.parent)
    assert [int(line["epoch"]) for line in log] == list(range(EPOCHS))
    assert float(log[-1]["held_out_auc"]) > 0.9
    assert float(log[-1]["loss"]) < float(log[0]["loss"])


def test_a_run_leaves_weights_and_what_they_belong_to(trained: Path) -> None:
    """The network that is shipped, without the teachers' heads, beside its front end; nothing half-written."""
    assert read_trained(trained) == Trained(TINY, FRONTEND)
    left = sorted(path.name for path in trained.parent.iterdir())
    assert left == ["backup", "log.csv", "pretrained.weights.h5", "trained.json"]
    assert all(np.isfinite(array).all() for array in weights_of(trained).values())


class _Stopped(BaseException):
    """Somebody pressed Ctrl-C."""


# Who is stopped closes no file.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    prepared: Prepared, views: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its last whole epoch, with the same windows in the same order: the same weights but for rounding."""
    begin, orders = Batches.begin, []

    def note(batches: Batches, epoch: int) -> None:
        begin(batches, epoch)
        orders.append((epoch, batches._order[:5].tolist()))
        if len(orders) == 4:
            raise _Stopped

    monkeypatch.setattr(Batches, "begin", note)
    with pytest.raises(_Stopped):
        run(prepared, views, tmp_path)
    assert [epoch for epoch, _ in orders] == [0, 0, 1, 2]  # the first one as it was built
    assert len(log_of(tmp_path)) == 2
    assert not (tmp_path / "pretrained.weights.h5").exists()
    weights = run(prepared, views, tmp_path)
    assert [epoch for epoch, _ in orders[4:]] == [0, 2, 3]
    assert orders[5] == orders[3]
    assert [int(line["epoch"]) for line in log_of(tmp_path)] == list(range(EPOCHS))
    whole = weights_of(trained)
    for name, array in weights_of(weights).items():
        np.testing.assert_allclose(array, whole[name], atol=2e-3, err_msg=name)


def test_a_finished_run_leaves_what_it_left(prepared: Prepared, views: Path, trained: Path) -> None:
    """Started again it trains nothing, and writes the averaged weights as they were."""
    before = weights_of(trained)
    run(prepared, views, trained.parent)
    assert len(log_of(trained.parent)) == EPOCHS
    for name, array in weights_of(trained).items():
        np.testing.assert_allclose(array, before[name], atol=1e-5, err_msg=name)


def test_without_views_or_a_place_it_refuses(prepared: Prepared, tmp_path: Path) -> None:
    """Before any time is spent."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="no views here"):
        run(prepared, tmp_path, tmp_path / "out")
    with pytest.raises(ConfigError, match="cannot be written"):
        run(prepared, tmp_path, tmp_path / "file" / "out")


def test_it_starts_from_weights_of_the_same_network_only(prepared: Prepared, views: Path, tmp_path: Path) -> None:
    """Another file, or none, is refused by its name."""
    (tmp_path / "text.weights.h5").write_text("no weights at all")
    for name in ("text", "missing"):
        params = PretrainParams(epochs=1, warm=tmp_path / f"{name}.weights.h5")
        with pytest.raises(ConfigError, match=rf"{name}\.weights\.h5: no weights of this network"):
            pretrain(prepared, views, tmp_path / "out", architecture=TINY, frontend=FRONTEND, params=params)


def test_it_starts_from_a_bundle(tmp_path: Path) -> None:
    """With its heads, every weight; another network's bundle, and a folder without one, are refused by the path."""
    bundle = load_bundle()
    base = build_classifier(bundle.manifest.architecture)
    module._warm(base, bundle.directory)
    weights = bundle.weights()
    for name, variable in named_weights(base).items():
        np.testing.assert_array_equal(np.asarray(variable), weights[name])
    with pytest.raises(ConfigError, match="no weights of this network"):
        module._warm(build_classifier(TINY), bundle.directory)
    with pytest.raises(BundleError, match=tmp_path.name):
        module._warm(base, tmp_path)


def test_weights_of_unknown_kind_are_refused(tmp_path: Path) -> None:
    """Nothing beside them, or something else, says which network and front end they belong to."""
    weights = tmp_path / "pretrained.weights.h5"
    with pytest.raises(ConfigError, match=r"trained\.json: cannot be read .*; `monitord-train pretrain` writes it"):
        read_trained(weights)
    for text in ("{", "[]", '{"architecture": {}}', '{"frontend": 1, "architecture": 2}'):
        (tmp_path / "trained.json").write_text(text)
        with pytest.raises(BundleError, match=r"trained\.json"):
            read_trained(weights)
