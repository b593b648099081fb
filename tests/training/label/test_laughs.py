"""Babies' laughs: made of grown-ups' laughs, higher and as quick, the same each time, never of a cry."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ
from tests.support.paths import SHARED
from tests.support.sound.sounds import tone
from tests.support.training.prepared import TAGS
from training.data.corpus import Recording
from training.data.recordings import load_audio
from training.label.laughs import BOUT_S, KIND, bout, is_laugh, made_from, no_cry, raised, stretched
from training.label.teachers import MN04_CLASSES, MN04_LAUGHTER, YAMNET_LAUGHTER

LAUGH = Recording(
    Path("000002-02-1.opus"), "emogator", "emogator:joy", "000002", is_cry=False, reason=None, held_out=True
)
LABELS = SHARED / "teachers"


def hertz(sound: np.ndarray) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(sound)).argmax() * RATE_HZ / len(sound))


@pytest.mark.parametrize("factor", [1.3, 1.7, 1.95])
def test_it_is_higher_by_the_factor_and_hardly_shorter(factor: float) -> None:
    """A tone of 300 Hz lies at 300 Hz times the factor, and lasts as long up to the small bodies' quickness."""
    sound = tone(300, 1.0).astype(np.float32) / np.float32(FULL_SCALE)
    higher = raised(sound, factor)
    assert hertz(higher) == pytest.approx(300 * factor, rel=0.02)
    assert len(higher) / RATE_HZ == pytest.approx(factor**-0.3, abs=0.08)


def test_the_tempo_changes_and_the_pitch_does_not() -> None:
    """Half as fast, twice as long."""
    slow = stretched(tone(400, 1.0).astype(np.float32) / np.float32(FULL_SCALE), 0.5)
    assert len(slow) / RATE_HZ == pytest.approx(2.0, abs=0.1)
    assert hertz(slow) == pytest.approx(400, rel=0.01)


def test_a_short_laugh_goes_on_for_a_bout() -> None:
    """Half a second of it is repeated for seconds, at full scale at most."""
    made = bout(tone(300, 0.5), 1.5, np.random.default_rng(1))
    assert made.dtype == np.int16
    assert BOUT_S[0] <= len(made) / RATE_HZ <= BOUT_S[1] + 0.5


def test_it_stays_with_its_speaker_and_is_made_once(tmp_path: Path) -> None:
    """Two of each clip, of the same group and on the same side of the split, and the same bytes whenever made."""
    made = list(made_from(LAUGH, tone(300, 0.8), tmp_path / "one"))
    again = list(made_from(LAUGH, tone(300, 0.8), tmp_path / "two"))
    assert [(r.kind, r.group, r.held_out, r.is_cry) for r in made] == [(KIND, "000002", True, False)] * 2
    assert [r.path.read_bytes() for r in made] == [r.path.read_bytes() for r in again]
    assert not np.array_equal(load_audio(made[0].path), load_audio(made[1].path))
    before = made[0].path.stat().st_mtime_ns
    list(made_from(LAUGH, tone(500, 0.8), tmp_path / "one"))
    assert made[0].path.stat().st_mtime_ns == before


def test_what_a_teacher_calls_laughter_is_one() -> None:
    """In one window, by either teacher, of kinds that hold laughs; a dog is none, whatever they say."""
    tags = np.zeros((3, TAGS), np.float16)
    assert not is_laugh(LAUGH, tags)
    assert not is_laugh(LAUGH, tags[:0])
    for column in (MN04_LAUGHTER[1], MN04_CLASSES + YAMNET_LAUGHTER[5]):
        heard = tags.copy()
        heard[2, column] = 0.4
        assert is_laugh(LAUGH, heard)
        assert not is_laugh(replace(LAUGH, kind="dog"), heard)


def test_one_window_of_a_cry_is_a_cry() -> None:
    """Of either teacher."""
    quiet, loud = np.zeros(3, np.float32), np.array([0, 0.2, 0], np.float32)
    assert no_cry([quiet, quiet])
    assert not no_cry([quiet, loud])
    assert not no_cry([loud, quiet])


@pytest.mark.skipif(not LABELS.is_dir(), reason="needs the label lists of ../shared/data")
def test_the_rows_are_those_of_laughter() -> None:
    """By the teachers' own lists."""
    for name, rows in (("audioset_527_labels.csv", MN04_LAUGHTER), ("yamnet_class_map.csv", YAMNET_LAUGHTER)):
        lines = (LABELS / name).read_text(encoding="utf-8").splitlines()[1:]
        laughs = [
            index for index, line in enumerate(lines) if re.search("laugh|giggle|snicker|chuckle", line, re.IGNORECASE)
        ]
        assert laughs == list(rows)
