"""False alarms of the fault detectors: every recording beside the checkout, and nights of the quietest microphones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from monitord.errors import MonitordError
from monitord.faults import FaultWatch
from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import noise
from training.data.recordings import load_audio

LEAST_S: Final = 30.0
"""Each recording is repeated up to this length (seconds): a fault takes six."""
NIGHT_S: Final = 8 * 3_600.0
"""Of each level of noise (seconds)."""
LEVELS_DBFS: Final = (-70.0, -80.0, -90.0, -96.0)
"""Of the microphones' own noise."""
ENDINGS: Final = {".opus", ".3gp", ".caf", ".flac", ".wav"}


def measure(data: Path) -> str:
    """Says how much was heard, and what of it was called broken."""
    lines = []
    for name, sounds in (("recordings", _recordings(data)), ("quiet microphones", _nights())):
        heard_s, broken = 0.0, []
        for what, sound in sounds:
            heard_s += len(sound) / RATE_HZ
            if said := _said(sound) - {"ok"}:
                dead = " (zeros from end to end)" if not sound.any() else ""
                broken.append(f"{what}: {', '.join(sorted(said))}{dead}")
        lines += [f"{name}: {heard_s / 3600:.1f} h, {len(broken)} called broken", *(f"  {each}" for each in broken)]
    return "\n".join(lines) + "\n"


def _recordings(data: Path) -> Iterator[tuple[str, Pcm]]:
    for path in sorted(path for path in data.rglob("*") if path.suffix in ENDINGS and path.parent.name != "rooms"):
        try:
            sound = load_audio(path)
        except MonitordError:
            continue  # holds no sound
        if len(sound):
            yield str(path.relative_to(data)), np.resize(sound, max(len(sound), round(LEAST_S * RATE_HZ)))


def _nights() -> Iterator[tuple[str, Pcm]]:
    for level in LEVELS_DBFS:
        minutes = np.concatenate([noise(60.0, rms_dbfs=level, seed=seed) for seed in range(10)])
        yield f"{level:g} dBFS", np.resize(minutes, round(NIGHT_S * RATE_HZ))


def _said(sound: Pcm) -> set[str]:
    watch, step = FaultWatch(), RATE_HZ // 10
    return {watch.feed(sound[start : start + step], RATE_HZ) for start in range(0, len(sound), step)}
