"""The two runtimes: the same answers, the choice between them, and the fall-back."""

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import model.runtime
from model.bundle import Bundle, default_bundle_path, load_bundle, write_bundle
from model.classifier import Classifier
from model.forward import Outputs, Runtime, RuntimeFault
from model.frontend import FrontendParams, patches
from model.litert import LiteRtRuntime
from model.runtime import FallbackRuntime, open_runtime, settled
from monitord.errors import BundleError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Window
from tests.support.models.model_bundles import make_bundle, make_dead_bundle, manifest, weights
from tests.support.models.vggish_reference import embed
from tests.support.paths import SHARED
from training.data.recordings import load_audio

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

"""Real recordings, where they lie beside the checkout."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A tiny network with random weights."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module")
def sounds() -> NDArray[np.float32]:
    """float32 [19, 96, 64]: tones, noise and silence at many levels; more than one pass of either runtime."""
    rng = np.random.default_rng(0)
    t = np.arange(WINDOW_SAMPLES) / 16_000
    windows = [1000.0 * 1.3**i * np.sin(2 * np.pi * 200.0 * 1.2**i * t) for i in range(9)]
    windows += [rng.normal(0.0, 3.0 * 2.0**i, WINDOW_SAMPLES) for i in range(9)] + [np.zeros(WINDOW_SAMPLES)]
    return patches([np.rint(window).astype(np.int16) for window in windows], FrontendParams())


def real_windows() -> list[Window]:
    """Up to four windows from each of some real recordings: phones' own containers, and household sound."""
    if not SHARED.is_dir():
        pytest.skip(f"no real recordings: {SHARED} is missing")
    files = [
        *sorted((SHARED / "donateacry" / "android").glob("*.3gp"))[:60:10],
        *sorted((SHARED / "donateacry" / "ios").glob("*.caf"))[:60:10],
        *sorted((SHARED / "esc50").glob("*.opus"))[:1000:80],
    ]
    windows: list[Window] = []
    for file in files:
        samples = load_audio(file)
        starts = range(0, min(4 * WINDOW_SAMPLES, len(samples) - WINDOW_SAMPLES), WINDOW_SAMPLES)
        windows += [Window(file.stem, at, samples[at : at + WINDOW_SAMPLES], 0.0, at) for at in starts]
    assert len(windows) > 40
    return windows


@pytest.fixture(scope="module")
def runtimes(bundle: Bundle) -> tuple[Runtime, Runtime]:
    """LiteRT and Keras, both with the tiny network."""
    return open_runtime(bundle, "litert"), open_runtime(bundle, "keras")


def test_keras_is_the_reference(runtimes: tuple[Runtime, Runtime], sounds: NDArray[np.float32]) -> None:
    """Pins the Keras runtime against the second implementation, over more windows than one pass takes."""
    out = runtimes[1].forward(sounds)
    embedding = embed(weights(), sounds)
    # float16 weights: 11 bits, and errors that mostly average out over nine layers.
    np.testing.assert_allclose(out.embedding, embedding, atol=2e-3 * np.abs(embedding).max())
    np.testing.assert_allclose(
        out.cry, (embedding @ weights()["cry/kernel"] + weights()["cry/bias"])[:, 0], atol=0.01 * np.abs(out.cry).max()
    )


def test_litert_agrees_with_keras(runtimes: tuple[Runtime, Runtime], sounds: NDArray[np.float32]) -> None:
    """Pins that int8 weights move the outputs by a few percent, in the same order and shapes."""
    litert, keras = (runtime.forward(sounds) for runtime in runtimes)
    # Random heads make small differences of large numbers: they are allowed more than the embedding they sit on.
    for name, most, ours, theirs in zip(Outputs._fields, (0.2, 0.2, 0.05), litert, keras, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype == np.float32
        assert rms(ours - theirs) < most * rms(theirs), name


def rms(x: NDArray[np.float32]) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


@pytest.mark.parametrize("choice", [0, 1])
def test_a_window_stands_alone(runtimes: tuple[Runtime, Runtime], sounds: NDArray[np.float32], choice: int) -> None:
    """Pins that a window's result does not depend on the windows beside it: replay is the same in any batches."""
    runtime = runtimes[choice]
    whole = runtime.forward(sounds)
    for n in (1, 2, 3, 7):
        parts = [runtime.forward(sounds[i : i + n]) for i in range(0, len(sounds), n)]
        for whole_column, columns in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_allclose(
                np.concatenate(columns), whole_column, rtol=0, atol=1e-4 * np.abs(whole_column).max()
            )


def test_parity_on_real_recordings(bundle: Bundle) -> None:
    """Pins that both runtimes tell a parent the same on real cries and household sound."""
    windows = real_windows()
    if default_bundle_path().is_dir():
        bundle = load_bundle(default_bundle_path())
    scores = [Classifier(bundle, open_runtime(bundle, choice)).score(windows) for choice in ("litert", "keras")]
    litert, keras = (np.array([[s.p_cry, *s.reasons] for s in of_one]) for of_one in scores)  # [n, 5]
    difference = np.abs(litert - keras)
    assert difference.mean() < 0.01
    assert np.quantile(difference, 0.99) < 0.05


class FailsAfter:
    """Works a few times like the runtime inside, then fails as a lost GPU does."""

    name = "keras on the GPU"
    fault = ""

    def __init__(self, inside: Runtime, passes: int) -> None:
        self.inside = inside
        self.left = passes

    def forward(self, x: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        self.left -= 1
        if self.left < 0:
            raise RuntimeFault("CUDA_ERROR_ILLEGAL_ADDRESS")
        return self.inside.forward(x)


def test_failing_gpu_falls_back_in_sight(
    runtimes: tuple[Runtime, Runtime], sounds: NDArray[np.float32], caplog: pytest.LogCaptureFixture
) -> None:
    """Pins that the windows that met the fault are answered all the same, with a fault that stays and one log line."""
    litert, keras = runtimes
    first = FailsAfter(keras, 2)
    both = FallbackRuntime(first, lambda: litert)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            np.testing.assert_array_equal(both.forward(sounds).embedding, keras.forward(sounds).embedding)
        assert (both.name, both.fault) == ("keras on the GPU", "")
        for _ in range(3):
            np.testing.assert_array_equal(both.forward(sounds).embedding, litert.forward(sounds).embedding)
    expected = "keras on the GPU failed (CUDA_ERROR_ILLEGAL_ADDRESS); running on litert until the next start"
    assert (both.name, both.fault) == ("litert", expected)
    assert [record.getMessage() for record in caplog.records] == [expected]
    assert first.left == -1  # it was asked once more and never again


def test_tensorflow_errors_become_faults(bundle: Bundle) -> None:
    """Pins that what TensorFlow raises while it runs is the fault that the fall-back waits for."""
    from model.keras_runtime import KerasRuntime  # noqa: PLC0415 - brings TensorFlow, which may be missing

    runtime = KerasRuntime(bundle)
    with pytest.raises(RuntimeFault, match=r"TensorFlow sees no GPU"):
        KerasRuntime(bundle, gpu=True)
    runtime._serve = tf.function(lambda x: tf.debugging.check_numerics(x / 0.0, "the GPU computes nonsense"))
    with pytest.raises(RuntimeFault, match=r"^(?!.*\n).*the GPU computes nonsense"):
        runtime.forward(np.zeros((1, 96, 64), np.float32))


def test_auto_asks_tensorflow_only_where_there_is_a_gpu(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pins `auto`: no device node, LiteRT at once; a node that TensorFlow cannot use, LiteRT with a line in the log."""
    monkeypatch.setattr(model.runtime, "NVIDIA_DEVICE", tmp_path / "nvidia0")
    assert open_runtime(bundle).name == "litert"
    assert not caplog.records
    assert [settled(choice) for choice in ("auto", "keras", "litert")] == ["litert", "keras", "litert"]
    (tmp_path / "nvidia0").touch()
    assert settled("auto") == "auto"
    if tf.config.list_physical_devices("GPU"):
        assert open_runtime(bundle).name == "keras on the GPU"
        return
    assert open_runtime(bundle).name == "litert"
    assert [record.getMessage() for record in caplog.records] == [
        "no use of the GPU: TensorFlow sees no GPU; running on LiteRT"
    ]


def test_no_network_for_litert_is_refused(tmp_path: Path) -> None:
    """Pins the error for a file that no interpreter can read, in a bundle whose hashes are right."""
    with pytest.raises(BundleError, match=r"model.tflite: LiteRT cannot read it"):
        LiteRtRuntime(make_dead_bundle(tmp_path / "dead"))


def test_other_network_for_litert_is_refused(tmp_path: Path) -> None:
    """Pins the error for a network with other inputs and outputs than ours."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.call, input_signature=[tf.TensorSpec((None, 3), tf.float32, name="x")])
    archive.write_out(str(tmp_path / "saved"), verbose=False)
    tflite = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    bundle = write_bundle(tmp_path / "b", manifest(), tflite=tflite, weights=weights(), card="")
    with pytest.raises(BundleError, match=r"model.tflite: found .*'inputs': \['x'\].*expected .*'patches'"):
        LiteRtRuntime(bundle)
