"""Streams: what is laid, whose, how loud, and that the same seed lays the same."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.errors import ConfigError
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import noise, silence, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared
from training.sound.augment import active_rms
from training.streams import takes
from training.streams.mixing import LAUGHING, Half, Stream, StreamParams, _takes, half_of, lay

BUSY = StreamParams(length_s=40.0, bed_s=(8.0, 15.0), every_s=2.0, cry_every_s=(4.0, 6.0), laugh_every=3)
"""Everything often, so that little sound shows it all."""
BARE = replace(BUSY, every_s=1e9, bed_dbfs=(-90.0, -90.0), cry_dbfs=(-24.0, -24.0))
"""Cries over hardly anything."""


def named(half: Half, what: str) -> str:
    """A name whose recordings are laid in this half."""
    return next(name for name in (f"{what}{number}" for number in count()) if half_of(f"home:{name}") == half)


def held_out(half: Half) -> list[Take]:
    """What one half is made of: a cry, rain, a cat, somebody laughing."""
    cry, rain, cat, laugh = (named(half, what) for what in ("cry", "rain", "cat", "laugh"))
    seed = "ab".index(half)
    return [
        Take(cry, synthetic_cry(seed=seed + 1)[:30_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
        Take(rain, noise(3.0, rms_dbfs=-20, seed=seed), is_cry=False, kind="rain", held_out=True),
        Take(cat, tone(700 + seed, 1.0), is_cry=False, kind="cat", held_out=True),
        Take(laugh, tone(500 + seed, 1.0), is_cry=False, kind=LAUGHING, held_out=True),
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Both halves, and four recordings that may not be laid."""
    forbidden = [
        Take(named("a", "shown"), synthetic_cry(seed=5)[:24_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take(named("a", "faint"), noise(1.5, rms_dbfs=-30), is_cry=True, p_cry=0.01, kind="phone:ios", held_out=True),
        Take(named("a", "unclear"), tone(900, 1.5), is_cry=None, p_cry=0.1, kind="phone:ios", held_out=True),
        Take(named("a", "familiar"), tone(900, 1.5), is_cry=False, kind="cow"),
    ]
    takes = [*held_out("a"), *held_out("b"), *forbidden]
    return prepared_from(tmp_path_factory.mktemp("streams"), takes)


def laid(prepared: Prepared, params: StreamParams, *, half: Half = "a", seed: int = 1, cries: bool = True) -> Stream:
    return next(iter(lay(prepared, half, hours=1, seed=seed, cries=cries, params=params)))


def level_dbfs(samples: Pcm) -> float:
    """Active level."""
    return 20 * float(np.log10(active_rms(samples.astype(np.float32) / np.float32(FULL_SCALE))))


@given(st.text())
def test_every_group_is_in_one_half(group: str) -> None:
    """Whatever its name, and always the same one."""
    assert half_of(group) in ("a", "b")
    assert half_of(group) == half_of(group)


def test_the_halves_are_of_a_size() -> None:
    """Of 200 groups neither gets under 70: four deviations of a fair coin."""
    halves = [half_of(f"home:{number}") for number in range(200)]
    assert min(halves.count("a"), halves.count("b")) > 70


@given(st.lists(st.integers(0, 5), min_size=6, max_size=12))
def test_the_halves_share_no_group(tmp_path_factory: pytest.TempPathFactory, groups: list[int]) -> None:
    """Recordings of whichever groups: what is laid in one half is of groups that the other never lays."""
    everything = _one_recording_of_six_groups(tmp_path_factory)
    takes = [everything.recordings[group] for group in groups]
    of = np.arange(len(groups))
    chosen = everything.windows
    rows = [np.flatnonzero(chosen.recording == group)[:1] for group in groups]
    windows = replace(
        chosen,
        **{name: np.concatenate([getattr(chosen, name)[row] for row in rows]) for name in chosen.__dataclass_fields__},
    )
    windows = replace(windows, recording=of.astype(np.int32))
    prepared = Prepared(everything.folder, everything.data, takes, windows)
    kinds = [{take.kind for take, _ in _takes(prepared, half)} for half in ("a", "b")]
    assert not kinds[0] & kinds[1]
    assert kinds[0] | kinds[1] == {f"kind{group}" for group in groups}


_SIX: list[Prepared] = []


def _one_recording_of_six_groups(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    if not _SIX:
        takes = [Take(f"g{i}", tone(400, 0.5), is_cry=False, kind=f"kind{i}", held_out=True) for i in range(6)]
        _SIX.append(prepared_from(tmp_path_factory.mktemp("groups"), takes))
    return _SIX[0]


def test_only_what_is_held_out_and_sure_is_laid(prepared: Prepared) -> None:
    """Cries in which a teacher hears one, other sound that everybody calls so, of this half and of no other."""
    for half in ("a", "b"):
        takes = list(_takes(prepared, half))
        assert sorted(take.kind for take, _ in takes) == ["cat", "cry", LAUGHING, "rain"]
        assert [take.kind for take, is_cry in takes if is_cry] == ["cry"]
        assert all(active_rms(take.wave) == pytest.approx(1.0, abs=1e-3) for take, _ in takes)


def test_a_cry_begins_and_ends_where_a_teacher_hears_it(tmp_path: Path) -> None:
    """What lies before the first confirmed window and behind the last is not laid, nor is silence at its edges."""
    sound = np.concatenate([noise(2.4, rms_dbfs=-20), tone(450, 2.4), noise(2.4, rms_dbfs=-20)])
    windows = len(sound) // 3_840
    p_cry = [0.9 if 3.4 < (number + 1) * 0.24 < 4.7 else 0.0 for number in range(windows)]  # within the tone
    name = named("a", "baby")
    made = prepared_from(tmp_path, [Take(name, sound, is_cry=True, p_cry=p_cry, held_out=True)])
    ((take, _),) = _takes(made, "a")
    assert 1.0 < len(take.wave) / RATE_HZ < 2.4
    spectrum = np.abs(np.fft.rfft(take.wave))
    assert spectrum.argmax() * RATE_HZ / len(take.wave) == pytest.approx(450, abs=1)


def whole(tmp_path: Path, sound: Pcm, p_cry: list[float]) -> list[takes.Take]:
    """What is laid of one cry recording."""
    name = named("a", "baby")
    return [
        take
        for take, _ in _takes(
            prepared_from(tmp_path, [Take(name, sound, is_cry=True, p_cry=p_cry, held_out=True)]), "a"
        )
    ]


def test_neither_talk_nor_a_click_is_an_onset(tmp_path: Path) -> None:
    """A voice, a click, then the cry at 3 s, first heard in the window that ends at 3.36 s: it begins at 3 s."""
    sound = np.concatenate([tone(200, 1.5), silence(1.0), tone(3_000, 0.02), silence(0.48), tone(450, 2.0)])
    p_cry = [0.9 if (number + 1) * 0.24 > 3.3 else 0.0 for number in range(len(sound) // 3_840)]
    (take,) = whole(tmp_path, sound, p_cry)
    assert take.teacher_hears == (14 * 3_840) - 3 * RATE_HZ  # at 3.36 s
    assert len(take.wave) / RATE_HZ == pytest.approx(2.0, abs=0.25)  # its end lies in the last whole window
    assert np.abs(take.wave[:320]).max() > 0.5  # at active level 1
    quarter = np.abs(np.fft.rfft(take.wave[:4_000]))
    assert quarter.argmax() * RATE_HZ / 4_000 == pytest.approx(450, abs=4)


def test_less_than_a_second_is_no_episode(tmp_path: Path) -> None:
    """However surely it is a cry."""
    brief = np.concatenate([silence(1.0), tone(450, 0.7), silence(1.0)])
    p_cry = [0.9 if 1.3 < (number + 1) * 0.24 < 2.0 else 0.0 for number in range(len(brief) // 3_840)]
    assert whole(tmp_path, brief, p_cry) == []


def test_what_no_teacher_surely_hears_is_no_episode(tmp_path: Path) -> None:
    """Over its own loud moments it is a cry, and lower than 0.3 throughout."""
    assert len(whole(tmp_path / "heard", tone(450, 1.9), [0.3] * 7)) == 1
    assert whole(tmp_path / "unheard", tone(450, 1.9), [0.29] * 7) == []


def test_every_family_cries_as_often(tmp_path: Path) -> None:
    """One recording of one family, six of another: each cries every second time, give or take the last."""
    one, many, rain = named("a", "one"), named("a", "many"), named("a", "rain")
    takes = [Take(one, tone(400, 1.5), is_cry=True, p_cry=0.9, held_out=True)]
    takes += [Take(f"m{i}", tone(500 + i, 1.5), is_cry=True, p_cry=0.9, group=many, held_out=True) for i in range(6)]
    takes += [Take(rain, noise(2.0, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True)]
    stream = laid(prepared_from(tmp_path, takes), replace(BARE, length_s=120.0))
    of = [np.abs(np.fft.rfft(stream.samples[cry.start : cry.start + 16_000].astype(float))) for cry in stream.cries]
    ones = sum(int(spectrum.argmax() < 450) for spectrum in of)
    assert len(of) > 15
    assert abs(2 * ones - len(of)) <= 1


def test_a_doubted_upload_is_neither_a_cry_nor_none(tmp_path: Path) -> None:
    """A phone's upload that counts as no cry but holds a whimper is not laid; the same sound of another set is."""
    whimper = [0.0] * 5 + [0.2]
    names = {
        dataset: next(f"x{i}" for i in count() if half_of(f"{dataset}:x{i}") == "a")
        for dataset in ("donateacry", "home")
    }
    takes = [
        Take(names["donateacry"], tone(400, 1.5), is_cry=False, p_cry=whimper, held_out=True, dataset="donateacry"),
        Take(names["home"] + "_", tone(400, 1.5), is_cry=False, p_cry=whimper, group=names["home"], held_out=True),
    ]
    made = prepared_from(tmp_path, takes)
    assert len(list(_takes(made, "a"))) == 1


def test_the_same_seed_lays_the_same(prepared: Prepared) -> None:
    """Another seed, another number, and a stream without cries are each another."""
    streams = list(lay(prepared, "a", hours=2, seed=1, cries=True, params=BUSY))
    again = laid(prepared, BUSY)
    np.testing.assert_array_equal(streams[0].samples, again.samples)
    assert (streams[0].cries, streams[0].sounds) == (again.cries, again.sounds)
    # The teachers are sure of every window of these, from the first on.
    assert all(cry.teacher_hears and 0 < cry.teacher_hears - cry.start < RATE_HZ for cry in again.cries)
    others = [streams[1], laid(prepared, BUSY, seed=2), laid(prepared, BUSY, cries=False)]
    assert all(other.sounds != again.sounds for other in others)


def test_cries_come_at_their_level(prepared: Prepared) -> None:
    """-24 dBFS was asked; the soft ends, 50 ms each, cost less than half a decibel."""
    stream = laid(prepared, BARE)
    assert len(stream.samples) == 40 * RATE_HZ
    assert len(stream.cries) >= 5
    for cry in stream.cries:
        assert level_dbfs(stream.samples[cry.start : cry.end]) == pytest.approx(-24, abs=0.5)
    beginnings = np.diff([cry.start for cry in stream.cries]) / RATE_HZ
    assert BARE.cry_every_s[0] <= beginnings.min() <= beginnings.max() <= BARE.cry_every_s[1]


def test_the_ratio_is_that_of_active_levels(prepared: Prepared) -> None:
    """Over a bed of -40 dBFS a cry of -24 stands at 16 dB, and nothing but the bed is heard between cries."""
    stream = laid(prepared, replace(BARE, bed_dbfs=(-40.0, -40.0)))
    assert [cry.snr_db for cry in stream.cries] == pytest.approx([16.0] * len(stream.cries), abs=1.0)
    between = stream.samples[stream.cries[0].end : stream.cries[1].start]
    assert level_dbfs(between) == pytest.approx(-40, abs=1)


def test_no_cry_lies_deeper_than_the_worst_ratio(prepared: Prepared) -> None:
    """A cry of -24 dBFS over a bed of -20, at worst 10 dB over it, is turned up to -10."""
    loud = replace(BARE, bed_dbfs=(-20.0, -20.0), worst_snr_db=10.0)
    stream = laid(prepared, loud)
    assert [cry.snr_db for cry in stream.cries] == pytest.approx([10.0] * len(stream.cries))
    for cry in stream.cries:
        assert level_dbfs(stream.samples[cry.start : cry.end]) == pytest.approx(-10, abs=1.5)


def test_ratios_stay_over_the_worst_in_a_busy_home(prepared: Prepared) -> None:
    """With all the noise there is, as reported for each cry."""
    streams = [laid(prepared, BUSY, half=half) for half in ("a", "b")]
    ratios = [cry.snr_db for stream in streams for cry in stream.cries]
    assert min(ratios) >= BUSY.worst_snr_db - 1e-9
    assert len(set(ratios)) == len(ratios)


def test_too_loud_is_cut_and_does_not_wrap(tmp_path: Path) -> None:
    """At full scale and beyond: a slow tone stays as smooth as it was, only flat at the top."""
    name, other = named("a", "baby"), named("a", "rain")
    takes = [
        Take(name, tone(300, 2.0), is_cry=True, p_cry=0.9, held_out=True),
        Take(other, noise(1.0, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True),
    ]
    stream = laid(prepared_from(tmp_path, takes), replace(BARE, cry_dbfs=(3.0, 3.0)))
    assert stream.samples.max() == 32_767
    # A sine of 3 dBFS root mean square has its peak at 2.0: steepest 2 * 2 pi 300 / 16,000 of full scale a sample.
    assert np.abs(np.diff(stream.samples.astype(int))).max() < 1.1 * 2 * 2 * np.pi * 300 / 16_000 * 32_768


def test_without_cries_nobody_cries(prepared: Prepared) -> None:
    """The quiet hours hold all else: every kind, one sound in three a laugh."""
    stream = laid(prepared, replace(BUSY, length_s=120.0, every_s=0.5), cries=False)
    assert stream.cries == ()
    kinds = [sound.kind for sound in stream.sounds]
    assert set(kinds) == {"cat", "rain", LAUGHING}
    assert kinds.count(LAUGHING) / len(kinds) == pytest.approx(1 / 3, abs=0.13)  # 4 deviations of 240 draws
    assert kinds.count("cat") / len(kinds) == pytest.approx(1 / 3, abs=0.13)
    assert all(0 < sound.start < sound.end <= len(stream.samples) for sound in stream.sounds)


def test_a_home_has_its_own_sounds(prepared: Prepared) -> None:
    """Four of five sounds that are no laugh are the cat's; of two kinds it would be one of two."""
    own = replace(BUSY, length_s=120.0, every_s=0.5, own=("ca",), own_share=0.6)
    kinds = [sound.kind for sound in laid(prepared, own, cries=False).sounds if sound.kind != LAUGHING]
    assert kinds.count("cat") / len(kinds) == pytest.approx(0.8, abs=0.13)  # 4 deviations of 160 draws


def _alone(takes: Iterable[Take]) -> list[Take]:
    return [take for take in takes if take.is_cry is not True]


def test_a_half_without_cries_or_without_anything_else_is_refused(tmp_path: Path) -> None:
    """By the folder and the half; quiet hours need no cries."""
    without = prepared_from(tmp_path / "without", _alone(held_out("a")))
    with pytest.raises(ConfigError, match="held-out cries that a teacher hears in both halves, found none in a"):
        laid(without, BUSY)
    assert laid(without, BUSY, cries=False).sounds
    with pytest.raises(ConfigError, match="held-out other sound in both halves, found none in b"):
        laid(without, BUSY, half="b", cries=False)
