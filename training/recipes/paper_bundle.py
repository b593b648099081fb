"""A bundle by the paper's recipe: `monitord-train fit --recipe paper`.

Training all weights for the reasons moves the embedding that the cry's head was fitted on. With recordings of cries and
other sound (`prepare --data`) that head is fitted, calibrated and judged anew. Without them the bundle says `untrained`
and the daemon refuses it: nobody could say what it hears, and a monitor that nobody judged must not watch a baby.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.bundle import Bundle, write_bundle
from model.calibration import Calibration, p_reasons
from model.export import export_weights
from model.manifest import DataSet, Manifest
from model.vggish import FULL, build_classifier, named_weights
from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams
from monitord.types import REASONS
from training.data.clips import ClipSet
from training.data.prepared import Prepared
from training.evaluate.crossval import crossval
from training.learn.initial_weights import InitialWeights, load_initial_weights, see
from training.learn.paper_training import PaperParams, train
from training.recipes import model_card
from training.recipes.alarm_thresholds import choose_thresholds
from training.recipes.calibration import fit_reasons, logits_of
from training.recipes.cry_head import refit_cry
from training.recipes.litert_conversion import litert_of
from training.recipes.unsure_threshold import unsure_below

LEAST_TOLD: Final = 20
"""Clips that must have been told for a share to mean anything."""
AUDIOSET: Final = DataSet(
    "AudioSet, as VGGish learnt it",
    "CC BY 4.0 (labels); weights Apache-2.0",
    "AudioSet and VGGish by Google",
    "all weights up to the embedding, before they were trained on",
)
PAPER: Final = PaperParams()


def fit_paper(
    clips: ClipSet,
    start: Path | None,
    out: Path,
    work: Path,
    *,
    params: PaperParams = PAPER,
    n_folds: int = 5,
    prepared: Prepared | None = None,
    hours: int = 2,
) -> Bundle:
    """Cross-validates the recipe by both protocols, trains on all clips, and writes the bundle.

    Args:
        clips: Labelled.
        start: A bundle's directory or an AudioSet checkpoint; None is the bundle that comes with the project.
        out: Where the bundle will stand.
        work: Finished folds, checkpoints and learning curves; the same as `crossval --work`, whose folds are used. A
            stopped run goes on from here.
        params: The recipe's.
        n_folds: Of the cross-validation; the paper's five.
        prepared: What `prepare --data` wrote, for the cry's head; None writes a bundle that the daemon refuses.
        hours: Of streams to choose thresholds on, as in `training.recipes.compact_bundle`.

    Raises:
        ConfigError: There is one reason only, there are too few clips or groups, or `work` holds other work.
        BundleError: `start` is neither a bundle nor a checkpoint.
    """
    begun = load_initial_weights(start)
    found = crossval(clips, begun, params, n_folds=n_folds, work=work)
    seen = see(clips, begun)
    trained = train(seen, np.arange(len(clips.clips)), begun, params, work / "all", label="all clips").weights()
    model = build_classifier(begun.architecture)
    variables = named_weights(model)
    for name, array in trained.items():
        variables[name].assign(array)
    for name in ("cry/kernel", "cry/bias"):  # says nothing until it is fitted
        variables[name].assign(np.zeros(variables[name].shape, np.float32))

    out_of_fold = logits_of(np.array(found["grouped"]["probabilities"]))
    calibration = Calibration(reason_scale=fit_reasons(out_of_fold, clips.labels))
    below, why_unsure = unsure_below(
        p_reasons(calibration, out_of_fold), clips.labels, data=f"{_named(clips)}, grouped", least_told=LEAST_TOLD
    )
    metrics: dict[str, Any] = {  # Any: JSON values
        "random": {"reasons": _judged(found, "random")},
        "grouped": {"reasons": _judged(found, "grouped"), "commands": _commands(begun, params, prepared)},
    }
    old = None if begun.bundle is None else begun.bundle.manifest
    manifest = Manifest(
        name=_name(begun, clips),
        architecture=begun.architecture,
        heads="untrained",
        calibration=calibration,
        frontend=begun.frontend,
        listener=ListenerParams() if old is None else old.listener,
        tracker=replace(TrackerParams() if old is None else old.tracker, unsure_below=below),
        rests_on={"tracker.on_p": "nothing: the cry's head is untrained", "tracker.unsure_below": why_unsure},
        data=(*((AUDIOSET,) if old is None else old.data), *_data(clips)),
        metrics=metrics,
    )
    if prepared is not None:
        heard, metrics["grouped"]["cry"] = refit_cry(model, prepared, begun.frontend)
        calibration = replace(calibration, cry_scale=heard.cry_scale, cry_bias=heard.cry_bias)
        manifest = replace(manifest, heads="trained", calibration=calibration)
    weights = export_weights(model)
    tflite = litert_of(weights, begun.architecture)
    if prepared is not None:
        point = choose_thresholds(prepared, manifest, tflite=tflite, weights=weights, hours=hours)
        metrics["grouped"] |= point.metrics
        manifest = replace(
            manifest,
            tracker=replace(point.tracker, unsure_below=below),
            rests_on={"tracker.on_p": point.why, "tracker.unsure_below": why_unsure},
        )
    return write_bundle(out, manifest, tflite=tflite, weights=weights, card=_card(manifest, begun, clips))


def _judged(found: Mapping[str, Any], protocol: str) -> dict[str, Any]:  # Any: JSON values
    """One protocol's figures as a manifest keeps them: without the single clips."""
    kept = {name: found[protocol][name] for name in ("fold_accuracy", "model", "majority", "shuffled_labels")}
    return {name: found[name] for name in ("folds", "clips", "groups", "recipe")} | kept


def _named(clips: ClipSet) -> str:
    return f"{clips.name} (SYNTHETIC: no baby cried in it)" if clips.synthetic else clips.name


def _name(start: InitialWeights, clips: ClipSet) -> str:
    base = "vggish" if start.architecture == FULL else start.name.removesuffix("-paper")
    return f"{base}-paper{'-synthetic' if clips.synthetic else ''}"


def _data(clips: ClipSet) -> list[DataSet]:
    whose = "synthetic: no baby ever cried in it" if clips.synthetic else "the families who recorded"
    licences = sorted({clip.licence for clip in clips.clips})
    counts = ", ".join(f"{int((clips.labels == i).sum())} of {name}" for i, name in enumerate(REASONS))
    return [
        DataSet(clips.name, licence or "not told", whose, f"the reasons, and all weights with them; clips: {counts}")
        for licence in licences
    ]


def _commands(start: InitialWeights, params: PaperParams, prepared: Prepared | None) -> list[str]:
    given = "CHECKPOINT" if start.bundle is None else "START"
    epochs = "" if params.epochs == PAPER.epochs else f" --epochs {params.epochs}"
    hearing = "" if prepared is None else " --prepared PREPARED"
    return [
        "monitord-train prepare --manifest CLIPS.csv --out CLIPS",
        f"monitord-train fit --recipe paper --clips CLIPS --from {given} --work WORK{epochs}{hearing} --out BUNDLE",
    ]


def _card(manifest: Manifest, start: InitialWeights, clips: ClipSet) -> str:
    """The card, with a section in front on what the recipe did."""
    title, _, rest = model_card.write(manifest).partition("\n")
    said = (
        f"All weights were trained on {len(clips.clips)} labelled clips of {_named(clips)}, from {start.name}, by the "
        "paper's recipe: a softmax on the embedding, pre-emphasis and z-score as the front end below says."
    )
    deaf = (
        "**The daemon refuses this bundle.** Training all weights moved the embedding, no recordings of other sound "
        "were at hand to fit the cry's head anew, and what it would hear is unknown. Give `fit` the folder that "
        "`monitord-train prepare --data` wrote (`--prepared`). Until then it is a base for training."
    )
    heard = (
        "The cry's head was fitted anew on the embedding that training had moved; how well it hears is measured below "
        "and is this bundle's own."
    )
    return "\n".join(
        [
            title,
            "",
            "## Trained by the paper's recipe",
            "",
            said,
            "",
            heard if manifest.heads == "trained" else deaf,
            rest,
        ]
    )
