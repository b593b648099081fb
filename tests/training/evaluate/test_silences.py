"""Silences: where a pause is, and that the probe finds a trace of the set where there is one and none elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from model.bundle import load_bundle
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from tests.support.sound.sounds import noise, silence, tone
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared
from training.evaluate.silences import markdown, pause, probe

FAINT_DBFS = -60.0


def call(seed: int, *, bright: bool = False) -> Pcm:
    """A second of a tone, then half a second of what the microphone makes: white noise, or one that is bright."""
    hiss = noise(0.6, rms_dbfs=FAINT_DBFS, seed=seed)
    if bright:
        hiss = np.diff(hiss, prepend=hiss[:1])
    return np.concatenate([tone(400 + 10 * seed, 1.0), hiss])


def test_the_pause_is_the_quietest_moment() -> None:
    """0.3 s of the noise behind the tone, again and again; no digital silence, and none in a lasting sound."""
    found = pause(np.concatenate([call(1), silence(1.0)]))
    assert found is not None
    assert found.shape == (WINDOW_SAMPLES,)
    assert 20 * np.log10(np.std(found / 32_768)) == pytest.approx(FAINT_DBFS, abs=1)
    assert pause(tone(400, 2.0)) is None
    assert pause(silence(2.0)) is None
    assert pause(tone(400, 0.1)) is None


def both(folder: Path, *, bright: bool) -> Prepared:
    """Twelve recordings with cries and twelve without, whose microphones differ, or do not."""
    takes = [
        Take(f"x{seed}", call(seed, bright=bright and seed % 2 == 0), is_cry=seed % 2 == 0, kind="any")
        for seed in range(24)
    ]
    return prepared_from(folder, takes)


def test_another_microphone_is_found_and_the_same_is_not(tmp_path: Path) -> None:
    """The linear model is sure where cries have another noise, and guesses where they have the same."""
    (apart, alone) = probe(both(tmp_path / "apart", bright=True), load_bundle())
    assert (apart.sets, apart.cries, apart.others) == ("all sets", 12, 12)
    assert (alone.sets, alone.linear) == ("home alone", apart.linear)
    assert apart.linear > 0.95
    (same, _) = probe(both(tmp_path / "same", bright=False), load_bundle())
    assert 0.1 < same.linear < 0.9
    assert markdown([same], "tiny").splitlines()[2].startswith("| all sets | 12 | 12 | 0.")


def test_too_few_pauses_are_refused(tmp_path: Path) -> None:
    """By the folder."""
    few = prepared_from(tmp_path, [Take("x", call(1), is_cry=True), Take("y", tone(300, 1.0), is_cry=False)])
    with pytest.raises(ConfigError, match="too few recordings with a pause"):
        probe(few, load_bundle())
