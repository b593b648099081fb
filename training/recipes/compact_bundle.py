"""From pretrained weights to a bundle: `monitord-train fit --recipe compact`.

Calibrates the cry, fits the reasons on the frozen embedding, judges both, chooses the thresholds on hours of streams,
and writes weights, manifest and card in one go.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from model.adaptation.reference import reference_file
from model.bundle import Bundle, with_reference, write_bundle
from model.calibration import Calibration, p_reasons
from model.export import export_litert, export_weights
from model.manifest import DataSet, Manifest
from model.vggish import named_weights
from monitord.errors import ConfigError
from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams
from training.data.clips import make_folder
from training.data.prepared import Prepared
from training.evaluate.reason_head_crossval import FOLDS, judge
from training.label.held_out import held_out
from training.learn.forward import hear
from training.learn.pretrain import Trained, load_trained
from training.learn.reason_head import Labelled, as_layer, fit_head
from training.learn.reason_rows import reason_rows
from training.learn.reference_windows import make_reference
from training.recipes import model_card
from training.recipes.alarm_thresholds import choose_thresholds
from training.recipes.calibration import calibrated, fit_reasons, logits_of
from training.recipes.cry_head import fit_on_streams
from training.recipes.distress_bundle import knows_distress, with_distress
from training.recipes.unsure_threshold import unsure_below

LABELLED_DATA: Final = "donateacry, grouped by installation"
"""Whose reasons the threshold of told reasons rests on."""
LEAST_TOLD: Final = 20
"""Recordings that must have been told for a share to mean anything."""

COMMANDS: Final = (
    "monitord-train prepare --data DATA --out PREPARED",
    "monitord-train teach --prepared PREPARED --out VIEWS --mine BEFORE",
    "monitord-train pretrain --prepared PREPARED --views VIEWS --out PRETRAINED --from BEFORE",
    "monitord-train fit --prepared PREPARED --weights PRETRAINED/pretrained.weights.h5 --out BUNDLE",
)
"""How a bundle is made; for the card. BEFORE is the bundle before it, whose mistakes and whose weights these are."""

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
        "corvin",
        "MIT",
        "Pain cues override identity cues in baby cries, by Siloe Corvin et al.; (c) 2024 Theunissen Lab",
        "cries of identified babies",
    ),
    DataSet(
        "CatMeows",
        "CC BY 4.0",
        "CatMeows by Luca A. Ludovico et al., Zenodo 4008297",
        "cats, which are no babies",
    ),
    DataSet(
        "EmoGator",
        "Apache-2.0",
        "EmoGator by Fred Buhl",
        "screams, sobs and laughs of grown-ups, and babies' laughs made of these",
    ),
    DataSet(
        "measured rooms",
        "Apache-2.0 and MIT",
        "room responses as shipped with speechbrain, audiomentations and web-audio-samples, and of the IoSR, Surrey",
        "how sound changes on its way to the microphone",
    ),
    DataSet(
        "EfficientAT mn04 and YAMNet",
        "MIT and Apache-2.0",
        "EfficientAT by Florian Schmid et al.; YAMNet by Google",
        "teachers: their scores were learnt, their weights are not in here",
    ),
)
"""What the card owes attribution to."""


def fit_compact(prepared: Prepared, weights: Path, directory: Path, *, hours: int, frontend_why: str = "") -> Bundle:
    """Makes a bundle.

    Args:
        prepared: What `prepare` wrote.
        weights: What `pretrain` wrote.
        directory: Where the bundle will stand.
        hours: With cries, and as many without, from each half of the held-out recordings.
        frontend_why: What the choice of the front end rests on, for the manifest.

    Raises:
        ConfigError: The weights are missing, nothing says what they belong to, or they hear no cry; too few families
            told a reason; there is nothing held out to judge by; or the bundle may not be written.
    """
    make_folder(directory.parent)
    trained, model = load_trained(weights)
    judged_on, told = held_out(prepared), reason_rows(prepared)
    families = len(np.unique(told.group))
    if families < FOLDS:
        raise ConfigError(
            f"{prepared.folder}: {families} families told a reason for a cry that is heard, expected at least "
            f"{FOLDS}, one in each fold"
        )
    draft = _draft(trained)
    with tempfile.TemporaryDirectory(prefix="monitord-fit-") as folder:
        heard_by = write_bundle(
            Path(folder) / "draft", draft, tflite=export_litert(model), weights=export_weights(model), card=""
        )
        fit_on_streams(model, prepared, heard_by)
    cry_calibration, area = calibrated(judged_on, hear(model, prepared, judged_on.row, trained.frontend).cry)
    labelled = told.labelled(hear(model, prepared, told.row, trained.frontend).embedding)
    judged = {protocol: judge(labelled, protocol) for protocol in ("random", "grouped")}
    out_of_fold = logits_of(judged["grouped"].probabilities)
    calibration = replace(cry_calibration, reason_scale=fit_reasons(out_of_fold, labelled.reason))
    below, why_unsure = unsure_below(
        p_reasons(calibration, out_of_fold), labelled.reason, data=LABELLED_DATA, least_told=LEAST_TOLD
    )
    _install_reasons(model, labelled)

    metrics: dict[str, Any] = {  # Any: JSON values
        "random": {"reasons": judged["random"].figures},
        "grouped": {
            "reasons": judged["grouped"].figures,
            "cry": area,
            "commands": list(COMMANDS),
        },
    }
    manifest = replace(
        draft,
        calibration=calibration,
        tracker=TrackerParams(unsure_below=below),
        rests_on={"tracker.on_p": "nothing yet", "tracker.unsure_below": why_unsure},
        metrics=metrics,
    )
    tflite, arrays = export_litert(model), export_weights(model)
    point = choose_thresholds(prepared, manifest, tflite=tflite, weights=arrays, hours=hours)
    metrics["grouped"] |= point.metrics | ({"frontend": frontend_why} if frontend_why else {})
    manifest = replace(
        manifest,
        tracker=replace(point.tracker, unsure_below=below),
        rests_on={"tracker.on_p": point.why, "tracker.unsure_below": why_unsure},
    )
    bundle = write_bundle(directory, manifest, tflite=tflite, weights=arrays, card=model_card.write(manifest))
    bundle = with_reference(bundle, reference_file(make_reference(prepared, bundle)))
    return with_distress(prepared, bundle, directory) if knows_distress(prepared) else bundle


def _draft(trained: Trained) -> Manifest:
    """What is known before anything is calibrated or chosen."""
    return Manifest(
        name="vggish-compact",
        architecture=trained.architecture,
        heads="trained",
        calibration=Calibration(),
        frontend=trained.frontend,
        listener=ListenerParams(),
        tracker=TrackerParams(),
        rests_on={"tracker.on_p": "nothing yet", "tracker.unsure_below": "nothing yet"},
        data=DATA,
        metrics={"random": {}, "grouped": {}},
    )


def _install_reasons(model: keras.Model, labelled: Labelled) -> None:
    everything = np.ones(len(labelled.reason), np.bool_)
    kernel, bias = as_layer(fit_head(labelled, labelled.reason, everything))
    variables = named_weights(model)
    variables["reasons/kernel"].assign(kernel)
    variables["reasons/bias"].assign(bias)
