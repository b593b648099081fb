"""What the report computes for its tables and pictures: bins, axes, examples, verdicts, and which system is which."""

import numpy as np
import pytest

from model.frontend import PLAIN, log_mel, waveform
from monitord.pcm import FULL_SCALE
from tests.support.sound.sounds import tone
from tests.support.training.reason_clips import reason_clips
from training.report import crossval, examples, frontends, systems
from training.results import number_text


def test_the_reliability_bins_are_right() -> None:
    """Four clips said with .6, three of them right, and one said with .9 and wrong."""
    said = [[0.6, 0.4, 0.0, 0.0]] * 4 + [[0.9, 0.1, 0.0, 0.0]]
    top, right, clips = crossval.bins({"probabilities": said, "labels": [0, 0, 0, 1, 1]})
    np.testing.assert_allclose(top, [0.6, 0.9])
    np.testing.assert_allclose(right, [0.75, 0.0])
    assert clips.tolist() == [4, 1]


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 3000.0, 6500.0])
def test_the_axis_in_hertz_meets_the_mel_bands(hertz: float) -> None:
    """A tone is brightest in the band at which the right axis says its frequency."""
    x = tone(hertz, 0.5).astype(np.float64)[None] / FULL_SCALE
    brightest = int(log_mel(waveform(x, PLAIN))[0].mean(axis=0).argmax())
    assert examples.band_of(hertz) == pytest.approx(brightest + 0.5, abs=0.6)


def test_one_example_for_each_reason_there_is() -> None:
    """The loudest clip of a reason is shown; a reason that the set lacks has none."""
    clips = reason_clips(9, reasons=3)
    clips.sounds[4] = clips.sounds[4] * 2
    assert examples.example(clips, "boredom") == 4
    assert examples.example(clips, "discomfort") is None
    low, high = examples.envelope(np.arange(1201.0))[1:]
    assert (low[0], high[0], low[-1], high[-1]) == (0.0, 2.0, 1200.0, 1200.0)


def test_help_or_hurt_is_said_only_where_the_interval_shows_it() -> None:
    """Against the plain front end: better, worse, and too near to tell."""
    plain = {"cry_auc": 0.980, "cry_auc_95": [0.97, 0.99]}
    told = [
        frontends.verdict({"cry_auc": auc, "cry_auc_95": [auc - 0.004, auc + 0.004]}, plain)
        for auc in (0.990, 0.970, 0.981)
    ]
    assert told == ["helps (+0.0100)", "hurts (-0.0100)", "no difference shown (+0.0010)"]
    assert frontends.verdict(plain, plain) == number_text.NONE


def test_ours_is_the_bundles_else_the_first_that_is_no_peer() -> None:
    """A peer is never taken for ours."""
    every = [{"name": "YAMNet at .5"}, {"name": "one"}, {"name": "two"}]
    assert systems.ours(every, "two")["name"] == "two"
    assert systems.ours(every, "three")["name"] == "one"
    with pytest.raises(KeyError):
        systems.ours([{"name": "mn04"}], "three")


def test_one_peer_by_two_rules_is_two_systems() -> None:
    """Where a name stands twice the rule tells them apart, and tables by name and rule are read so."""
    every = [{"name": "ours", "rule": "a"}, {"name": "mn04", "rule": "any"}, {"name": "mn04", "rule": "2 of 4"}]
    assert systems.labels(every) == ["ours", "mn04, any", "mn04, 2 of 4"]
    shares = {"ours": 0.9, "mn04, any": 0.8, "mn04, 2 of 4": 0.7}
    assert [systems.value_of(shares, system) for system in every] == [0.9, 0.8, 0.7]
    assert systems.value_of({"ours, a": 0.6}, every[0]) == 0.6
    assert systems.value_of({}, every[0]) is None
