"""A fine-tuned bundle on disk: the old one's network, another head for the reasons, and what its papers say then."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import CARD, REFERENCE, WEIGHTS, Bundle, Weights, write_bundle
from model.calibration import Calibration
from model.manifest import DataSet
from training.data.clips import ClipSet
from training.recipes.fine_tuning_gain import table
from training.recipes.fine_tuning_head import Head
from training.recipes.litert_head import replace_head

SUFFIX: Final = "-family"
"""Of an adapted bundle's name."""


def calibrated_head(weights: Weights, calibration: Calibration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The head for the reasons with its calibration folded in: kernel [128, 4] and bias [4]."""
    kernel = calibration.reason_scale * weights["reasons/kernel"].astype(np.float64)
    bias = calibration.reason_scale * weights["reasons/bias"].astype(np.float64) + np.array(calibration.reason_bias)
    return kernel, bias


def write_adapted(
    bundle: Bundle, clips: ClipSet, out: Path, head: Head, *, reason_scale: float, figures: Mapping[str, Any]
) -> Bundle:
    """Writes the bundle; the cry's head, its calibration and the alarm's thresholds stay as they are.

    Args:
        bundle: The one that is adapted.
        clips: What it was adapted to.
        out: Where the new one will stand.
        head: What is added to the old head's calibrated logits.
        reason_scale: Calibration of the sum.
        figures: As `fine_tuning.Adapted` describes them.

    Raises:
        BundleError: The network cannot take another head. What stood there before stands there still.
    """
    weights, old = bundle.weights(), bundle.manifest
    kernel, bias = calibrated_head(weights, old.calibration)
    weights["reasons/kernel"] = (kernel + head.kernel).astype(np.float32)
    weights["reasons/bias"] = (bias + head.bias).astype(np.float32)
    network = replace_head(
        bundle.tflite.read_bytes(), "reasons", weights["reasons/kernel"], weights["reasons/bias"], str(bundle.tflite)
    )
    told = ", ".join(f"{n} of {reason}" for reason, n in figures["recordings"].items())
    whose = "synthetic: no baby ever cried in it" if clips.synthetic else "the family that recorded them"
    # Any: JSON values.
    metrics: dict[str, Any] = {
        protocol: {**_object(old.metrics[protocol]), "family": figures[protocol]} for protocol in ("random", "grouped")
    }
    manifest = replace(
        old,
        name=old.name.removesuffix(SUFFIX) + SUFFIX,
        calibration=replace(old.calibration, reason_scale=reason_scale, reason_bias=(0.0, 0.0, 0.0, 0.0)),
        tracker=replace(old.tracker, unsure_below=figures["unsure_below"]),
        rests_on={**old.rests_on, "tracker.unsure_below": figures["told_rests_on"]},
        data=(*old.data, DataSet(clips.name, "private", whose, f"adapted the reasons alone, from recordings: {told}")),
        metrics=metrics,
    )
    card = _card((bundle.directory / CARD).read_text(encoding="utf-8"), clips, figures)
    with np.load(bundle.directory / WEIGHTS, allow_pickle=False) as stored:
        exact = stored["reasons/kernel"].dtype == np.float32
    # The embedding and the cry's head are the same, and so is what a home's corrections are checked against.
    reference = (bundle.directory / REFERENCE).read_bytes() if REFERENCE in old.files else None
    return write_bundle(out, manifest, tflite=network, weights=weights, card=card, exact=exact, reference=reference)


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return dict(value) if isinstance(value, dict) else {}


def _card(before: str, clips: ClipSet, figures: Mapping[str, Any]) -> str:
    """The old card with a section on what changed in front."""
    title, _, rest = before.partition("\n")
    changed = (
        "Its reasons were adapted to one family's own labelled recordings. How it hears that a baby cries, and when it "
        "raises the alarm, is to the last bit what the rest of this card says; what the rest says of reasons is of the "
        f"bundle before. `tracker.unsure_below`: {figures['told_rests_on']}."
    )
    return "\n".join(
        [
            title,
            "",
            "## Adapted to a family",
            "",
            changed,
            "",
            table(figures, clips.name, synthetic=clips.synthetic),
            rest,
        ]
    )
