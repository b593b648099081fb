"""What ten quiet minutes say of a room."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitord.quiet_minutes import HOLE, WHOLE_S, Proposal, QuietMinutes, RoomSound, propose
from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import noise, silence, tone


def heard(*sounds: Pcm, chunk: int = 4000) -> RoomSound:
    """What is found in these sounds, one after the other."""
    minutes, sound = QuietMinutes(), np.concatenate(sounds)
    for start in range(0, len(sound), chunk):
        minutes.feed(sound[start : start + chunk])
    return minutes.result()


def quiet(seconds: float = 60.0, dbfs: float = -60.0) -> Pcm:
    return noise(seconds, rms_dbfs=dbfs)


def test_a_good_room_is_good() -> None:
    """Its floor to a decibel, and nothing to do."""
    found = heard(quiet())
    assert found.heard_s == 60
    assert found.floor_dbfs == pytest.approx(-60.0, abs=0.5)
    assert (found.stirred_s, found.hum_hz, found.holes, found.clipped_s, found.advice) == (0, None, 0, 0, ("good",))


def test_the_size_of_chunks_changes_nothing() -> None:
    """Offline is online with one big chunk."""
    sound = quiet(5.5) + tone(150, 5.5, peak_dbfs=-50)
    assert heard(sound, chunk=777) == heard(sound, chunk=10**6)


@pytest.mark.parametrize(("hertz", "mains"), [(50, 50), (100, 50), (60, 60), (180, 60)])
def test_a_hum_is_of_its_mains(hertz: int, mains: int) -> None:
    """A line ten decibels under the room's noise is found on its multiple; a voice's tone beside it is none."""
    found = heard(quiet(30.0) + tone(hertz, 30.0, peak_dbfs=-67.0))
    assert (found.hum_hz, found.advice) == (mains, ("hum",))
    assert heard(quiet(30.0) + tone(237, 30.0, peak_dbfs=-40.0)).hum_hz is None


def test_holes_are_counted_and_a_pause_is_none() -> None:
    """Exact zeros within sound, and what the source itself lost; not where the sound begins or is soft."""
    sound = quiet(10.0)
    sound[20_000 : 20_000 + 3 * HOLE] = 0
    sound[50_000 : 50_000 + HOLE // 2] = 0
    found = heard(sound)
    assert (found.holes, found.lost_s, found.advice) == (1, 0.03, ("lossy",))
    minutes = QuietMinutes()
    minutes.lose(RATE_HZ // 2)
    minutes.feed(quiet(10.0))
    assert (minutes.result().holes, minutes.result().lost_s) == (1, 0.5)


def test_clipping_is_counted_by_the_second() -> None:
    """Four seconds of a tone that is cut off; a single click is no clipping."""
    clipped = np.clip(tone(300, 4.0, peak_dbfs=0.0).astype(np.int32) * 2, -32_768, 32_767).astype(np.int16)
    click = quiet(1.0)
    click[100] = 32_767
    found = heard(quiet(60.0), clipped, click)
    assert found.clipped_s == 4
    assert found.advice == ("clipped",)


def test_minutes_that_were_not_quiet_say_so() -> None:
    """A fifth of them with a toy; the floor stays that of the rest."""
    found = heard(quiet(48.0), noise(12.0, rms_dbfs=-30.0))
    assert (found.stirred_s, found.advice) == (12, ("not_quiet",))
    assert found.floor_dbfs == pytest.approx(-60.0, abs=0.5)


@pytest.mark.parametrize(("dbfs", "advice"), [(-40.0, "noisy"), (-88.0, "too_low")])
def test_too_loud_and_too_soft_are_told(dbfs: float, advice: str) -> None:
    """A fan that drowns a cry; a microphone that gives nothing."""
    assert heard(quiet(20.0, dbfs)).advice == (advice,)


def test_a_quiet_that_nearly_rang_says_so() -> None:
    """The nearest moment counts; far from an alarm it is a figure, and no advice."""
    for shares, nearest, advice in (((0.0, 0.3, 0.1), 0.3, "good"), ((0.2, 0.5, 0.0), 0.5, "near_alarm")):
        minutes = QuietMinutes()
        minutes.feed(quiet(10.0))
        for share in shares:
            minutes.judged(share, 0.05)
        assert (minutes.result().nearest, minutes.result().advice) == (nearest, (advice,))


def test_nothing_and_silence_are_no_crash() -> None:
    """Before the first second, and of exact zeros."""
    assert QuietMinutes().result().heard_s == 0
    found = heard(silence(5.0))
    assert (found.heard_s, found.floor_dbfs, found.advice) == (5, -96.0, ("too_low",))


def test_it_is_done_after_ten_minutes() -> None:
    """Not a second earlier."""
    minutes = QuietMinutes()
    second = quiet(1.0)
    for _ in range(WHOLE_S - 1):
        minutes.feed(second)
    assert not minutes.done
    minutes.feed(second)
    assert minutes.done


FOUND = RoomSound(WHOLE_S, -60.0, 0, None, 0.0, 0, 0.0, 0, 0.0, ("good",), quiet_from=0.05)
"""Ten good minutes."""


@pytest.mark.parametrize(
    ("found", "gain_db", "threshold", "proposed"),
    [
        ({}, 0.0, 0.6, Proposal()),
        ({"floor_dbfs": -90.0}, 0.0, 0.6, Proposal(gain_db=20.0)),  # to the wanted -70
        ({"floor_dbfs": -96.0}, 12.0, 0.6, Proposal(gain_db=30.0)),  # 12 + 26 is more than there may be
        ({"floor_dbfs": -96.0}, 30.0, 0.6, Proposal()),
        ({"clipped_s": 3}, 20.0, 0.6, Proposal(gain_db=0.0)),  # what monitord made too loud, it can make softer
        ({"clipped_s": 3}, 0.0, 0.6, Proposal()),  # what the device made too loud, nobody can
        ({"nearest": 0.5, "quiet_from": 0.71}, 0.0, 0.6, Proposal(threshold=0.71)),
        ({"nearest": 0.4, "quiet_from": 0.3}, 0.0, 0.6, Proposal()),  # never lower
        ({"nearest": 1.0, "quiet_from": None}, 0.0, 0.6, Proposal()),  # no threshold helps
        ({"floor_dbfs": -90.0, "advice": ("not_quiet",)}, 0.0, 0.6, Proposal()),
        ({"floor_dbfs": -90.0, "heard_s": WHOLE_S - 1}, 0.0, 0.6, Proposal()),
    ],
)
def test_what_is_proposed(found: dict[str, Any], gain_db: float, threshold: float, proposed: Proposal) -> None:
    """Louder where next to nothing is heard, a higher threshold where the quiet came near an alarm; else nothing."""
    assert propose(replace(FOUND, **found), gain_db=gain_db, threshold=threshold) == proposed


def test_the_threshold_is_that_of_the_worst_second() -> None:
    """Of all that was judged; where one second allows no threshold, none does."""
    minutes = QuietMinutes()
    for share, quiet_from in ((0.1, 0.05), (0.6, 0.7), (0.2, 0.3)):
        minutes.judged(share, quiet_from)
    assert (minutes.result().nearest, minutes.result().quiet_from) == (0.6, 0.7)
    minutes.judged(1.0, None)
    minutes.judged(0.0, 0.05)
    assert minutes.result().quiet_from is None
