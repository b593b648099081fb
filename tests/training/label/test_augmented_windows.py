"""Augmented windows: drawn by seed and number alone, in the asked shares, never from what is held out or unknown."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from tests.support.paths import ROOT
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.drawing import augmented_windows, digest, digest_of
from tests.support.training.prepared import Take, on_disk, prepared_from
from training.data.prepared import Prepared, samples_of
from training.label.augmented_windows import HARD, LAUGH_SHARE, AugmentationParams, begun, pools
from training.label.targets import cry_targets
from training.sound.augment import active_rms
from training.sound.noises import hisses

NAMED = AugmentationParams(voice_share=0, unknown_share=0)
"""Only windows that somebody has named."""
PURE = replace(
    NAMED,
    p_noise=0,
    p_room=0,
    p_codec=0,
    p_speed=0,
    p_other_speed=0,
    p_hiss=0,
    jitter=0,
    level_dbfs=(-26.0, -26.0),
    p_wall=0,
    p_onset=0,
    mined_share=0,
)
"""Nothing is done to these but to set their level."""
CRY, CRY_TOO, CAT, RAIN, LAUGH, HELD_OUT, UNKNOWN = range(7)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Two kinds of cry, two kinds of other sound, a baby's laugh, and two recordings that may not be drawn."""
    takes = [
        Take("cry", synthetic_cry()[:40_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("cry_too", synthetic_cry(seed=2)[:40_000], is_cry=True, p_cry=0.9, kind="phone:ios"),
        Take("cat", noise(1.5, rms_dbfs=-20, seed=5), is_cry=False, kind="cat"),
        Take("rain", noise(3.0, rms_dbfs=-20), is_cry=False, kind="home:rain"),
        Take("laugh", noise(1.5, rms_dbfs=-25, seed=6), is_cry=None, p_cry=0.05, laugh=0.8, kind="phone:ios"),
        Take("held_out", tone(3_000, 2.0), is_cry=False, kind="dog", held_out=True),
        Take("unknown", tone(5_000, 2.0), is_cry=None, p_cry=0.1, kind="phone:ios"),
    ]
    return on_disk(prepared_from(tmp_path_factory.mktemp("views"), takes))


def rows_of(prepared: Prepared, drawn: list[Pcm]) -> list[int]:
    """The window that each augmented one is, up to its level; asserts that it is one."""
    every = np.stack(list(samples_of(prepared, np.arange(len(prepared.windows)), WINDOW_SAMPLES))).astype(np.float64)
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    out = []
    for window in drawn:
        alike = every @ (window / np.linalg.norm(window.astype(np.float64)))
        assert alike.max() > 0.9999  # rounding to 16 bits at this level is 70 dB under the sound
        out.append(int(alike.argmax()))
    return out


def test_the_same_seed_and_number_give_the_same_view(prepared: Prepared) -> None:
    """In any order; another number or another seed gives another window."""
    one, again = augmented_windows(prepared), augmented_windows(prepared)
    in_order = [one.draw(number) for number in range(12)]
    backwards = [again.draw(number) for number in reversed(range(12))][::-1]
    assert digest(in_order) == digest(backwards)
    assert len({x.tobytes() for x, _ in in_order}) == 12
    assert not np.array_equal(augmented_windows(prepared, seed=1).draw(0)[0], in_order[0][0])


def test_any_process_draws_the_same(prepared: Prepared) -> None:
    """A fresh interpreter with other hash seeds, reading the folder by itself, draws the very same windows."""
    code = (
        "import pathlib, sys; from tests.support.training import drawing\n"
        "print(drawing.digest_of(pathlib.Path(sys.argv[1])))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(prepared.folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest_of(prepared.folder)


def test_without_augmentation_a_view_is_a_window(prepared: Prepared) -> None:
    """The daemon's own window with its target; only of what is known and not held out."""
    drawer = augmented_windows(prepared, PURE)
    drawn = [drawer.draw(number) for number in range(60)]
    rows = rows_of(prepared, [x for x, _ in drawn])
    assert {x.dtype for x, _ in drawn} == {np.dtype(np.int16)}
    np.testing.assert_array_equal([cry for _, cry in drawn], cry_targets(prepared)[rows])
    assert set(prepared.windows.recording[rows].tolist()) == {CRY, CRY_TOO, CAT, RAIN, LAUGH}


@pytest.mark.parametrize(
    "changes",
    [
        {"p_noise": 1.0},
        {"p_room": 1.0},
        {"p_codec": 1.0},
        {"p_speed": 1.0, "p_other_speed": 1.0},
        {"p_hiss": 1.0},
        {"p_wall": 1.0},
        {"jitter": 1_920},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_augmentation_changes_the_sound_and_keeps_the_label(prepared: Prepared, changes: dict[str, Any]) -> None:
    """Each by itself, in every window."""
    changed = augmented_windows(prepared, replace(PURE, **changes))
    pure = augmented_windows(prepared, PURE)
    for number in range(8):
        x, cry = changed.draw(number)
        plain, label = pure.draw(number)
        assert cry == label
        assert x.shape == (WINDOW_SAMPLES,)
        apart = np.linalg.norm(x.astype(np.float64) - plain) / np.linalg.norm(plain.astype(np.float64))
        assert apart > 10 ** (-56 / 20)  # the softest hiss is 55 dB under the sound


def test_the_level_is_as_asked(prepared: Prepared) -> None:
    """Whatever was done before: loud moments between -40 and -20 dBFS, all over that range."""
    drawer = augmented_windows(prepared, replace(NAMED, level_dbfs=(-40.0, -20.0)))
    drawn = [drawer.draw(number)[0].astype(np.float32) / np.float32(FULL_SCALE) for number in range(60)]
    dbfs = [20 * np.log10(active_rms(x)) for x in drawn]
    assert -40.3 < min(dbfs) < -37
    assert -23 < max(dbfs) < -19.7


def kinds_of(prepared: Prepared, rows: NDArray[np.int64]) -> list[str]:
    return [prepared.recordings[of].kind for of in prepared.windows.recording[rows].tolist()]


def test_each_kind_is_drawn_as_often(prepared: Prepared) -> None:
    """However many windows it has; the kinds that are nearest to a cry, and many babies, three times as often."""
    every = np.arange(len(prepared.windows))
    rows = every[np.isin(prepared.windows.recording, [CRY_TOO, CAT, RAIN])]
    found = pools(prepared, rows)
    assert "cat" in HARD
    assert sorted(kinds_of(prepared, pool)[0] for pool in found) == ["cat"] * 3 + ["home:rain"] + ["phone:ios"] * 3
    assert all(len(set(kinds_of(prepared, pool))) == 1 for pool in found)
    assert sorted(set(np.concatenate(found).tolist())) == rows.tolist()


def test_laughs_are_drawn_and_shares_are_kept(prepared: Prepared) -> None:
    """Two fifths from cry recordings; of the rest one part rain, three parts cat, four parts a baby's laugh."""
    drawer = augmented_windows(prepared, PURE)
    drawn = [drawer.draw(number) for number in range(400)]
    counts = Counter(prepared.windows.recording[rows_of(prepared, [x for x, _ in drawn])].tolist())
    cries = counts[CRY] + counts[CRY_TOO]
    parts = 1 + 3 + LAUGH_SHARE
    expected = {RAIN: 240 / parts, CAT: 240 * 3 / parts, LAUGH: 240 * LAUGH_SHARE / parts}
    assert cries == pytest.approx(160, abs=40)  # four deviations of a binomial are 39
    for of, n in expected.items():
        assert counts[of] == pytest.approx(n, abs=4 * (n * (1 - n / 400)) ** 0.5)


def test_what_nobody_has_named_is_drawn_without_a_name(prepared: Prepared) -> None:
    """A share of it: windows of unknown recordings and made-up voices, never with a target; never what is held out."""
    drawer = augmented_windows(prepared, replace(PURE, unknown_share=0.5))
    drawn = [drawer.draw(number) for number in range(80)]
    of = prepared.windows.recording[rows_of(prepared, [x for x, _ in drawn])].tolist()
    assert of.count(UNKNOWN) == pytest.approx(40, abs=18)  # four deviations of a binomial
    assert HELD_OUT not in of
    assert all(np.isnan(cry) == (recording == UNKNOWN) for (_, cry), recording in zip(drawn, of, strict=True))
    voices = augmented_windows(prepared, replace(PURE, voice_share=1.0))
    made = [voices.draw(number) for number in range(4)]
    assert all(np.isnan(cry) for _, cry in made)
    assert len({x.tobytes() for x, _ in made}) == 4


def test_mistakes_are_drawn_more_often(prepared: Prepared) -> None:
    """Half of the other sound from the windows that were mined, and cries as often as before."""
    mined = np.flatnonzero(prepared.windows.recording == RAIN)[-2:]
    drawer = augmented_windows(prepared, replace(PURE, mined_share=0.5), mined=mined)
    rows = np.array(rows_of(prepared, [drawer.draw(number)[0] for number in range(200)]))
    # 120 others: 60 mined, and of the 60 others one in 8 from the 12 windows of rain.
    assert np.isin(rows, mined).sum() == pytest.approx(61, abs=27)  # four deviations of a binomial
    assert np.isin(prepared.windows.recording[rows], [CRY, CRY_TOO]).sum() == pytest.approx(80, abs=28)


def test_what_has_just_begun_keeps_its_end_and_its_name(prepared: Prepared) -> None:
    """Silence, then the last quarter to four fifths of a second; only of windows that are full of sound."""
    begins = augmented_windows(prepared, replace(PURE, p_onset=1.0))
    plain = augmented_windows(prepared, PURE)
    cut_short = 0
    for number in range(20):
        (x, cry), (whole, label) = begins.draw(number), plain.draw(number)
        first = int(np.flatnonzero(x)[0])
        assert cry == label or np.isnan(cry)
        if first > np.flatnonzero(whole)[0]:
            cut_short += 1
            assert 0.2 < (WINDOW_SAMPLES - first) / RATE_HZ < 0.81
            again = begun(whole.astype(np.float32), WINDOW_SAMPLES - first)
            assert np.corrcoef(again[first:], x[first:])[0, 1] > 0.999
    assert cut_short > 5


def test_hisses_fall_with_the_frequency() -> None:
    """From white noise to 6 dB an octave: the last one's lower half outweighs its upper half, the first one's not."""
    made = hisses(np.random.default_rng(0))
    powers = [np.abs(np.fft.rfft(hiss.astype(np.float64))) ** 2 for hiss in (made[0], made[-1])]
    shares = [float(power[: len(power) // 2].sum() / power.sum()) for power in powers]
    assert shares[0] == pytest.approx(0.5, abs=0.02)
    assert shares[1] > 0.98
    assert all(np.abs(hiss).max() == pytest.approx(1.0) for hiss in made)


def test_hisses_are_heard() -> None:
    """At most 10 dB of their level lies under 125 Hz, where the front end begins: a level of noise is a level heard."""
    for hiss in hisses(np.random.default_rng(0)):
        power = np.abs(np.fft.rfft(hiss.astype(np.float64))) ** 2  # of 10 s: 1,250 tenths of a hertz
        assert 10 * np.log10(power[1_250:].sum() / power.sum()) > -10
