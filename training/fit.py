"""From pretrained weights to a bundle: `monitord-train fit --recipe compact`.

Calibrates the cry, fits the reasons on the frozen embedding, judges both, chooses the thresholds on hours of streams,
and writes weights, manifest and card in one go.
"""

import tempfile
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
from model.vggish import build_classifier, named_weights
from monitord.errors import ConfigError
from monitord.listener import ListenerParams
from monitord.tracker import TrackerParams
from monitord.windows import WINDOW_SAMPLES
from training import card, reasons
from training.calibrate import fit_cry, fit_reasons
from training.clips import make_folder
from training.evaluate import auc
from training.held_out import evaluation_rows
from training.operating_point import choose
from training.prepare import Prepared, samples_of
from training.pretrain import read_trained
from training.reason_rows import reason_rows
from training.reasons import Labelled
from training.report.words import seconds
from training.stream_table import HALVES, crossed, figures, hear_halves, peers
from training.unsure import unsure_below

BATCH: Final = 64
"""Windows in a forward pass."""
LABELLED_DATA: Final = "donateacry, grouped by installation"
"""Whose reasons the threshold of told reasons rests on."""
LEAST_TOLD: Final = 20
"""Recordings that must have been told for a share to mean anything."""

COMMANDS: Final = (
    "monitord-train prepare --data DATA --out PREPARED",
    "monitord-train teach --prepared PREPARED --out VIEWS",
    "monitord-train pretrain --prepared PREPARED --views VIEWS --out PRETRAINED",
    "monitord-train fit --prepared PREPARED --weights PRETRAINED/pretrained.weights.h5 --out BUNDLE",
)
"""How a bundle is made; for the card."""

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


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the network makes of windows."""

    cry: NDArray[np.float32]
    """[n] logits."""
    embedding: NDArray[np.float32]
    """[n, 128]."""


def fit(
    prepared: Prepared,
    weights: Path,
    directory: Path,
    *,
    hours: int,
) -> Bundle:
    """Makes a bundle.

    Args:
        prepared: What `prepare` wrote.
        weights: What `pretrain` wrote.
        directory: Where the bundle will stand.
        hours: With cries, and as many without, from each half of the held-out recordings.

    Raises:
        ConfigError: The weights are missing, nothing says what they belong to, or they hear no cry; too few families
            told a reason; there is nothing held out to judge by; or the bundle may not be written.
    """
    make_folder(directory.parent)
    trained = read_trained(weights)
    model = build_classifier(trained.architecture)
    try:
        model.load_weights(weights)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{weights}: no weights of this network ({error}); run: monitord-train pretrain") from error
    rows, cry, confirmed = evaluation_rows(prepared)
    heard = _hear(prepared, rows, model, trained.frontend)
    sure = ~cry | confirmed
    # Two numbers fitted on thousands of held-out windows: the order of scores, and so the AUC, does not depend on them.
    if len(np.unique(cry[sure])) < 2:  # noqa: PLR2004 - both kinds
        raise ConfigError(f"{prepared.folder}: needs cries and other sound among what is held out")
    scale, bias = fit_cry(heard.cry[sure], cry[sure])
    if scale <= 0:
        raise ConfigError(f"{weights}: scores cries no higher than other sound; run: monitord-train pretrain, longer")
    told = reason_rows(prepared)
    families = len(np.unique(told.group))
    if families < reasons.FOLDS:
        raise ConfigError(
            f"{prepared.folder}: {families} families told a reason for a cry that is heard, expected at least "
            f"{reasons.FOLDS}, one in each fold"
        )
    labelled = told.labelled(_hear(prepared, told.row, model, trained.frontend).embedding)
    judged = {protocol: reasons.judge(labelled, protocol) for protocol in ("random", "grouped")}
    out_of_fold = _even_logits(judged["grouped"].probabilities)
    calibration = Calibration(cry_scale=scale, cry_bias=bias, reason_scale=fit_reasons(out_of_fold, labelled.reason))
    below, why_unsure = unsure_below(
        p_reasons(calibration, out_of_fold), labelled.reason, data=LABELLED_DATA, least_told=LEAST_TOLD
    )
    _install_reasons(model, labelled)

    area = auc(cry[sure], p_cry(calibration, heard.cry)[sure], _groups(prepared, rows[sure]))
    metrics: dict[str, Any] = {  # Any: JSON values
        "random": {"reasons": judged["random"].figures},
        "grouped": {
            "reasons": judged["grouped"].figures,
            "cry": {"window_auc": round(area.value, 4), "window_auc_95": [round(area.low, 4), round(area.high, 4)]},
            "commands": list(COMMANDS),
        },
    }
    manifest = Manifest(
        name="vggish-compact",
        architecture=trained.architecture,
        heads="trained",
        calibration=calibration,
        frontend=trained.frontend,
        listener=ListenerParams(),
        tracker=TrackerParams(unsure_below=below),
        rests_on={"tracker.on_p": "nothing yet", "tracker.unsure_below": why_unsure},
        data=DATA,
        metrics=metrics,
    )
    tflite, arrays = export_litert(model), export_weights(model)
    with tempfile.TemporaryDirectory(prefix="monitord-fit-") as directory_name:
        # The very network that the daemon will run, quantised, hears the streams.
        draft = write_bundle(Path(directory_name) / "draft", manifest, tflite=tflite, weights=arrays, card="")
        on_streams = _on_streams(prepared, draft, hours)
    metrics["grouped"] |= on_streams.metrics
    manifest = replace(
        manifest,
        tracker=replace(on_streams.tracker, unsure_below=below),
        rests_on=manifest.rests_on | {"tracker.on_p": on_streams.why},  # type: ignore[operator]  # a dict, above
    )
    return write_bundle(directory, manifest, tflite=tflite, weights=arrays, card=card.write(manifest))


@dataclass(frozen=True, slots=True)
class _OnStreams:
    """Chosen thresholds and what they come to."""

    tracker: TrackerParams
    why: str
    metrics: dict[str, Any]
    """JSON values for the manifest; Any: whatever JSON holds."""


def _on_streams(prepared: Prepared, bundle: Bundle, hours: int) -> _OnStreams:
    """Chooses on each half of the families and sounds, judges on the other; what ships is chosen on both."""
    heard = hear_halves(prepared, bundle, hours)
    chosen = choose([one for half in HALVES for one in heard[half]]).tracker
    across = crossed(bundle.manifest.name, heard)
    found = figures([across, *peers(prepared, hours)], hours)
    ours, *others = found["systems"]
    streams = {name: value for name, value in ours.items() if name != "curve"}
    streams |= {name: found[name] for name in ("hours", "quiet_hours", "episodes")}
    streams["peers"] = [{name: value for name, value in peer.items() if name != "curve"} for peer in others]
    why = (
        f"{found['hours']} hours of streams with {found['episodes']} cries and {found['quiet_hours']} hours without, "
        "from held-out families and sounds, chosen on one half of these and judged on the other, both ways: "
        f"{ours['found']:.1%} found, {ours['false_per_hour']:.2f} false an hour, {seconds(ours['latency_p50_s'])} at "
        f"the median, {seconds(ours['latency_p95_s'])} at the 95th percentile; what ships was chosen on both halves"
    )
    return _OnStreams(
        chosen, why, {"streams": streams, "false_by_kind": dict(across.episodes.false_by_kind.most_common())}
    )


def _hear(prepared: Prepared, rows: NDArray[np.int64], model: keras.Model, frontend: FrontendParams) -> _Heard:
    sounds = samples_of(prepared, rows, WINDOW_SAMPLES)
    cry, embedding = [], []
    for start in tqdm(range(0, len(rows), BATCH), desc="forward", mininterval=1.0):
        batch = [samples for _, samples in zip(range(min(BATCH, len(rows) - start)), sounds, strict=False)]
        out = model.predict_on_batch(patches(batch, frontend))
        cry.append(out["cry"][:, 0])
        embedding.append(out["embedding"])
    return _Heard(np.concatenate(cry), np.concatenate(embedding))


def _even_logits(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(np.maximum(probabilities, 1e-6)).astype(np.float32)


def _install_reasons(model: keras.Model, labelled: Labelled) -> None:
    everything = np.ones(len(labelled.reason), np.bool_)
    kernel, bias = reasons.as_layer(reasons.fit_head(labelled, labelled.reason, everything))
    variables = named_weights(model)
    variables["reasons/kernel"].assign(kernel)
    variables["reasons/bias"].assign(bias)


def _groups(prepared: Prepared, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    names = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])
    return np.asarray(names[prepared.windows.recording[rows]])
