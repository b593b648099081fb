"""The front end against a slow second one written from the method's text, to 1e-4, and against its golden patches."""

from pathlib import Path

import numpy as np
import pytest

from model.frontend import LEAST_STD, PLAIN, FrontendParams, log_mel, mel_matrix, patches, waveform
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from tests.support.models import frontend_reference
from tests.support.sound.chunks import to_pcm
from tests.support.sound.sounds import chirp, noise, synthetic_cry, tone
from training.data.recordings import load_audio

METHOD = FrontendParams()
WAYS = {"plain": PLAIN, "method": METHOD}


def reference(samples: Pcm, params: FrontendParams) -> np.ndarray:
    return frontend_reference.patch(samples, pre_emphasis=params.pre_emphasis, z_score=params.z_score)


def second(samples: Pcm) -> Pcm:
    return samples[:WINDOW_SAMPLES]


SOUNDS = {
    "noise": second(noise(1.0, rms_dbfs=-30)),
    "quiet noise": second(noise(1.0, rms_dbfs=-75)),
    "sine": second(tone(440, 1.0, peak_dbfs=-0.1)),
    "high sine": second(tone(7_400, 1.0)),
    "chirp": second(chirp(100, 4_000, 1.0)),
    "cry": second(synthetic_cry()[8_000:]),
    "digital silence": np.zeros(WINDOW_SAMPLES, np.int16),
    "constant": np.full(WINDOW_SAMPLES, -20_000, np.int16),
    "square at full scale": to_pcm(np.sign(np.sin(np.arange(WINDOW_SAMPLES) / 9.0)) * FULL_SCALE),
}


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_as_the_slow_reference(samples: Pcm, params: FrontendParams) -> None:
    """Seeded noise, sines, silence and worse: all 96 x 64 values within 1e-4."""
    np.testing.assert_allclose(patches([samples], params)[0], reference(samples, params), rtol=0, atol=1e-4)


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS)
def test_as_the_slow_reference_on_a_real_cry(shared_data: Path, params: FrontendParams) -> None:
    """A recording of a baby, a second from its middle."""
    samples = load_audio(min((shared_data / "donateacry").rglob("*.3gp")))
    middle = samples[len(samples) // 2 :][:WINDOW_SAMPLES]
    np.testing.assert_allclose(patches([middle], params)[0], reference(middle, params), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["silence", "noise", "sine"])
@pytest.mark.parametrize("way", WAYS)
def test_golden_patches(name: str, way: str) -> None:
    """What the network was trained on does not change with a library: stored values, one frame in eight."""
    with np.load(frontend_reference.GOLDEN, allow_pickle=False) as golden:
        expected = golden[f"{name}_{way}"]
    found = patches([frontend_reference.sounds()[name]], WAYS[way])[0, :: frontend_reference.EVERY]
    assert expected.shape == found.shape == (12, 64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_shapes_and_types() -> None:
    """Any number of windows, as a list or an array, are float32 [n, 96, 64]; each by itself; none is none."""
    windows = np.stack([SOUNDS["noise"], SOUNDS["cry"], SOUNDS["sine"]])
    together = patches(windows, METHOD)
    assert together.shape == (3, 96, 64)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together, patches(list(windows), METHOD))
    for one, row in zip(windows, together, strict=True):
        np.testing.assert_allclose(patches([one], METHOD)[0], row, rtol=0, atol=1e-6)
    assert patches([], METHOD).shape == (0, 96, 64)
    assert patches(windows, METHOD).flags.c_contiguous


def test_as_many_frames_as_fit() -> None:
    """94 frames of 0.96 s, 96 of 15,600 samples, one of 400; none is filled up."""
    for samples, frames in ((15_360, 94), (15_600, 96), (15_759, 96), (15_760, 97), (400, 1)):
        assert log_mel(np.zeros((1, samples))).shape == (1, frames, 64)


def test_silence_is_the_log_of_the_offset() -> None:
    """Nothing heard is ln 0.01 in every band, finite, by both ways."""
    for params in WAYS.values():
        np.testing.assert_allclose(patches([np.zeros(WINDOW_SAMPLES, np.int16)], params), np.log(0.01), rtol=1e-6)


def test_the_z_score_takes_distance_and_offset_away() -> None:
    """A cry at a tenth of its level, on a constant offset, is the same patch; to plain VGGish it is another."""
    far = second(synthetic_cry(peak_dbfs=-26)[8_000:])
    near = 10 * far + np.int16(200)
    method = patches([near, far], FrontendParams(pre_emphasis=0.0))
    np.testing.assert_allclose(method[0], method[1], rtol=0, atol=1e-5)
    plain = patches([near, far], PLAIN)
    assert np.abs(plain[0] - plain[1]).mean() > 0.5


def test_the_z_score_does_not_blow_up_rounding() -> None:
    """What moves only the last bit is divided by three steps, not by its own tiny deviation; real noise is scaled."""
    rng = np.random.default_rng(1)
    last_bit = rng.integers(0, 2, (1, WINDOW_SAMPLES)) / FULL_SCALE
    still = waveform(last_bit, FrontendParams(pre_emphasis=0.0))
    assert still.std() == pytest.approx(0.5 / FULL_SCALE / LEAST_STD, rel=0.01)
    room = rng.normal(0.1, 10 / FULL_SCALE, (1, WINDOW_SAMPLES))
    scaled = waveform(room, FrontendParams(pre_emphasis=0.0))
    assert (scaled.mean(), scaled.std()) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))


def test_pre_emphasis_is_a_difference() -> None:
    """y[t] = x[t] - 0.97 x[t-1], and the first sample stays."""
    x = np.array([[1.0, 2.0, -1.0]])
    np.testing.assert_allclose(waveform(x, FrontendParams(z_score=False)), [[1.0, 2.0 - 0.97, -1.0 - 1.94]])


def test_mel_bands_cover_what_they_should() -> None:
    """Between 125 and 7500 Hz nothing is left out, outside of it nothing counts, and no band is empty."""
    weights = mel_matrix()
    hertz = np.arange(257) * 31.25
    assert weights.shape == (257, 64)
    assert (weights[hertz <= 125] == 0).all()
    assert (weights[hertz >= 7_500] == 0).all()
    assert (weights.max(axis=0) > 0).all()
    inner = (hertz > 200) & (hertz < 7_200)
    np.testing.assert_allclose(weights[inner].sum(axis=1), 1.0)  # neighbouring triangles add up
