"""Homes that teach: whose sound is laid, which alarms become lessons, and what the table says."""

from pathlib import Path

import numpy as np
import pytest

from model.adaptation.learning import Learnt
from model.adaptation.reference import Windows
from model.bundle import Bundle
from monitord.types import RATE_HZ, Window
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.sound.sounds import tone
from tests.support.training.prepared import Take, prepared_from
from training.streams.false_alarms import Episodes, Heard
from training.streams.mixing import Laid, Stream
from training.streams.taught_homes import HeardHour, Row, figures, lessons_of, markdown, only

HOP = 3_840
"""Samples at 16 kHz from one window to the next: 0.24 s."""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_dead_bundle(tmp_path / "b")


def hour(log_odds: list[float]) -> HeardHour:
    """A minute with a cat from its tenth second to its twentieth, and windows all the while."""
    samples = np.zeros(60 * RATE_HZ, np.int16)
    stream = Stream(samples, (), (Laid("catmeows:brushing", 10 * RATE_HZ, 20 * RATE_HZ),))
    windows = [Window("stream", i * HOP, samples[:15_600], 0.0, i * HOP) for i in range(len(log_odds))]
    said = np.array(log_odds, np.float32)
    p_cry = (1 / (1 + np.exp(-said))).tolist()
    return HeardHour(Heard(stream, windows, p_cry), Windows(np.tile(said[:, None], 128), said))


def test_an_alarm_by_its_own_sound_becomes_a_lesson(bundle: Bundle) -> None:
    """Made of the strongest windows around it; an alarm by anything else is not the cat's."""
    meowing = hour([-6.0] * 42 + [4.0 + 0.1 * i for i in range(30)] + [-6.0] * 100)
    (lesson,) = lessons_of(meowing, ("cat",), bundle)
    assert not lesson.is_cry
    np.testing.assert_allclose(lesson.windows.log_odds, [4.0 + 0.1 * i for i in range(29, 17, -1)], rtol=1e-5)
    assert lessons_of(meowing, ("door",), bundle) == []
    assert lessons_of(hour([-6.0] * 172), ("cat",), bundle) == []


def test_what_was_learnt_changes_what_is_heard() -> None:
    """Without anything learnt it is what the bundle said."""
    heard = hour([-6.0, 2.0])
    assert heard.taught(Learnt(None)).p_cry == pytest.approx(heard.heard.p_cry)


def test_a_home_has_one_cat_and_learns_from_other_meows(tmp_path: Path) -> None:
    """No other cat is laid; half of its recordings teach, the other half judge; all other sound stays."""
    takes = [
        Take(f"{cat}{n}", tone(300, 1.0), is_cry=False, kind="catmeows:brushing", group=cat, held_out=True)
        for cat in ("MAG", "IND")
        for n in range(4)
    ]
    takes += [Take("rain", tone(200, 1.0), is_cry=False, kind="rain", held_out=True)]
    prepared = prepared_from(tmp_path, takes)
    taught, judged = (only(prepared, ("catmeows",), "home:MAG", part) for part in (0, 1))
    names = [[one.path.stem for one in home.recordings if one.held_out] for home in (taught, judged)]
    assert names == [["MAG0", "MAG2", "rain"], ["MAG1", "MAG3", "rain"]]


def test_the_table() -> None:
    """False alarms by the home's own sound and all others, an hour, and the cries found."""
    row = Row("a cat that meows", 3, 2, 5, 4, Episodes(2.0, (True, True, False, True), (0.0,) * 4, false=3), 2)
    found = figures([row], 1)
    assert found["homes"][0] | {"false_by_it_per_hour": 1.0, "other_false_per_hour": 0.5} == found["homes"][0]
    assert markdown(found).splitlines()[-1] == "| a cat that meows (2) | 3 | 5, 4 | 1.00 | 0.50 | 75.0% of 4 |"
