"""From pretrained weights to a bundle: `monitord-train fit`.

Calibrates the cry, fits the reasons on the frozen embedding, judges both, chooses the thresholds, and writes weights,
manifest and card in one go.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.bundle import Bundle, write_bundle
from model.calibration import Calibration, p_cry, p_reasons
from model.export import export_litert, export_weights
from model.frontend import FrontendParams, patches
from model.manifest import DataSet, Manifest
from model.vggish import Architecture, build_classifier, named_weights
from monitord.errors import ConfigError
from monitord.listener import ListenerParams
from monitord.types import REASONS
from monitord.windows import WINDOW_SAMPLES
from training import card, reasons
from training.calibrate import fit_cry, fit_reasons
from training.evaluate import auc
from training.held_out import evaluation_rows
from training.operating_point import choose
from training.prepare import Prepared, samples_of
from training.reasons import Labelled
from training.targets import SURE_SHARE, cry_targets

BATCH: Final = 256
"""Windows in a forward pass."""
SKILL: Final = 0.6
"""Share of told reasons that must be right in the grouped protocol, every reason weighing the same: clearly more often
right than wrong, or a parent is better off without."""
LEAST_TOLD: Final = 20
"""Recordings that must have been told for that share to mean anything."""
NEVER: Final = 0.95
"""Threshold where no skill shows: the bundle says `unsure` nearly always."""

DATA: Final = (
    DataSet(
        "donateacry-corpus",
        "ODbL 1.0, contents DbCL 1.0",
        "donateacry-corpus by Gabor Veres and the families who recorded",
        "cries with reasons, and other sound of the same phones",
    ),
    DataSet(
        "ESC-50",
        "CC0 and CC-BY clips only",
        "ESC-50 by Karol J. Piczak; authors of the clips as in its LICENSE",
        "cries and 39 other kinds of sound",
    ),
    DataSet(
        "speech and household sound",
        "per clip: CC0, CC-BY, CC-BY-SA, public domain, and free for commercial use",
        "speechocean762, Speech Commands and the projects named in the data's index files",
        "sound that is no cry",
    ),
    DataSet(
        "EfficientAT mn04 and YAMNet",
        "MIT and Apache-2.0",
        "EfficientAT by Florian Schmid et al.; YAMNet by Google",
        "teachers: their scores were learnt, their weights are not in here",
    ),
)
"""What the card owes attribution to."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the network makes of all windows of the prepared recordings."""

    cry: NDArray[np.float32]
    """[n] logits."""
    embedding: NDArray[np.float32]
    """[n, 128]."""


def fit(prepared: Prepared, weights: Path, architecture: Architecture, directory: Path) -> Bundle:
    """Makes a bundle.

    Args:
        prepared: What `prepare` wrote.
        weights: What `pretrain` wrote.
        architecture: The one that it trained.
        directory: Where the bundle will stand.

    Raises:
        ConfigError: The weights are not those of this architecture.
    """
    model = build_classifier(architecture)
    try:
        model.load_weights(weights)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{weights}: no weights of this network ({error}); run: monitord-train pretrain") from error
    frontend = FrontendParams()
    heard = _hear_all(prepared, model, frontend)

    rows, cry, confirmed = evaluation_rows(prepared)
    sure = ~cry | confirmed
    # Two numbers fitted on thousands of held-out windows: the order of scores, and so the AUC, does not depend on them.
    scale, bias = fit_cry(heard.cry[rows[sure]], cry[sure])
    labelled = _labelled(prepared, heard)
    judged = {protocol: reasons.judge(labelled, protocol) for protocol in ("random", "grouped")}
    grouped = judged["grouped"].probabilities
    reason_scale = fit_reasons(_even_logits(grouped), labelled.reason)
    calibration = Calibration(cry_scale=scale, cry_bias=bias, reason_scale=reason_scale)
    told = p_reasons(calibration, _even_logits(grouped))
    unsure_below, why_unsure = _unsure_below(told, labelled.reason)
    _install_reasons(model, labelled)

    probabilities = p_cry(calibration, heard.cry)
    point = choose(prepared, probabilities)
    area = auc(cry[sure], probabilities[rows[sure]], _groups(prepared, rows[sure]))
    metrics: dict[str, Any] = {  # Any: JSON values
        "random": {"reasons": judged["random"].figures},
        "grouped": {
            "reasons": judged["grouped"].figures,
            "cry": {"window_auc": round(area.value, 4), "window_auc_95": [round(area.low, 4), round(area.high, 4)]},
            "episodes": point.figures,
        },
    }
    manifest = Manifest(
        name="vggish-compact",
        architecture=architecture,
        heads="trained",
        calibration=calibration,
        frontend=frontend,
        listener=ListenerParams(),
        tracker=replace(point.tracker, unsure_below=unsure_below),
        rests_on={"tracker.on_p": point.why, "tracker.unsure_below": why_unsure},
        data=DATA,
        metrics=metrics,
    )
    return write_bundle(
        directory, manifest, tflite=export_litert(model), weights=export_weights(model), card=card.write(manifest)
    )


def _hear_all(prepared: Prepared, model: keras.Model, frontend: FrontendParams) -> _Heard:
    every = np.arange(len(prepared.windows))
    sounds = samples_of(prepared, every, WINDOW_SAMPLES)
    cry, embedding = [], []
    for start in tqdm(range(0, len(every), BATCH), desc="forward", mininterval=1.0):
        batch = [samples for _, samples in zip(range(min(BATCH, len(every) - start)), sounds, strict=False)]
        out = model.predict_on_batch(patches(batch, frontend))
        cry.append(out["cry"][:, 0])
        embedding.append(out["embedding"])
    return _Heard(np.concatenate(cry), np.concatenate(embedding))


def _labelled(prepared: Prepared, heard: _Heard) -> Labelled:
    """Windows in which a cry is heard, of all recordings with a reason; the folds decide what is seen when."""
    targets = cry_targets(prepared)
    kept, of, names = [], [], []
    reason: list[int] = []
    for index, recording in enumerate(prepared.recordings):
        rows = np.flatnonzero((prepared.windows.recording == index) & (targets >= SURE_SHARE))
        if recording.reason is None or not len(rows):
            continue
        kept.append(heard.embedding[rows])
        of.append(np.full(len(rows), len(reason)))
        reason.append(REASONS.index(recording.reason))
        names.append(recording.group)
    _, group = np.unique(names, return_inverse=True)
    return Labelled(np.concatenate(kept), np.concatenate(of), np.array(reason), group)


def _even_logits(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(np.maximum(probabilities, 1e-6)).astype(np.float32)


def _unsure_below(told: NDArray[np.float32], reason: NDArray[np.int64]) -> tuple[float, str]:
    """The lowest threshold at which told reasons are right often enough in the grouped protocol."""
    weight = 1.0 / np.bincount(reason, minlength=len(REASONS))[reason]
    right = told.argmax(axis=1) == reason
    for threshold in np.arange(0.3, NEVER, 0.05).round(2).tolist():
        chosen = told.max(axis=1) >= threshold
        if chosen.sum() >= LEAST_TOLD and np.average(right[chosen], weights=weight[chosen]) >= SKILL:
            share = float(np.average(right[chosen], weights=weight[chosen]))
            return threshold, (
                f"donateacry, grouped by installation: {int(chosen.sum())} of {len(reason)} recordings told, "
                f"{share:.2f} right with every reason weighing the same"
            )
    return NEVER, (
        "donateacry, grouped by installation: at no threshold were told reasons right "
        f"{SKILL:.0%} of the time with every reason weighing the same, so the reason is unsure nearly always"
    )


def _install_reasons(model: keras.Model, labelled: Labelled) -> None:
    everything = np.ones(len(labelled.reason), np.bool_)
    kernel, bias = reasons.as_layer(reasons.fit_head(labelled, labelled.reason, everything))
    variables = named_weights(model)
    variables["reasons/kernel"].assign(kernel)
    variables["reasons/bias"].assign(bias)


def _groups(prepared: Prepared, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    names = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])
    return np.asarray(names[prepared.windows.recording[rows]])
