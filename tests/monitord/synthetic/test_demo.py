"""The demo sound and the synthetic cry: what they are made of, and that they are taken for a baby's cry."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from monitord.synthetic.demo import CRY_START_S, LENGTH_S, demo_sound
from monitord.synthetic.synthetic_cry import BOUT, cry
from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import silence, synthetic_cry

WINDOW = 15_600
"""Samples that YAMNet takes."""
CRY_END_S = CRY_START_S + sum(burst.duration_s + burst.gap_s for burst in BOUT)


class Yamnet:
    """The AudioSet network as a judge that had no part in making the sound."""

    def __init__(self, teachers: Path) -> None:
        self._interpreter = Interpreter(str(teachers / "yamnet.tflite"))
        self._interpreter.allocate_tensors()
        with (teachers / "yamnet_class_map.csv").open(encoding="utf-8") as file:
            self._cry = [row["display_name"] for row in csv.DictReader(file)].index("Baby cry, infant cry")

    def cry_scores(self, samples: Pcm) -> np.ndarray:
        """Scores of "Baby cry, infant cry", one each half second."""
        scores = []
        for start in range(0, len(samples) - WINDOW + 1, RATE_HZ // 2):
            entry = self._interpreter.get_input_details()[0]
            window = samples[start : start + WINDOW].astype(np.float32) / 32_768
            self._interpreter.set_tensor(entry["index"], window.reshape(entry["shape"]))
            self._interpreter.invoke()
            result = self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
            scores.append(result.ravel()[self._cry])
        return np.array(scores)


@pytest.fixture(scope="module")
def demo() -> Pcm:
    """Made once."""
    return demo_sound()


def _part(samples: Pcm, from_s: float, to_s: float) -> Pcm:
    return samples[round(from_s * RATE_HZ) : round(to_s * RATE_HZ)]


def _rms(samples: Pcm) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_it_is_a_minute_of_samples_that_never_clip(demo: Pcm) -> None:
    """int16 at 16 kHz, 60 s, with headroom."""
    assert (demo.dtype, demo.shape) == (np.int16, (round(LENGTH_S * RATE_HZ),))
    assert 8_000 < np.abs(demo.astype(int)).max() < 20_000


def test_it_is_the_same_every_time(demo: Pcm) -> None:
    """No clock and no chance: a demo can be compared with the last one."""
    assert hashlib.sha256(demo_sound()).digest() == hashlib.sha256(demo).digest()


def test_its_quiet_is_alive_and_its_cry_stands_out(demo: Pcm) -> None:
    """No stretch is digital silence, and the cry is over 25 dB above the room."""
    for start in range(0, len(demo), RATE_HZ // 10):
        assert len(np.unique(demo[start : start + RATE_HZ // 10])) > 10
    assert _rms(_part(demo, CRY_START_S, CRY_END_S)) > 18 * _rms(_part(demo, 24, 60))


def test_it_loops_without_a_click(demo: Pcm) -> None:
    """The step from the last sample to the first is one that the room's noise makes too."""
    seam = abs(int(demo[0]) - int(demo[-1]))
    assert seam <= np.abs(np.diff(_part(demo, 24, 30).astype(int))).max()


def test_the_quiet_after_the_cry_outlasts_an_episode(demo: Pcm) -> None:
    """Each loop is an episode of its own: more than 30 s from the cry's end to the next one's start."""
    assert len(demo) / RATE_HZ - CRY_END_S + CRY_START_S > 30


def test_cries_differ_by_their_seed_alone() -> None:
    """The same seed gives the same cry, another one another."""
    assert np.array_equal(cry(seed=3), cry(seed=3))
    assert not np.array_equal(cry(seed=3), cry(seed=4))


def test_yamnet_hears_the_demo_cry_and_nothing_else(demo: Pcm, shared_data: Path) -> None:
    """Over 0.8 on every window of the cry, under 0.05 on every window of the room (measured: 0.93 and 0.0003)."""
    yamnet = Yamnet(shared_data / "teachers")
    assert yamnet.cry_scores(_part(demo, CRY_START_S, CRY_END_S)).min() > 0.8
    assert yamnet.cry_scores(_part(demo, 0, CRY_START_S)).max() < 0.05
    assert yamnet.cry_scores(_part(demo, CRY_END_S + 1, LENGTH_S)).max() < 0.05


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_yamnet_hears_every_seed(seed: int, shared_data: Path) -> None:
    """A cry that no tuning has seen is a cry too, also in digital silence."""
    sound = np.concatenate([silence(0.2), synthetic_cry(seed=seed)])
    assert np.median(Yamnet(shared_data / "teachers").cry_scores(sound[: 13 * RATE_HZ])) > 0.8
