"""The noise table: levels as said, held-out noises alone, bundles on the same mixtures; and how hard negatives fare."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import Bundle, load_bundle
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from tests.support.training.reason_clips import reason_clips
from training.commands.judge import noise as command
from training.data.prepared import Prepared
from training.evaluate import noise as noise_module
from training.evaluate.hard_negatives import hard_negatives, markdown
from training.evaluate.noise import CLEAN, NoiseParams, Tried, noise_figures
from training.evaluate.noise_reasons import PER_RECORDING, ReasonsUnderNoise, of_clips
from training.results.result_files import read_results
from training.sound.augment import active_rms
from training.sound.noises import MUSIC_UNDER_DB, _coloured, held_out_noises, in_noise

FEW = NoiseParams(cries=6, others=4, alone=3, reasons=24)
LEVELS_DB = (20.0, -10.0)
"""Fewer than the command tries, for a quick test."""
CLASSES = 1048
"""Of both teachers."""


def prepared(folder: Path) -> Prepared:
    """Held-out cries, rain, voices and music, and rain that training saw; the teachers know all their classes."""
    takes = [
        Take("cry", synthetic_cry()[:64_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
        Take("dog", tone(800, 2.0), is_cry=False, held_out=True),
        Take("rain", noise(2.0, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True),
        Take("rain_seen", noise(2.0, rms_dbfs=-20, seed=2), is_cry=False, kind="rain"),
        Take("guitar", tone(330, 2.0), is_cry=False, kind="home:jazz_guitar", held_out=True),
        *[
            Take(f"voice{i}", tone(200 + 20 * i, 1.0), is_cry=False, kind="speech:adult", held_out=True)
            for i in range(6)
        ],
    ]
    made = prepared_from(folder, takes)
    tags = np.zeros((len(made.windows), CLASSES), np.float16)
    return replace(made, windows=replace(made.windows, tags=tags))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The one that comes with the project."""
    return load_bundle()


@pytest.fixture(scope="module")
def figures(sounds: Prepared, bundle: Bundle) -> dict[str, Any]:
    """The same bundle twice, as if before and after."""
    tried = [Tried(bundle, trained_with_noise=False), Tried(bundle, trained_with_noise=True)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(noise_module, "SNRS_DB", LEVELS_DB)
        made = noise_figures(sounds, tried, reason_clips(24), FEW)
        return made | {"table": noise_module.markdown(made)}


def test_the_levels_are_as_said() -> None:
    """The window's active level stands so many decibels over the noise's, also where the sum would clip."""
    window = synthetic_cry()[20_000 : 20_000 + WINDOW_SAMPLES]
    laid = np.random.default_rng(1).standard_normal(WINDOW_SAMPLES).astype(np.float32)
    wave = window.astype(np.float64)
    for snr_db in (10.0, -10.0):
        mixed = in_noise(window[None], laid[None], snr_db)[0].astype(np.float64)
        assert np.abs(mixed).max() < 32_768
        scale = (mixed @ wave - (laid @ wave) * (mixed @ laid) / (laid @ laid)) / (
            wave @ wave - (laid @ wave) ** 2 / (laid @ laid)
        )
        rest = (mixed - scale * wave).astype(np.float32)
        found_db = 20 * np.log10(active_rms((scale * wave).astype(np.float32)) / active_rms(rest))
        assert found_db == pytest.approx(snr_db, abs=0.2)


def test_noises_are_held_out_and_what_is_missing_is_left_out(sounds: Prepared) -> None:
    """One of the two rains; voices together, voices over music, and formulas; no wind was recorded."""
    found = held_out_noises(sounds)
    assert set(found) == {"rain", "cafe", "television", "white", "pink"}
    assert len(found["rain"]) == 1
    only = replace(sounds, recordings=[replace(r, held_out=False) for r in sounds.recordings])
    assert set(held_out_noises(only)) == {"white", "pink"}
    assert MUSIC_UNDER_DB > 0


def test_pink_falls_by_3_db_an_octave() -> None:
    """White does not."""
    for exponent, falls_db in ((0.5, 3.0), (0.0, 0.0)):
        power = np.abs(np.fft.rfft(_coloured(exponent, np.random.default_rng(1)))) ** 2
        hz = np.fft.rfftfreq(10 * RATE_HZ, 1 / RATE_HZ)
        low, high = (power[(hz >= at) & (hz < 2 * at)].mean() for at in (500, 1000))
        assert 10 * np.log10(low / high) == pytest.approx(falls_db, abs=0.3)


def test_a_row_for_each_bundle_noise_and_level(figures: dict[str, Any], bundle: Bundle) -> None:
    """Clean once, then every level of every noise; the same bundle hears the same mixtures both times."""
    rows = figures["rows"]
    assert len(rows) == 2 * (1 + 5 * len(LEVELS_DB))
    assert [(row["noise"], row["snr_db"]) for row in rows if row["noise"] == CLEAN] == [(CLEAN, None)] * 2
    before, after = (
        [{**r, "trained_with_noise": 0} for r in rows if r["trained_with_noise"] is t] for t in (False, True)
    )
    assert before == after
    assert {row["bundle"] for row in rows} == {bundle.manifest.name}
    assert (figures["cries"], figures["others"], figures["reason_recordings"]) == (6, 4, 12)


def test_a_cry_under_loud_noise_is_harder_to_hear(figures: dict[str, Any]) -> None:
    """Clean every cry window is found; 10 dB under white noise none is surer than that."""
    at = {(row["noise"], row["snr_db"]): row for row in figures["rows"]}
    assert at[CLEAN, None]["cry_found"] == 1.0
    assert at["white", -10.0]["cry_found"] <= at["white", 20.0]["cry_found"]
    assert at["white", -10.0]["cry_auc"] <= at[CLEAN, None]["cry_auc"]


def test_reasons_are_learnt_clean_and_tried_on_held_back_recordings() -> None:
    """Embeddings that say the reason are read; noise that turns one reason into another is not forgiven."""
    told = of_clips(reason_clips(48), 200, np.random.default_rng(1))
    assert told is not None
    assert np.bincount(told.recording).max() <= PER_RECORDING
    rng = np.random.default_rng(1)
    clean = np.eye(4, 8)[told.reason[told.recording]] + 0.05 * rng.standard_normal((len(told.recording), 8))
    heads = ReasonsUnderNoise(told, clean.astype(np.float32))
    assert (heads.said(clean.astype(np.float32)) == told.reason).all()
    turned = np.roll(clean[:, :4], 1, axis=1)
    noisy = np.concatenate([turned, clean[:, 4:]], axis=1).astype(np.float32)
    assert (heads.said(noisy) == (told.reason + 1) % 4).all()


def test_one_reason_alone_gives_no_figure() -> None:
    """There is nothing to tell apart."""
    assert of_clips(reason_clips(6, reasons=1), 24, np.random.default_rng(1)) is None


def test_the_table_has_both_bundles_side_by_side(figures: dict[str, Any]) -> None:
    """Three tables; a line for each noise and bundle, a column for each level."""
    lines = figures["table"].splitlines()
    assert sum(line.startswith("| noise |") for line in lines) == 3
    rain = [line for line in lines if line.startswith("| rain |")]
    assert len(rain) == 2 * 3
    assert rain[0].count("|") == 4 + len(LEVELS_DB)
    assert "without noise training" in rain[0]


def test_without_cries_it_refuses(sounds: Prepared, bundle: Bundle) -> None:
    """The folder is named."""
    quiet = replace(sounds, recordings=[replace(r, is_cry=False) for r in sounds.recordings])
    with pytest.raises(ConfigError, match="no held-out cries"):
        noise_figures(quiet, [Tried(bundle, trained_with_noise=True)], None, FEW)


def test_the_command_writes_what_report_reads(
    sounds: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tables on stdout, figures in the file, and that no reason was told."""
    monkeypatch.setattr("training.data.prepared.load_prepared", lambda _: sounds)
    monkeypatch.setattr(noise_module, "SNRS_DB", (0.0,))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(["--prepared", "x", "--out", str(tmp_path / "noise.json")])) == 0
    [result] = read_results(tmp_path)
    assert (result.kind, result.synthetic) == ("noise", False)
    assert {row["reason_uar_grouped"] for row in result.figures["rows"]} == {None}
    assert "Cry windows found" in capsys.readouterr().out


def test_hard_negatives_by_hand(sounds: Prepared) -> None:
    """Of the dog's windows every second is over the threshold; a laugh by the teachers' ears counts as one."""
    windows = sounds.windows
    tags = windows.tags.copy()
    dog = np.flatnonzero(windows.recording == 1)
    tags[dog[0], 17] = 0.5
    heard = replace(sounds, windows=replace(windows, tags=tags, yamnet=np.where(windows.recording == 1, 0.3, 0)))
    rows = np.flatnonzero(windows.recording <= 2)
    p_cry = np.zeros(len(rows), np.float32)
    p_cry[np.isin(rows, dog[::2])] = 0.9
    p_cry[windows.recording[rows] == 0] = 1.0  # the cry itself does not count
    found = {one.kind: one for one in hard_negatives(heard, rows, p_cry, 0.8)}
    assert found["dog"].windows == len(dog)
    assert found["dog"].ours == pytest.approx(len(dog[::2]) / len(dog))
    assert (found["dog"].yamnet, found["dog"].recordings) == (0.0, 1)
    assert (found["a baby's laughter"].windows, found["a baby's laughter"].ours) == (1, 1.0)
    assert found["everything else"].recordings == 1  # the rain
    assert found["all together"].recordings == 2
    table = markdown(list(found.values()), "ours", 0.8)
    assert "| a baby's laughter | 1 | 1 | 100.0% | 0.0% | 0.0% |" in table
