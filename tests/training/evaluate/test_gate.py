"""The table that the listener's settings rest on: what each setting would drop, of sounds where that is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitord.types import Pcm
from tests.support.sound.sounds import cry_in_room, noise, silence, tone
from tests.support.training.prepared import Take, prepared_from
from training.evaluate.gate import LEAST_DBFS, LEVELS_DB, MARGINS_DB, MODES, Row, _sounding, gate_table, markdown

N_ENERGY = len(LEAST_DBFS) * len(MARGINS_DB)
"""Settings of the energy gate alone, in front of those with the voice detector."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Of a loud cry in a quiet room, a second of loud noise in silence, and a recording nobody can label."""
    cry = cry_in_room(1.0, 0.0, rms_dbfs=-85)[:80_000]
    other = np.concatenate([silence(1.0), noise(1.0, rms_dbfs=-20), silence(2.0)])
    takes = [
        Take("cry", cry, is_cry=True, p_cry=0.9),
        Take("noise", other, is_cry=False),
        Take("unclear", tone(500, 1.0), is_cry=None, p_cry=0.9),
    ]
    return list(gate_table(prepared_from(tmp_path_factory.mktemp("gate"), takes)))


def test_a_row_for_each_setting(table: list[Row]) -> None:
    """Energy alone by margin and least level, then each aggressiveness of the voice detector on top."""
    assert len(table) == N_ENERGY + len(MODES)
    assert [row.setting for row in table[:2]] == [
        "energy, 4 dB over the floor, at least -66 dBFS",
        "energy, 6 dB over the floor, at least -66 dBFS",
    ]
    assert [row.setting for row in table[N_ENERGY:]] == [
        f"energy as chosen, and WebRTC mode {mode} decides" for mode in (0, 1, 2, 3)
    ]
    assert all(len(row.dropped) == len(LEVELS_DB) for row in table)


def test_energy_drops_no_loud_cry(table: list[Row]) -> None:
    """A cry 50 dB over its room reaches the network at every setting, as recorded and 20 dB quieter."""
    for row in table[:N_ENERGY]:
        assert row.dropped[:3] == (0.0, 0.0, 0.0)


def test_a_stricter_gate_drops_no_less(table: list[Row]) -> None:
    """More margin or more aggressiveness never lets a window through that less would drop."""
    for first in range(0, N_ENERGY, len(MARGINS_DB)):
        dropped = np.array([row.dropped for row in table[first : first + len(MARGINS_DB)]])
        assert (np.diff(dropped, axis=0) >= 0).all()
    assert all(0.0 <= share <= 1.0 for row in table for share in (*row.dropped, row.spared))


def test_silence_is_spared(table: list[Row]) -> None:
    """Of four seconds with one of noise the windows that end in it, or 0.2 s behind it, need the network: 5 of 16."""
    assert {row.spared for row in table[:N_ENERGY]} == {1 - 5 / 16}


def test_what_is_too_quiet_is_dropped(tmp_path: Path) -> None:
    """A tone at -50 dBFS is heard as recorded and lost 30 dB down, under the least level; silence is always spared."""
    takes = [Take("cry", tone(500, 3.0, peak_dbfs=-50), is_cry=True, p_cry=0.9)]
    made = prepared_from(tmp_path, [*takes, Take("silence", silence(1.0), is_cry=False)])
    # A tone is no voice, so no segment: said to be full of sound, it is a cry all the same.
    windows = replace(made.windows, sound=np.ones_like(made.windows.sound))
    table = list(gate_table(replace(made, windows=windows)))
    assert {row.dropped[0] for row in table[:N_ENERGY]} == {0.0}
    assert {row.dropped[3] for row in table[:N_ENERGY]} == {1.0}
    assert {row.spared for row in table} == {1.0}


def test_only_windows_that_still_sound_at_their_end_count() -> None:
    """Where the cry was over a quarter second ago an earlier window has it."""
    samples: Pcm = np.concatenate([silence(1.0), tone(500, 1.0), silence(1.0)])
    ends = np.arange(5, 13, dtype=np.int32) * 3_840  # 1.2 s .. 2.88 s
    assert (_sounding(samples, ends) / 3_840).tolist() == [5, 6, 7, 8, 9]  # 1.2 s .. 2.16 s


def test_the_table_as_text() -> None:
    """One line a setting, shares as percent, ready for the README."""
    text = markdown([Row("energy", (0.0, 0.00123, 0.5, 1.0), 0.875)])
    assert text.splitlines() == [
        "| setting | " + " | ".join(f"dropped at {db} dB" for db in (0, -10, -20, -30)) + " | other windows spared |",
        "|---|---|---|---|---|---|",
        "| energy | 0.00 % | 0.12 % | 50.00 % | 100.00 % | 87.5 % |",
    ]
