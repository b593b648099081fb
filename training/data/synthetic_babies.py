"""Ten virtual babies who cry for four reasons, with the counts of the paper's private data set. No recording is in it.

What tells a reason is what people say they listen for: how the melody goes, how long a cry sound is, how rough it is,
how much it wavers. Each baby has a voice of its own and says each reason in a dialect of its own; each recording has
its mood, its room, its microphone, its distance and its noise; and no two cry sounds are alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.synthetic.synthetic_cry import FORMANTS, Burst, Room, Signal, Voice, burst_sound, drift, in_room
from monitord.types import RATE_HZ, REASONS

MELODY_AT: Final = (0.0, 0.1, 0.35, 0.7, 1.0)
"""Corners of every melody (share of the cry sound)."""
MELODY_RANGE: Final = (0.4, 1.1)
"""Lowest and highest corner of a melody (share of the top pitch): no baby's voice cracks."""
LENGTH_S: Final = (0.2, 2.4)
"""Shortest and longest cry sound (seconds): the method's 0.18 to 2.5 s, less what the room may add."""
TAIL_S: Final = 0.06
"""Seconds of the room that belong to the clip after the voice."""
CLIPS_PER_RECORDING: Final = 9
"""About so many cry sounds a phone records in one go."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a reason sounds: where all babies agree."""

    melody: tuple[float, ...]
    """Pitch at `MELODY_AT` (share of the top pitch)."""
    duration_s: float
    """Typical length (seconds)."""
    pitch: float
    """Top pitch (share of the baby's own)."""
    rough: float
    """0 clean, 1 harsh."""
    waver: float
    """Depth of the vibrato (share of the pitch)."""


STYLES: Final = {
    "hunger": Style((0.68, 0.90, 1.00, 0.94, 0.66), 0.85, 1.00, 0.20, 0.006),  # rises and falls, evenly
    "boredom": Style((0.74, 0.76, 0.80, 0.90, 1.00), 0.55, 0.94, 0.05, 0.008),  # a short whine that asks
    "tiredness": Style((0.98, 1.00, 0.92, 0.80, 0.66), 1.25, 0.90, 0.12, 0.030),  # long, sinking, wavering
    "discomfort": Style((0.90, 1.00, 0.99, 0.97, 0.90), 1.45, 1.12, 0.75, 0.010),  # at once, high, long, harsh
}
"""By reason."""

DIALECT: Final = 0.35
"""How far a baby's way of saying a reason leans towards another reason's, up to this share of the way. All four lean
round one circle, so that who knows the baby can tell them apart, and who does not takes some for the next."""
MOOD: Final = 0.08
"""How far all cry sounds of one recording lean towards any reason's style: up to this share of the way."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How unlike each other things are: deviations."""

    duration: float
    """Of the length (natural logarithm)."""
    pitch: float
    """Of the pitch (natural logarithm)."""
    rough: float
    melody: float
    """Of each corner (share of the top pitch)."""


RECORDINGS: Final = Spread(0.15, 0.03, 0.06, 0.015)
"""Between recordings of one baby and reason: those of one are alike, and random folds use it."""
CLIPS: Final = Spread(0.16, 0.02, 0.05, 0.012)
"""Between cry sounds of one recording."""


@dataclass(frozen=True, slots=True)
class Baby:
    """One virtual baby."""

    name: str
    months: int
    sex: str
    """`boy` or `girl`."""
    clips: tuple[int, int, int, int]
    """Cry sounds by reason, in the order of `REASONS`."""


BABIES: Final = (
    Baby("b01", 1, "boy", (35, 0, 0, 9)),
    Baby("b02", 1, "boy", (30, 6, 4, 12)),
    Baby("b03", 1, "girl", (14, 144, 24, 0)),
    Baby("b04", 1, "girl", (20, 1, 6, 2)),
    Baby("b05", 2, "boy", (56, 76, 38, 14)),
    Baby("b06", 2, "boy", (14, 28, 2, 106)),
    Baby("b07", 3, "boy", (14, 12, 28, 17)),
    Baby("b08", 3, "girl", (20, 31, 30, 20)),
    Baby("b09", 3, "girl", (0, 14, 9, 0)),
    Baby("b10", 4, "girl", (2, 0, 11, 3)),
)
"""Ages, sexes and counts of the paper's Table 1: 852 cry sounds."""


@dataclass(frozen=True, slots=True)
class CrySound:
    """One clip."""

    baby: Baby
    label: str
    recording: str
    sound: Signal
    """[samples] at 16 kHz, 1 is full scale."""


def cry_sounds(seed: int, babies: tuple[Baby, ...] = BABIES) -> Iterator[CrySound]:
    """Yields every clip of every baby, baby by baby, reason by reason. The same seed, the same samples."""
    for number, baby in enumerate(babies):
        own = np.random.default_rng([seed, number])
        person = _Person.born(baby, own)
        for label, count in zip(REASONS, baby.clips, strict=True):
            style = person.styles[label]
            recordings = -(-count // CLIPS_PER_RECORDING)
            for recording, clips in enumerate(np.array_split(np.arange(count), recordings) if recordings else []):
                rng = np.random.default_rng([seed, number, REASONS.index(label), recording])
                place = _Place.found(rng)
                mood = _lean(style, STYLES[REASONS[rng.integers(len(REASONS))]], MOOD * rng.random())
                mood = _spread(mood, RECORDINGS, rng)
                name = f"{baby.name}-{label}-{recording + 1}"
                for _ in clips:
                    yield CrySound(baby, label, name, place.record(person.cry(mood, rng), rng))


@dataclass(frozen=True, slots=True)
class _Person:
    """A baby's voice and dialect."""

    pitch_hz: float
    voice: Voice
    styles: dict[str, Style]

    @staticmethod
    def born(baby: Baby, rng: np.random.Generator) -> "_Person":
        # Older is longer: 2 % of the vocal tract a month, and as much again between babies of one age.
        tract = (1.05 - 0.02 * baby.months) * np.exp(0.06 * rng.standard_normal())
        formants = tuple((centre * tract, bandwidth * rng.uniform(0.8, 1.25)) for centre, bandwidth in FORMANTS)
        voice = Voice(formants, (0.0, rng.uniform(4.0, 7.0)), rng.uniform(0.01, 0.04))
        share = DIALECT * rng.random()
        circle = rng.permutation(len(REASONS))
        styles = {
            REASONS[ours]: _lean(STYLES[REASONS[ours]], STYLES[REASONS[theirs]], share)
            for ours, theirs in zip(circle, np.roll(circle, 1), strict=True)
        }
        return _Person(rng.uniform(390.0, 530.0), voice, styles)

    def cry(self, style: Style, rng: np.random.Generator) -> Signal:
        said = _spread(style, CLIPS, rng)
        burst = Burst(
            duration_s=float(np.clip(said.duration_s, *LENGTH_S)),
            pitch_hz=self.pitch_hz * said.pitch,
            rough=said.rough,
            level=1.0,
            gap_s=0.0,
            melody=tuple(zip(MELODY_AT, said.melody, strict=True)),
        )
        voice = Voice(self.voice.formants, (said.waver, self.voice.vibrato[1]), self.voice.air)
        return burst_sound(burst, voice, rng)


@dataclass(frozen=True, slots=True)
class _Place:
    """What one recording adds."""

    room: Room
    peak_dbfs: float
    noise_dbfs: float
    """Level of the room's noise, full scale."""
    noise_hz: float
    """Corner above which the noise falls (hertz)."""
    bright: float
    """Of the microphone: -1 dull to 1 bright."""

    @staticmethod
    def found(rng: np.random.Generator) -> "_Place":
        room = Room(rng.uniform(0.004, 0.03), rng.uniform(0.15, 0.6))
        peak_dbfs = rng.uniform(-20.0, -3.0)
        return _Place(
            room, peak_dbfs, peak_dbfs - rng.uniform(28.0, 50.0), rng.uniform(200.0, 3000.0), rng.uniform(-0.3, 0.3)
        )

    def record(self, dry: Signal, rng: np.random.Generator) -> Signal:
        n = len(dry) + round(TAIL_S * RATE_HZ)
        sound = np.pad(in_room(dry, self.room, rng), (0, n))[:n]
        sound = sound - self.bright * np.concatenate([sound[:1], sound[:-1]])
        peak = 10 ** (self.peak_dbfs / 20) * rng.uniform(0.6, 1.0)
        noise: NDArray[np.float64] = 10 ** (self.noise_dbfs / 20) * drift(n, self.noise_hz, rng)
        return np.asarray(np.clip(sound * peak / np.abs(sound).max() + noise, -1.0, 1.0))


def _lean(style: Style, other: Style, share: float) -> Style:
    """Leans a style towards another one, by a share of the way from 0 to 1."""

    def between(ours: float, theirs: float) -> float:
        return (1 - share) * ours + share * theirs

    return Style(
        melody=tuple(between(a, b) for a, b in zip(style.melody, other.melody, strict=True)),
        duration_s=between(style.duration_s, other.duration_s),
        pitch=between(style.pitch, other.pitch),
        rough=between(style.rough, other.rough),
        waver=between(style.waver, other.waver),
    )


def _spread(style: Style, spread: Spread, rng: np.random.Generator) -> Style:
    """A style like this one."""
    return Style(
        melody=tuple(
            float(np.clip(pitch + spread.melody * rng.standard_normal(), *MELODY_RANGE)) for pitch in style.melody
        ),
        duration_s=style.duration_s * float(np.exp(spread.duration * rng.standard_normal())),
        pitch=style.pitch * float(np.exp(spread.pitch * rng.standard_normal())),
        rough=float(np.clip(style.rough + spread.rough * rng.standard_normal(), 0.0, 1.0)),
        waver=style.waver,
    )
