"""How hard it cries: can it be heard on babies never heard before? `monitord-train distress`.

Recordings of corvin, in the bath (mild discomfort) and vaccinated, as they were recorded and through random channels:
the two contexts were recorded in different surroundings, so only what outlives another room, another microphone and
another level is believed. What is learnt from and what is judged by arrive through other rooms and other noise. The
network's own training heard most of these babies, without a word of what they cried about; the head has no network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from model.bundle import Bundle
from model.calibration import p_cry
from model.distress.features import features
from model.distress.head import DistressHead
from model.forward import Runtime
from model.frontend import patches
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.intensity import HARD_FROM
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from training.data.prepared import Prepared
from training.evaluate.window_auc import Auc, auc
from training.learn.distress_head import Cries, Heard, LeftOut, distress_head, leave_one_baby_out, pooled
from training.sound.augment import Wave, active_rms
from training.sound.noises import held_out_noises
from training.sound.random_channel import HOUSEHOLD, ROOMS, ChannelParams, RandomChannel, at_level
from training.sound.room_responses import load_rooms

KINDS: Final = {"corvin:discomfort": False, "corvin:pain": True}
"""Whether a kind of recording is the hard one."""
LEAST_BABIES: Final = 5
"""Babies with both kinds that are needed: fewer say nothing of another."""
HOP: Final = 7_680
"""Samples at 16 kHz from one window to the next: every other one of the daemon's, because neighbours are alike."""
LEARNT: Final = (ROOMS, ROOMS, HOUSEHOLD, HOUSEHOLD)
"""Ways by which the recordings arrive to be learnt from, beside as they are."""
JUDGED: Final = {
    "as recorded": None,
    "random rooms, walls, hiss and level": ROOMS,
    "the same, other sound 10 to 30 dB under it, codecs": HOUSEHOLD,
}
TAKES: Final = 2
"""Random channels through which each recording is judged."""
SHUFFLES: Final = 5
"""Shuffled labels that are averaged."""
LEVELS_DBFS: Final = (-40.0, -15.0)
"""Between these active levels the same cry must get the same score (dBFS)."""
LEARN_KINDS: Final = ("rain", "wind", "vacuum_cleaner", "washing_machine", "speech:adult", "speech:talk", "home:jazz")
"""How the kinds of other sound begin that is learnt with; what is judged with is held out."""
MOST_NOISES: Final = 60
"""Recordings of it: each is decoded and kept in memory."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head and what it is worth."""

    head: DistressHead
    figures: dict[str, Any]
    """JSON values: `babies`, `hard`, `mild`, `rows` (see `markdown`) and `levels`."""


def fit_and_judge(prepared: Prepared, bundle: Bundle) -> Fitted:
    """Fits the head to all babies, and judges its like on babies that were left out.

    Args:
        prepared: Holds corvin.
        bundle: Its front end makes the patches, its cry says how much a window counts.

    Raises:
        ConfigError: There are too few babies with both kinds of cry.
    """
    where, cries = _cries(prepared)
    sounds = [prepared.audio(index) for index in where]
    ear = _Ear(bundle, open_runtime(bundle, "litert"))
    rooms = load_rooms(prepared.data / "rooms")
    noises = {True: _learn_noises(prepared), False: [w for found in held_out_noises(prepared).values() for w in found]}

    def arrived(params: ChannelParams | None, seed: int, *, learn: bool) -> list[Pcm]:
        if params is None:
            return sounds
        # Every other room is for what is judged.
        channel = RandomChannel(rooms[::2] if learn else rooms[1::2], noises[learn], params)
        return [channel.through(sound, np.random.default_rng((seed, i))) for i, sound in enumerate(sounds)]

    passes = [ear.hear(sounds)]
    passes += [ear.hear(arrived(params, seed, learn=True)) for seed, params in enumerate(LEARNT, start=1)]
    left_out = leave_one_baby_out(cries, passes)
    shuffled = [_shuffled(cries, seed) for seed in range(SHUFFLES)]
    chance = [leave_one_baby_out(labels, passes) for labels in shuffled]
    rows = []
    for name, params in JUDGED.items():
        takes = [arrived(params, 100 + take, learn=False) for take in range(1 if params is None else TAKES)]
        heard = [ear.hear(sound) for sound in takes]
        level = np.concatenate([[_dbfs(sound) for sound in take] for take in takes])
        by_chance = [
            roc_auc_score(np.tile(labels.hard, len(takes)), _probabilities(labels, one, heard))
            for labels, one in zip(shuffled, chance, strict=True)
        ]
        rows.append(_row(name, cries, left_out, heard) | {
            "shuffled": round(float(np.mean(by_chance)), 3),
            "loudness": round(float(roc_auc_score(np.tile(cries.hard, len(takes)), level)), 3),
        })  # fmt: skip
    head = distress_head(cries, passes, left_out)
    quiet, loud = (ear.distress([at_level(_wave(sound), dbfs) for sound in sounds], head) for dbfs in LEVELS_DBFS)
    figures = {
        "babies": int(cries.baby.max()) + 1,
        "hard": int(cries.hard.sum()),
        "mild": int((~cries.hard).sum()),
        "rows": rows,
        "levels": {"dbfs": list(LEVELS_DBFS), "largest_change": round(float(np.abs(quiet - loud).max()), 4)},
    }
    return Fitted(head, figures)


def markdown(figures: Mapping[str, Any]) -> str:
    """Writes the table; Any: JSON values of `Fitted.figures`."""
    lines = [
        f"{figures['hard']} vaccinations against {figures['mild']} baths, of {figures['babies']} babies.",
        "",
        "| as they arrive | AUC (95 % over babies) | shuffled labels | loudness alone | told hard: vaccinated | bath |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['arrived']} | {row['auc']:.3f} ({row['auc_95'][0]:.3f} to {row['auc_95'][1]:.3f}) | "
        f"{row['shuffled']:.3f} | {row['loudness']:.3f} | {row['told_hard']:.0%} | {row['told_hard_wrongly']:.0%} |"
        for row in figures["rows"]
    ]
    levels = figures["levels"]
    low, high = levels["dbfs"]
    return "\n".join(
        [*lines, "", f"Largest change of a recording from {low:g} to {high:g} dBFS: {levels['largest_change']:.3f}."]
    )


class _Ear:
    """Hears whole recordings as the daemon does."""

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        self._manifest, self._runtime = bundle.manifest, runtime

    def hear(self, sounds: list[Pcm]) -> Heard:
        """Turns recordings into the features of their windows."""
        found, cry, of = [], [], []
        for index, sound in enumerate(tqdm(sounds, desc="distress", unit="recording", mininterval=1.0)):
            ends = range(WINDOW_SAMPLES, len(sound) + 1, HOP)
            x = patches([sound[end - WINDOW_SAMPLES : end] for end in ends], self._manifest.frontend)
            cry.append(p_cry(self._manifest.calibration, self._runtime.forward(x).cry))
            found.append(features(x))
            of.append(np.full(len(x), index))
        return Heard(np.concatenate(found), np.concatenate(cry), np.concatenate(of))

    def distress(self, sounds: list[Pcm], head: DistressHead) -> NDArray[np.float64]:
        """What a segment would be told of each recording, float64 [recordings]."""
        heard = self.hear(sounds)
        logits = heard.features.astype(np.float64) @ np.array(head.kernel) + head.bias
        return pooled(1.0 / (1.0 + np.exp(-logits)), heard, len(sounds))


def _cries(prepared: Prepared) -> tuple[list[int], Cries]:
    """Rows of the recordings of babies with both kinds, at least as long as a window."""
    known = [i for i, recording in enumerate(prepared.recordings) if recording.kind in KINDS]
    both = {r.group for r in prepared.recordings if KINDS.get(r.kind) is True}
    both &= {r.group for r in prepared.recordings if KINDS.get(r.kind) is False}
    where = [i for i in known if prepared.recordings[i].group in both and len(prepared.audio(i)) >= WINDOW_SAMPLES]
    if len(both) < LEAST_BABIES:
        raise ConfigError(
            f"{prepared.folder}: {len(both)} babies were recorded both in the bath and vaccinated, expected at least "
            f"{LEAST_BABIES}; run: monitord-train prepare --data DATA, with corvin in it"
        )
    _, baby = np.unique([prepared.recordings[i].group for i in where], return_inverse=True)
    return where, Cries(baby.astype(np.int64), np.array([KINDS[prepared.recordings[i].kind] for i in where]))


def _learn_noises(prepared: Prepared) -> list[Wave]:
    chosen = [
        i
        for i, recording in enumerate(prepared.recordings)
        if not recording.held_out and recording.is_cry is False and recording.kind.startswith(LEARN_KINDS)
    ]
    waves = [_wave(prepared.audio(int(i))) for i in np.random.default_rng(0).permutation(chosen)[:MOST_NOISES]]
    return [wave for wave in waves if active_rms(wave) > 0]


def _wave(sound: Pcm) -> Wave:
    return sound.astype(np.float32) / np.float32(FULL_SCALE)


def _dbfs(sound: Pcm) -> float:
    return float(20.0 * np.log10(max(active_rms(_wave(sound)), 1e-6)))


def _shuffled(cries: Cries, seed: int) -> Cries:
    return replace(cries, hard=np.random.default_rng(seed).permutation(cries.hard))


def _probabilities(cries: Cries, left_out: LeftOut, heard: list[Heard]) -> NDArray[np.float64]:
    n = len(cries.baby)
    return np.concatenate([pooled(left_out.probabilities(cries, one), one, n) for one in heard])


def _area(cries: Cries, left_out: LeftOut, heard: list[Heard]) -> Auc:
    p = _probabilities(cries, left_out, heard)
    groups = np.tile(cries.baby, len(heard)).astype(np.str_)
    return auc(np.tile(cries.hard, len(heard)), p.astype(np.float32), groups)


def _row(name: str, cries: Cries, left_out: LeftOut, heard: list[Heard]) -> dict[str, Any]:
    area = _area(cries, left_out, heard)
    told = _probabilities(cries, left_out, heard) >= HARD_FROM
    hard = np.tile(cries.hard, len(heard))
    return {
        "arrived": name,
        "auc": round(area.value, 3),
        "auc_95": [round(area.low, 3), round(area.high, 3)],
        "told_hard": round(float(told[hard].mean()), 3),
        "told_hard_wrongly": round(float(told[~hard].mean()), 3),
    }
