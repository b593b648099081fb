"""What gate and voice detector would cost: `monitord-train gate`, the table that the listener's settings rest on.

An energy gate and a speech detector may only save work. Every window in which a teacher hears a cry, and which still
sounds at its end, should reach the network; the table says how many do not, at each setting and level, and how much
of the other sound is spared. What drops more than 1 % may not decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from monitord.listening.gate import GateParams
from monitord.listening.listener import ListenerParams
from monitord.listening.segmenter import SegmenterParams
from monitord.listening.vad import VadParams
from monitord.listening.windows import WINDOW_SAMPLES, WindowParams
from monitord.types import RATE_HZ, Pcm
from training.data.prepared import Prepared
from training.data.windows import cut, hear
from training.label.targets import SURE_SHARE, cry_targets
from training.sound.augment import active_rms

MARGINS_DB: Final = (4.0, 6.0, 10.0)
LEAST_DBFS: Final = (-66.0, -75.0)
MODES: Final = (0, 1, 2, 3)
LEVELS_DB: Final = (0.0, -10.0, -20.0, -30.0)
"""Gain on the recordings (their windows' median is -18 dBFS): a phone beside the cot, across the room, at the door."""
LOUD_DB: Final = 12.0
"""Decibels under the window's active level down to which its last 0.24 s still sounds: where it does not, the cry was
over, and an earlier window has it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting's figures."""

    setting: str
    dropped: tuple[float, ...]
    """By gain: share of cry windows that the network would never see."""
    spared: float
    """Share of the windows without a cry that need no network."""


@dataclass(frozen=True, slots=True)
class _Sound:
    samples: Pcm
    ends: NDArray[np.int32]
    """Of the windows that matter (samples at 16 kHz)."""


def gate_table(prepared: Prepared) -> Iterator[Row]:
    """Yields a row per setting over all recordings with a known label: energy alone, then WebRTC's say on top."""
    targets = cry_targets(prepared)
    cries: list[_Sound] = []
    others: list[_Sound] = []
    for index, recording in enumerate(prepared.recordings):
        rows = prepared.windows.recording == index
        samples = prepared.audio(index)
        if recording.is_cry:
            cries.append(_Sound(samples, _sounding(samples, prepared.windows.end[rows & (targets >= SURE_SHARE)])))
        elif recording.is_cry is False:
            others.append(_Sound(samples, prepared.windows.end[rows]))
    energy = [replace(GateParams(), margin_db=m, least_dbfs=d) for d, m in product(LEAST_DBFS, MARGINS_DB)]
    chosen = ListenerParams()
    for gate in tqdm(energy, desc="energy gate"):
        setting = f"energy, {gate.margin_db:g} dB over the floor, at least {gate.least_dbfs:g} dBFS"
        yield _row(setting, cries, others, replace(chosen, gate=gate), voice=False)
    for mode in tqdm(MODES, desc="voice detector"):
        setting = f"energy as chosen, and WebRTC mode {mode} decides"
        yield _row(setting, cries, others, replace(chosen, vad=VadParams(mode)), voice=True)


def _row(setting: str, cries: list[_Sound], others: list[_Sound], params: ListenerParams, *, voice: bool) -> Row:
    # A quiet room: the rule that noisy rooms are scored throughout would hide what the gate does.
    params = replace(params, gate=replace(params.gate, noisy_dbfs=0.0))
    dropped = tuple(1.0 - _reached(cries, params, gain_db, voice=voice) for gain_db in LEVELS_DB)
    return Row(setting, dropped, 1.0 - _reached(others, params, 0.0, voice=voice))


def _sounding(samples: Pcm, ends: NDArray[np.int32]) -> NDArray[np.int32]:
    hop = WindowParams().hop_frames * SegmenterParams().frame_ms * RATE_HZ // 1000
    kept = []
    for end in ends.tolist():
        window = cut(samples, end, WINDOW_SAMPLES).astype(np.float32)
        tail = float(np.sqrt(np.mean(window[-hop:].astype(np.float64) ** 2)))
        kept.append(tail >= active_rms(window) * 10.0 ** (-LOUD_DB / 20.0))
    return ends[np.array(kept, np.bool_)]


def markdown(rows: list[Row]) -> str:
    """Writes the table for `training/README.md`."""
    lines = [
        "| setting | " + " | ".join(f"dropped at {g:g} dB" for g in LEVELS_DB) + " | other windows spared |",
        "|---" * (2 + len(LEVELS_DB)) + "|",
    ]
    for row in rows:
        dropped = " | ".join(f"{100 * share:.2f} %" for share in row.dropped)
        lines.append(f"| {row.setting} | {dropped} | {100 * row.spared:.1f} % |")
    return "\n".join(lines)


def _reached(sounds: list[_Sound], params: ListenerParams, gain_db: float, *, voice: bool) -> float:
    """Share of the windows that the network sees, by energy, or only while the voice detector keeps a segment open."""
    wanted = reached = 0
    for sound in sounds:
        quieter = np.rint(sound.samples * 10.0 ** (gain_db / 20.0)).astype(np.int16) if gain_db else sound.samples
        windows, segments = hear(quieter, params)
        seen = np.isin(sound.ends, [window.end for window in windows])
        if voice:
            up = np.zeros(len(seen), np.bool_)
            for segment in segments:
                up |= (sound.ends > segment.start) & (sound.ends <= segment.closed)
            seen &= up
        wanted += len(seen)
        reached += int(seen.sum())
    return reached / max(1, wanted)
