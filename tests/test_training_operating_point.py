"""The operating point: settings tried by the daemon's own tracker on sounds whose outcome can be worked out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from prepared import Take, prepared_from
from sounds import noise, tone

from monitord.types import Pcm
from training.operating_point import FALSE_SHARE, LATENCY_S, OFF_SHARE, THRESHOLDS, VOTES, Trial, choose, trials
from training.prepare import Prepared

SOUND: Pcm = np.concatenate([noise(0.96, rms_dbfs=-80), tone(500, 2.4), noise(0.96, rms_dbfs=-80)])
"""Sound from 0.96 s on: the windows that vote end at 1.2 s, 1.44 s, 1.68 s, ..."""


def scored(folder: Path, scores: Sequence[tuple[bool | None, bool, float]]) -> tuple[Prepared, NDArray[np.float32]]:
    """Recordings of that sound: is it a cry, is it held out, and the probability of all its windows."""
    takes = [
        Take(f"r{number}", SOUND, is_cry=is_cry, held_out=held_out)
        for number, (is_cry, held_out, _) in enumerate(scores)
    ]
    prepared = prepared_from(folder, takes)
    return prepared, np.array([p for _, _, p in scores], np.float32)[prepared.windows.recording]


def of(tried: list[Trial], on_p: float, n: int, m: int) -> Trial:
    return next(t for t in tried if (t.tracker.on_p, t.tracker.n, t.tracker.m) == (on_p, n, m))


def test_every_setting_is_tried(tmp_path: Path) -> None:
    """All thresholds with all votes; the lower threshold follows the upper one."""
    tried = trials(*scored(tmp_path, [(True, True, 0.9), (False, True, 0.1)]))
    assert len(tried) == len(THRESHOLDS) * len(VOTES)
    assert {(t.tracker.n, t.tracker.m) for t in tried} == set(VOTES)
    for trial in tried:
        assert trial.tracker.off_p == pytest.approx(trial.tracker.on_p * OFF_SHARE, abs=5e-4)


def test_found_false_and_late_by_hand(tmp_path: Path) -> None:
    """Two of three cries and one of four others are over 0.5; the alarm comes with the n-th window on the grid."""
    cries = [(True, True, p) for p in (0.9, 0.6, 0.4)]
    others = [(False, True, p) for p in (0.55, 0.1, 0.2, 0.3)]
    tried = trials(*scored(tmp_path, [*cries, *others]))
    trial = of(tried, 0.5, 3, 5)
    assert trial.found == pytest.approx(2 / 3)
    assert trial.false == 1 / 4
    assert trial.latency_s == pytest.approx((3 * 0.24, 3 * 0.24))
    assert of(tried, 0.5, 2, 4).latency_s[0] == pytest.approx(2 * 0.24)
    strict = of(tried, 0.7, 3, 5)
    assert strict.found == pytest.approx(1 / 3)
    assert strict.false == 0.0
    silent = of(tried, 0.95, 3, 5)
    assert (silent.found, silent.latency_s) == (0.0, (np.inf, np.inf))


def test_only_held_out_recordings_with_a_label_count(tmp_path: Path) -> None:
    """What training saw, and what nobody can label, says nothing."""
    counted = [(True, True, 0.9), (False, True, 0.1)]
    ignored = [(True, False, 0.0), (False, False, 1.0), (None, True, 1.0)]
    assert trials(*scored(tmp_path / "a", [*counted, *ignored])) == trials(*scored(tmp_path / "b", counted))


def test_the_chosen_one_finds_most_of_those_allowed(tmp_path: Path) -> None:
    """A cat at 0.65 rules out what is under it; the cry at 0.85 is to be found; the card says what it rests on."""
    prepared, probabilities = scored(
        tmp_path, [(True, True, 0.99), (True, True, 0.85), (True, True, 0.62), (False, True, 0.65), (False, True, 0.0)]
    )
    point = choose(prepared, probabilities)
    assert 0.65 < point.tracker.on_p <= 0.85
    assert point.figures["found"] == 0.667
    assert point.figures["false_alarms"] == 0.0
    assert (point.figures["cry_recordings"], point.figures["other_recordings"]) == (3, 2)
    assert "66.7% of 3 cry recordings" in point.why
    best = of(trials(prepared, probabilities), point.tracker.on_p, point.tracker.n, point.tracker.m)
    assert best.false <= FALSE_SHARE
    assert best.latency_s[0] <= LATENCY_S


def test_a_deaf_network_gets_no_operating_point(tmp_path: Path) -> None:
    """Where no setting parts cries from the rest, no bundle is made."""
    with pytest.raises(ValueError, match="does not hear"):
        choose(*scored(tmp_path, [(True, True, 0.5), (False, True, 1.0)]))
