"""Hours of household sound with cries laid over them at known levels, from recordings that training never saw.

Two halves are built from different families and sounds, so that thresholds chosen on one can be judged on the other.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from monitord.errors import ConfigError
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.data.prepared import Prepared
from training.label.laughs import KIND
from training.label.targets import DOUBTED_FROM, SURE_SHARE, cry_targets
from training.sound.augment import Wave, active_rms, fit
from training.sound.noises import hisses
from training.streams.takes import Take, cry_span, sound_span, take

Half = Literal["a", "b"]
HALVES: Final[tuple[Half, Half]] = ("a", "b")
LEARNT: Final = "learnt"
"""The part of the recordings that training may see."""
Part = Half | Literal["learnt"]

LAUGHING: Final = "laughing"
"""ESC-50's kind that babies' laughs are in."""
LAUGHS: Final = frozenset({LAUGHING, KIND})
"""Kinds of which one sound in `StreamParams.laugh_every` is, each as often as the other."""
STEADY: Final = frozenset(
    {"rain", "wind", "vacuum_cleaner", "washing_machine", "crackling_fire", "snoring", "clock_tick", "breathing"}
    | {"home:summer-night", "home:train"}
)
"""Kinds that can go on for minutes: what lies under everything."""
HEARD_FROM: Final = 0.3
"""Score of either teacher, in one window, from which a recording's cry is laid: what neither hears may be a cry to a
corpus that judged whole uploads, and is nobody's example of a miss."""
LEAST_CRY_S: Final = 1.0
"""Seconds that a cry lasts at least: less is no episode."""
FADE_S: Final = 0.05
"""Seconds over which a laid sound comes and goes: no click where it was cut."""


@dataclass(frozen=True, slots=True)
class StreamParams:
    """How loud and how often: a home by day, a good deal busier than a night."""

    length_s: float = 3600.0
    """Seconds of a stream."""
    cry_dbfs: tuple[float, float] = (-36.0, -18.0)
    """Active level of cries (dBFS): at the door, beside the cot."""
    sound_dbfs: tuple[float, float] = (-45.0, -20.0)
    """Active level of other sounds (dBFS)."""
    bed_dbfs: tuple[float, float] = (-70.0, -40.0)
    """Level of the steady sound under all (dBFS); it changes every `bed_s`."""
    bed_s: tuple[float, float] = (60.0, 240.0)
    """Seconds that one steady sound lasts."""
    every_s: float = 20.0
    """Mean seconds from one other sound's beginning to the next."""
    laugh_every: int = 10
    """One sound in so many is a laugh."""
    own: tuple[str, ...] = ()
    """How the kinds begin that this home has more of than others: its cat, its children."""
    own_share: float = 0.5
    """Share of the sounds, laughs aside, that are of these, each kind as often as another."""
    cry_every_s: tuple[float, float] = (60.0, 115.0)
    """Seconds from one cry's beginning to the next: longer than a cry and an episode's hold."""
    worst_snr_db: float = -15.0
    """Decibels of a cry over what else sounds while it lasts; a cry that would lie deeper is turned up to this."""


@dataclass(frozen=True, slots=True)
class Laid:
    """One recording's place in a stream."""

    kind: str
    start: int
    """First sample of its first sound (samples at 16 kHz)."""
    end: int
    """One past the last."""
    snr_db: float = 0.0
    """Of a cry over everything else while it lasts (decibels, active levels)."""
    teacher_hears: int | None = None
    """Of a cry: where the first window ends in which either teacher hears it, alone (samples at 16 kHz)."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A while at a home."""

    samples: Pcm
    cries: tuple[Laid, ...]
    sounds: tuple[Laid, ...]
    """Everything else that came and went."""


def half_of(group: str) -> Half:
    """Says in which half a group's recordings are laid, by a hash of its name."""
    return "a" if hashlib.sha256(f"half:{group}".encode()).digest()[0] % 2 == 0 else "b"


def lay(
    prepared: Prepared, part: Part, *, hours: int, seed: int, cries: bool, params: StreamParams | None = None
) -> Iterator[Stream]:
    """Yields streams of one hour each (`length_s`), from one part of the recordings.

    Args:
        prepared: What `prepare` wrote.
        part: Which recordings.
        hours: How many.
        seed: Of all chance.
        cries: Whether babies cry in them.
        params: Levels and densities.

    Raises:
        ConfigError: The part holds no cries, or no other sound, to lay.
    """
    params = params or StreamParams()
    takes = list(_takes(prepared, part))
    babies = [one for one, is_cry in takes if is_cry]
    others = [one for one, is_cry in takes if not is_cry]
    if not others or (cries and not babies):
        missing = "other sound" if not others else "cries that a teacher hears"
        if part == LEARNT:
            raise ConfigError(f"{prepared.folder}: streams to learn from need {missing}, found none")
        raise ConfigError(f"{prepared.folder}: streams need held-out {missing} in both halves, found none in {part}")
    for number in range(hours):
        rng = np.random.default_rng((seed, (*HALVES, LEARNT).index(part), number, int(cries)))
        yield _hour(babies if cries else [], others, params, rng)


def _takes(prepared: Prepared, part: Part) -> Iterator[tuple[Take, bool]]:
    """Recordings of a part; of a cry what lies between its onset and its last window in which a teacher hears it."""
    targets, windows = cry_targets(prepared), prepared.windows
    for index, recording in enumerate(prepared.recordings):
        group = f"{recording.dataset}:{recording.group}"
        if (half_of(group) if recording.held_out else LEARNT) != part:
            continue
        rows = np.flatnonzero(windows.recording == index)
        samples = prepared.audio(index)
        either = np.maximum(windows.mn04[rows], windows.yamnet[rows])
        loudest = float(either.max(initial=0.0))
        if recording.is_cry:
            ends = windows.end[rows[targets[rows] >= SURE_SHARE]].tolist() if loudest >= HEARD_FROM else []
            begin, end = cry_span(samples, ends[0], ends[-1]) if ends else (0, 0)
            if end - begin >= LEAST_CRY_S * RATE_HZ:
                told = windows.end[rows[either >= HEARD_FROM]]
                hears = int(min(told[told > begin], default=end)) - begin
                yield take("cry", samples[begin:end], group, hears), True
            continue
        # An upload that was judged as a whole and holds a whimper is neither a cry nor none.
        doubted = recording.dataset == "donateacry" and loudest >= DOUBTED_FROM
        if recording.is_cry is False and not doubted and np.any(samples):
            begin, end = sound_span(samples)
            yield take(recording.kind, samples[begin:end], group), False


def _hour(babies: list[Take], others: list[Take], params: StreamParams, rng: np.random.Generator) -> Stream:
    n = int(params.length_s * RATE_HZ)
    beside = _bed(others, n, params, rng)
    sounds = _lay_sounds(beside, others, params, rng)
    mixed = beside.copy()
    cries = _lay_cries(mixed, beside, babies, params, rng) if babies else []
    samples = np.rint(np.clip(mixed, -1.0, 1.0) * (FULL_SCALE - 1)).astype(np.int16)
    return Stream(samples, tuple(cries), tuple(sounds))


def _bed(others: list[Take], n: int, params: StreamParams, rng: np.random.Generator) -> Wave:
    steady = [other.wave for other in others if other.kind in STEADY] + hisses(rng)
    bed = np.empty(n, np.float32)
    at = 0
    while at < n:
        length = min(n - at, int(rng.uniform(*params.bed_s) * RATE_HZ))
        wave = fit(steady[rng.integers(len(steady))], length, rng)
        level = active_rms(wave) or 1.0  # the last piece of an hour may be a pause in the ticking of a clock
        bed[at : at + length] = wave * np.float32(_amplitude(rng.uniform(*params.bed_dbfs)) / level)
        at += length
    return bed


def _lay_sounds(out: Wave, others: list[Take], params: StreamParams, rng: np.random.Generator) -> list[Laid]:
    """Adds sounds to `out`, each kind as often as any other, one in so many a laugh."""
    kinds: dict[str, list[Wave]] = {}
    for other in others:
        kinds.setdefault(other.kind, []).append(other.wave)
    laughs, names = sorted(kinds.keys() & LAUGHS), sorted(kinds.keys() - LAUGHS)
    own = [name for name in names if name.startswith(params.own)] if params.own else []
    laid: list[Laid] = []
    at = int(rng.exponential(params.every_s) * RATE_HZ)
    while at < len(out):
        laugh = bool(laughs) and rng.integers(params.laugh_every) == 0
        among = laughs if laugh or not names else names
        if own and not laugh and rng.random() < params.own_share:
            among = own
        kind = among[rng.integers(len(among))]
        waves = kinds[kind]
        wave = waves[rng.integers(len(waves))] * np.float32(_amplitude(rng.uniform(*params.sound_dbfs)))
        end = _add(out, wave, at)
        laid.append(Laid(kind, at, end))
        at += int(rng.exponential(params.every_s) * RATE_HZ)
    return laid


def _lay_cries(
    out: Wave, beside: Wave, babies: list[Take], params: StreamParams, rng: np.random.Generator
) -> list[Laid]:
    """Adds cries to `out`, each family's as often as another's: some have uploaded one, some twenty."""
    families: dict[str, list[Take]] = {}
    for baby in babies:
        families.setdefault(baby.group, []).append(baby)
    names = sorted(families)
    laid: list[Laid] = []
    order: list[int] = []
    at = int(rng.uniform(*params.cry_every_s) * RATE_HZ)
    while True:
        order = order or rng.permutation(len(names)).tolist()
        cries = families[names[order.pop()]]
        cry = cries[rng.integers(len(cries))]
        wave = cry.wave
        if at + len(wave) > len(out):
            return laid
        around = beside[at : at + len(wave)]
        level_db = rng.uniform(*params.cry_dbfs)
        noise_db = 20 * np.log10(max(active_rms(around), 1e-6))
        level_db = max(level_db, noise_db + params.worst_snr_db)
        end = _add(out, wave * np.float32(_amplitude(level_db)), at)
        hears = None if cry.teacher_hears is None else at + cry.teacher_hears
        laid.append(Laid("cry", at, end, float(level_db - noise_db), hears))
        at += int(rng.uniform(*params.cry_every_s) * RATE_HZ)


def _add(out: Wave, wave: Wave, at: int) -> int:
    """Adds a wave with soft ends; returns one past its last sample."""
    fade = min(int(FADE_S * RATE_HZ), len(wave) // 2)
    shape = np.ones(len(wave), np.float32)
    shape[:fade] = np.linspace(0, 1, fade, dtype=np.float32)
    shape[len(wave) - fade :] = shape[:fade][::-1]
    part = (wave * shape)[: len(out) - at]
    out[at : at + len(part)] += part
    return at + len(part)


def _amplitude(dbfs: float) -> float:
    return float(10.0 ** (dbfs / 20.0))
