"""What a room sounds like while nobody makes a sound: noise, hum, holes and clipping, and what helps.

Ten quiet minutes show what an alarm would have to be heard over. Fed with sound at 16 kHz, second by second.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitord.hindsight import THRESHOLDS
from monitord.listening.gate import SILENCE_DBFS
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm

WHOLE_S: Final = 600
"""Seconds: a fridge, a heating or a fan goes on and off within ten minutes."""
QUIET_SHARE: Final = 0.2
"""Of the seconds, the quietest, whose loudest is the floor: what comes now and then is left out."""
STIR_DB: Final = 15.0
"""Decibels over the floor from which a second was not quiet: a turning child, a door."""
MOST_STIRRED: Final = 0.1
"""Share of such seconds from which the minutes were not quiet, and prove little."""
HOLE: Final = RATE_HZ // 100
"""Samples: 10 ms of exact zeros within sound that moves are a hole; no microphone is so still."""
CLIPPED: Final = 32_700
"""Magnitude from which a sample counts as clipped: codecs overshoot and undershoot full scale a little."""
CLIPPED_AT_ONCE: Final = 8
"""Clipped samples that make a second a clipped one: a single click is none."""
NOISY_DBFS: Final = -45.0
"""Floor (dBFS) from which a cry in the next room may drown: it comes in at some -40 there."""
DEAF_DBFS: Final = -85.0
"""Floor (dBFS) under which a microphone gives next to nothing: 16 bits end at -96."""
MAINS_HZ: Final = (50, 60)
"""Hertz of the mains, in Europe and in America; a hum is on their multiples."""
HARMONICS: Final = 6
"""Multiples that are looked at: a charger's or a dimmer's buzz is strongest in the first."""
HUM_DB: Final = 20.0
"""Decibels by which a line stands over its neighbours to be a hum that can be heard."""

LINES_HZ: Final = 400
"""Hertz up to which spectra are kept: the highest multiple, and its neighbours."""

NEAR: Final = 0.5
"""Share of the evidence for an alarm from which a quiet room is near one: twice as much, some night, is a false one."""

WANTED_FLOOR_DBFS: Final = -70.0
"""Floor (dBFS) that a deaf microphone is amplified to: six decibels over it lies what stands out of the room, well over
the -75 under which the gate takes nothing for sound, and loudness in rooms is compared over no lower floor."""
MOST_GAIN_DB: Final = 30.0
"""Most that a room is amplified (decibels): a cry 40 over such a floor is still no louder than full scale, and 16 bits
have no more to give."""

Advice = Literal["not_quiet", "near_alarm", "lossy", "clipped", "hum", "noisy", "too_low", "good"]
"""What to do, the most urgent first: try again at a quieter time; raise the threshold; mend the connection; turn it
down or move it away; move it from cables and chargers; move it closer to the bed; turn it up; nothing."""


@dataclass(frozen=True, slots=True)
class RoomSound:
    """What was found."""

    heard_s: int
    """Seconds that were heard."""
    floor_dbfs: float
    """Level of the room's own noise (dB re full scale)."""
    stirred_s: int
    """Seconds in which it was not quiet."""
    hum_hz: int | None
    """Hertz of the mains whose hum is there; None: no hum."""
    hum_db: float
    """How far its strongest line stands over the noise around it (decibels)."""
    holes: int
    """Places where sound is missing."""
    lost_s: float
    """Seconds that are missing there."""
    clipped_s: int
    """Seconds with clipped sound."""
    nearest: float
    """How near the quiet came to an alarm, 0 to 1: the most evidence for crying, as a share of what an alarm takes."""
    advice: tuple[Advice, ...]
    """What to do, the most urgent first."""
    quiet_from: float | None = None
    """The lowest threshold at which the quiet came less near than `NEAR`; None: no threshold does that."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """How the room would be heard better; None: as it is now."""

    gain_db: float | None = None
    """By how much louder than captured (decibels)."""
    threshold: float | None = None
    """Calibrated probability."""


def propose(found: RoomSound, *, gain_db: float, threshold: float) -> Proposal:
    """Returns what follows from quiet minutes for how the room is heard.

    Of minutes that were too few or not quiet, nothing does. A threshold is never lowered: quiet shows where it is too
    low for the room, but not why somebody put it higher.

    Args:
        found: In those minutes, with the gain in force.
        gain_db: In force (decibels).
        threshold: In force (calibrated probability).
    """
    if found.heard_s < WHOLE_S or "not_quiet" in found.advice:
        return Proposal()
    louder_db = round(min(gain_db + WANTED_FLOOR_DBFS - found.floor_dbfs, MOST_GAIN_DB))
    too_low, too_loud = found.floor_dbfs < DEAF_DBFS, found.clipped_s > 0 and gain_db > 0
    gain = 0.0 if too_loud else float(louder_db) if too_low and louder_db > gain_db else None
    near = found.nearest >= NEAR and found.quiet_from is not None and found.quiet_from > threshold
    return Proposal(gain, found.quiet_from if near else None)


class QuietMinutes:
    """Listens to a room's quiet minutes."""

    def __init__(self) -> None:
        self._rest: Pcm = np.empty(0, np.int16)
        self._levels: list[float] = []  # dBFS, by second
        self._spectra: list[NDArray[np.float32]] = []  # float32 [400], power by hertz, by second
        self._holes = self._lost = self._clipped_s = 0
        self._nearest = 0.0
        self._quiet_from: float | None = float(THRESHOLDS[0])

    @property
    def heard_s(self) -> int:
        """Seconds heard so far."""
        return len(self._levels)

    @property
    def done(self) -> bool:
        """Whether that is enough."""
        return self.heard_s >= WHOLE_S

    def lose(self, samples: int) -> None:
        """So many samples at 16 kHz are missing here."""
        self._holes += 1
        self._lost += samples

    def judged(self, share: float, quiet_from: float | None) -> None:
        """What the network makes of it now.

        Args:
            share: Its evidence for crying, as a share of what an alarm takes, 0 to 1.
            quiet_from: The lowest threshold at which that is less than `NEAR`; None: at none.
        """
        self._nearest = max(self._nearest, share)
        if self._quiet_from is not None:
            self._quiet_from = None if quiet_from is None else max(self._quiet_from, quiet_from)

    def feed(self, samples: Pcm) -> None:
        """Takes the next int16 [n] at 16 kHz."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // RATE_HZ * RATE_HZ
        self._rest = sound[whole:]
        for second in sound[:whole].reshape(-1, RATE_HZ):
            self._take(second)

    def result(self) -> RoomSound:
        """Returns what was found so far; of nothing, silence."""
        levels = np.array(self._levels or [SILENCE_DBFS])
        floor_dbfs = float(np.quantile(levels, QUIET_SHARE))
        stirred = levels > floor_dbfs + STIR_DB
        hum_hz, hum_db = self._hum(~stirred)
        found = RoomSound(
            heard_s=self.heard_s,
            floor_dbfs=round(floor_dbfs, 1),
            stirred_s=int(stirred.sum()),
            hum_hz=hum_hz if hum_db >= HUM_DB else None,
            hum_db=round(hum_db, 1),
            holes=self._holes,
            lost_s=round(self._lost / RATE_HZ, 2),
            clipped_s=self._clipped_s,
            nearest=round(self._nearest, 2),
            advice=(),
            quiet_from=self._quiet_from,
        )
        return replace(found, advice=_advice(found))

    def _take(self, second: Pcm) -> None:
        x = second / FULL_SCALE
        power = float(np.mean(np.square(x - x.mean())))
        self._levels.append(max(SILENCE_DBFS, 10 * np.log10(power)) if power else SILENCE_DBFS)
        # A second resolves one hertz, so that each bin is a whole number of hertz.
        spectrum = np.fft.rfft(x * np.hanning(len(x)))[:LINES_HZ]
        self._spectra.append(np.square(np.abs(spectrum)).astype(np.float32))
        self._clipped_s += int(np.count_nonzero(np.abs(second.astype(np.int32)) >= CLIPPED) >= CLIPPED_AT_ONCE)
        if power:
            for run in _zero_runs(second):
                self.lose(run)

    def _hum(self, quiet: NDArray[np.bool_]) -> tuple[int | None, float]:
        """Returns the mains' frequency whose lines stand out most (hertz), and by how much (decibels)."""
        if not self._spectra or not quiet.any():
            return None, 0.0
        power = np.mean(np.stack(self._spectra)[quiet], axis=0) + 1e-12  # float32 [400], a bin each hertz
        best: tuple[int | None, float] = (None, 0.0)
        for mains in MAINS_HZ:
            for line in range(mains, mains * (HARMONICS + 1), mains):
                around = np.r_[power[line - 12 : line - 4], power[line + 5 : line + 13]]
                over_db = float(10 * np.log10(power[line - 1 : line + 2].max() / np.median(around)))
                # 300 Hz is a multiple of both: the mains that was found first keeps it.
                if over_db > best[1] + 1e-9:
                    best = (mains, over_db)
        return best


def _zero_runs(second: Pcm) -> list[int]:
    """Lengths of the runs of exact zeros of at least `HOLE` samples that begin and end within the second."""
    edges = np.flatnonzero(np.diff(np.r_[False, second == 0, False].astype(np.int8)))
    runs = edges.reshape(-1, 2)
    inside = runs[(runs[:, 0] > 0) & (runs[:, 1] < len(second))]
    lengths = inside[:, 1] - inside[:, 0]
    return [int(length) for length in lengths if length >= HOLE]


def _advice(found: RoomSound) -> tuple[Advice, ...]:
    wrong: tuple[tuple[bool, Advice], ...] = (
        (found.stirred_s > MOST_STIRRED * max(found.heard_s, 1), "not_quiet"),
        (found.nearest >= NEAR, "near_alarm"),
        (found.holes > 0, "lossy"),
        (found.clipped_s > 0, "clipped"),
        (found.hum_hz is not None, "hum"),
        (found.floor_dbfs > NOISY_DBFS, "noisy"),
        (found.floor_dbfs < DEAF_DBFS, "too_low"),
    )
    return tuple(word for is_so, word in wrong if is_so) or ("good",)
