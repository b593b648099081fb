"""Fine-tuning: a bundle for one family, from its labelled cries: `monitord-train fit --from BUNDLE --manifest OURS`.

The network stays as it is, to the last bit, and so do the cry's probability and the alarm. Only the softmax over the
reasons changes, and only where the family's held-back recordings show that it is better for it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.bundle import Bundle
from model.calibration import Calibration, p_cry, p_reasons
from model.frontend import patches
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.types import REASONS
from training.data.clips import ClipSet
from training.recipes.calibration import fit_reasons, logits_of
from training.recipes.fine_tuning_bundle import calibrated_head, write_adapted
from training.recipes.fine_tuning_gain import compare, is_better, table
from training.recipes.fine_tuning_head import LEAST_CRY, Cries, cross_validate, fit_head
from training.recipes.unsure_threshold import unsure_below

BATCH: Final = 256
"""Windows in a forward pass."""
LEAST_RECORDINGS: Final = 12
"""Fewer, and no gain could be told from luck: of two reasons, 10 of 12 must be right for that (binomial, 2 %)."""
LEAST_OF_REASON: Final = 5
"""Recordings without which a reason is left aside: one for each fold."""
LEAST_REASONS: Final = 2
"""There must be something to tell apart."""
LEAST_TOLD: Final = 10
"""Recordings that must have been told for a threshold to be chosen by them."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it."""

    bundle: Bundle | None
    """The one that was written; None where it would have been no better."""
    figures: dict[str, Any]
    """JSON values: `clips`, `recordings` {reason: n}, `left_out` {reason: n}, `unsure_below`, `told_rests_on`; by
    protocol `random` and `grouped`: `shipped`, `adapted`, `shuffled_labels` as `fine_tuning_gain` judges them, and
    `gain`."""
    table: str
    """Markdown, to print."""
    refusal: str
    """Why no bundle was written, and what to do; empty where one was."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the bundle makes of every window."""

    embedding: NDArray[np.float64]
    """[windows, 128]."""
    offset: NDArray[np.float64]
    """[windows, 4], the reasons head's logits, calibrated."""
    p_cry: NDArray[np.float64]
    """[windows]."""


def adapt(bundle: Bundle, clips: ClipSet, out: Path, *, anyway: bool = False) -> Adapted:
    """Adapts a bundle and judges it against the shipped one on recordings held back; writes it if it is better.

    Args:
        bundle: The shipped one, or one adapted earlier.
        clips: The family's. Folds keep their recordings together, whatever they say of babies: it is one family.
        out: Where the new bundle will stand.
        anyway: Writes it whatever the figures say.

    Raises:
        ConfigError: There are too few recordings, or of too few reasons; it says how many are missing.
        BundleError: The bundle is untrained, or its network cannot take another head.
    """
    kept, left_out = _enough(clips)
    heard = _hear(bundle.require_trained(), clips)
    cries = {"random": _cries(heard, clips, kept, grouped=False), "grouped": _cries(heard, clips, kept, grouped=True)}
    shipped_below = bundle.manifest.tracker.unsure_below
    figures: dict[str, Any] = {
        "clips": len(cries["random"].label),
        "recordings": _counts(cries["grouped"].label),
        "left_out": left_out,
    }
    held_back = cross_validate(cries["grouped"])
    label = cries["grouped"].label
    scale = fit_reasons(logits_of(held_back), label)
    told = p_reasons(Calibration(reason_scale=scale), logits_of(held_back))
    below, why = unsure_below(told, label, data=f"{clips.name}, grouped by recording", least_told=LEAST_TOLD)
    figures |= {"unsure_below": below, "told_rests_on": why}
    for protocol, data in cries.items():
        probabilities = held_back if data is cries["grouped"] else cross_validate(data)
        calibrated = p_reasons(Calibration(reason_scale=scale), logits_of(probabilities)).astype(np.float64)
        figures[protocol] = compare(data, calibrated, (shipped_below, below))
    report = table(figures, clips.name, synthetic=clips.synthetic)
    if not anyway and not is_better(figures):
        return Adapted(None, figures, report, _refusal(clips, out))
    written = write_adapted(bundle, clips, out, fit_head(cries["grouped"]), reason_scale=scale, figures=figures)
    return Adapted(written, figures, report, "")


def _enough(clips: ClipSet) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which clips are learnt from, and how many recordings of rare reasons are not; raises where too few are left."""
    of = {(clip.label, _recording(clips, i)) for i, clip in enumerate(clips.clips)}
    counts = {reason: sum(label == reason for label, _ in of) for reason in REASONS}
    enough = [reason for reason, n in counts.items() if n >= LEAST_OF_REASON]
    n = sum(counts[reason] for reason in enough)
    if len(enough) < LEAST_REASONS or n < LEAST_RECORDINGS:
        found = ", ".join(f"{count} of {reason}" for reason, count in counts.items() if count) or "none"
        nearest = sorted(REASONS, key=lambda reason: -counts[reason])[:LEAST_REASONS]
        missing = {reason: max(0, LEAST_OF_REASON - counts[reason]) for reason in nearest}
        asks = [f"{count} more of {reason}" for reason, count in missing.items() if count]
        rest = LEAST_RECORDINGS - sum(max(counts[reason], LEAST_OF_REASON) for reason in {*nearest, *enough})
        asks += [f"{rest} more of any of these reasons"] if rest > 0 else []
        raise ConfigError(
            f"{clips.name}: too few labelled recordings: found {found}; it takes {LEAST_RECORDINGS}, with at least "
            f"{LEAST_REASONS} reasons of {LEAST_OF_REASON} or more each: record and label {' and '.join(asks)}"
        )
    kept = np.array([clip.label in enough for clip in clips.clips])
    return kept, {reason: count for reason, count in counts.items() if count and reason not in enough}


def _hear(bundle: Bundle, clips: ClipSet) -> _Heard:
    runtime = open_runtime(bundle, "litert")  # what the daemon runs where there is no GPU: its very embedding
    manifest, weights = bundle.manifest, bundle.weights()
    cry, embedding = [], []
    for start in tqdm(range(0, len(clips.clip), BATCH), desc="hear", mininterval=1.0):
        rows = range(start, min(start + BATCH, len(clips.clip)))
        heard = runtime.forward(patches([clips.window(row) for row in rows], manifest.frontend))
        cry.append(p_cry(manifest.calibration, heard.cry))
        embedding.append(heard.embedding)
    x = np.concatenate(embedding).astype(np.float64)
    kernel, bias = calibrated_head(weights, manifest.calibration)
    return _Heard(x, x @ kernel + bias, np.concatenate(cry).astype(np.float64))


def _cries(heard: _Heard, clips: ClipSet, kept: NDArray[np.bool_], *, grouped: bool) -> Cries:
    """What is counted: all that a recording holds of one reason (grouped), or each cry sound (random)."""
    rows = np.flatnonzero(kept[clips.clip])
    clip = clips.clip[rows]
    recordings = np.unique([_recording(clips, i) for i in range(len(clips.clips))], return_inverse=True)[1]
    key = recordings * len(REASONS) + clips.labels if grouped else np.arange(len(clips.clips))
    order = np.argsort(key[clip], kind="stable")
    rows, clip = rows[order], clip[order]
    _, first, cry = np.unique(key[clip], return_index=True, return_inverse=True)
    label = clips.labels[clip[first]]
    group = recordings[clip[first]] if grouped else np.arange(len(first))
    weight = np.maximum(heard.p_cry[rows], LEAST_CRY)
    return Cries(heard.embedding[rows], heard.offset[rows], weight, cry.astype(np.int64), label, group)


def _recording(clips: ClipSet, index: int) -> str:
    clip = clips.clips[index]
    return clip.recording or str(clip.path)


def _counts(label: NDArray[np.int64]) -> dict[str, int]:
    return {reason: int((label == i).sum()) for i, reason in enumerate(REASONS) if (label == i).any()}


def _refusal(clips: ClipSet, out: Path) -> str:
    return (
        f"{clips.name}: on recordings held back the adapted bundle is not better than the shipped one beyond chance, "
        f"so {out} was not written: keep the shipped bundle and label more recordings, or write it nevertheless with "
        "--anyway"
    )
