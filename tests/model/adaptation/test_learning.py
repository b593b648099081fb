"""What a home teaches: one correction helps, ten hurt no stranger's cry, and what would hurt is left out."""

import numpy as np

from model.adaptation.learning import MOST_LOST, SPEAKING, Learnt, Lesson, adapted, learn
from model.adaptation.reference import Windows
from tests.support.models.taught_sounds import THRESHOLD, WHIMPER, cries, lesson, meows, reference, windows


def meowed(seed: int) -> Lesson:
    """Somebody says that one meow was the cat."""
    return lesson(f"cat {seed}", meows(12, seed))


def speaking(sound: Windows, learnt: Learnt) -> float:
    """Share of the windows that speak for crying."""
    return float(np.mean(adapted(sound, learnt.adaptation) >= THRESHOLD))


def test_one_correction_helps_against_the_same_cat() -> None:
    """Of meows that were not corrected fewer than a third still speak, where nearly all did."""
    learnt = learn("abc", [meowed(1)], reference(), [THRESHOLD])
    assert learnt.adaptation is not None
    assert learnt.adaptation.bundle_id == "abc"
    assert speaking(meows(200, seed=50), Learnt(None)) > 0.95
    assert speaking(meows(200, seed=50), learnt) < 0.33


def test_ten_corrections_hurt_no_strangers_cry() -> None:
    """Of cries that neither the reference nor a lesson holds, no more are lost than may be; the cat is silent."""
    learnt = learn("abc", [meowed(seed) for seed in range(10)], reference(), [THRESHOLD])
    assert len(learnt.kept) == 10
    assert speaking(meows(200, seed=50), learnt) <= SPEAKING
    strangers = cries(1000, seed=60)
    assert speaking(strangers, learnt) >= speaking(strangers, Learnt(None)) - MOST_LOST
    assert learnt.lost <= MOST_LOST
    assert learnt.raised <= MOST_LOST


def test_a_correction_that_would_cost_cries_is_left_out() -> None:
    """A sound that is like every cry cannot be rejected; what can be learnt beside it is."""
    alike = lesson("alike", cries(12, seed=70))
    alone = learn("abc", [alike], reference(), [THRESHOLD])
    assert alone.adaptation is None
    assert [one.name for one in alone.left_out] == ["alike"]
    beside = learn("abc", [meowed(1), alike], reference(), [THRESHOLD])
    assert [one.name for one in beside.kept] == ["cat 1"]
    assert [one.name for one in beside.left_out] == ["alike"]
    assert beside.lost <= MOST_LOST


def test_a_missed_cry_is_heard() -> None:
    """A weak cry of this baby rises over the threshold, and other sound stays where it is."""
    weak = lesson("missed", windows(12, WHIMPER, seed=1), is_cry=True)
    learnt = learn("abc", [weak], reference(), [THRESHOLD])
    assert learnt.kept == (weak,)
    assert weak.settled(learnt.adaptation)
    assert not weak.settled(None)
    assert learnt.raised <= MOST_LOST


def test_every_threshold_in_force_counts() -> None:
    """A room with a higher threshold loses its cries sooner: they are held there, too."""
    strict = 3.0
    learnt = learn("abc", [meowed(1)], reference(), [strict])
    held = reference().cries
    lost = np.mean((held.log_odds >= strict) & (adapted(held, learnt.adaptation) < strict))
    assert lost <= MOST_LOST
    assert lost <= learnt.lost


def test_the_same_lessons_teach_the_same() -> None:
    """Nothing of it is left to chance."""
    one, two = (learn("abc", [meowed(1), meowed(2)], reference(), [THRESHOLD]).adaptation for _ in range(2))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.weights, two.weights)
    assert one.bias == two.bias
