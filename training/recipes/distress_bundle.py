"""How hard it cries, added to a bundle: `monitord-train fit --recipe distress --from BUNDLE`."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.bundle import CARD, REFERENCE, TFLITE, WEIGHTS, Bundle, write_bundle
from model.manifest import DataSet
from monitord.errors import BundleError
from training.data.prepared import Prepared
from training.evaluate.distress import KINDS, fit_and_judge
from training.recipes import model_card

RESTS_ON: Final = "distress"
"""Key of `Manifest.rests_on`."""
CORVIN: Final = DataSet(
    "corvin",
    "MIT",
    "Pain cues override identity cues in baby cries, by Siloe Corvin et al.; (c) 2024 Theunissen Lab",
    "how hard identified babies cry",
)
"""To whom the head owes attribution, where the network was not taught by these cries, too."""


def knows_distress(prepared: Prepared) -> bool:
    """Whether there is anything to learn it from."""
    return {recording.kind for recording in prepared.recordings} >= set(KINDS)


def with_distress(prepared: Prepared, bundle: Bundle, directory: Path) -> Bundle:
    """Writes a bundle that also says how hard it cries; its network and all other parameters stay as they are.

    Args:
        prepared: Holds corvin.
        bundle: Verified and trained; one that says it already gets another head.
        directory: Where the new one will stand; may be where the old one stands.

    Raises:
        ConfigError: There are too few babies to learn from.
        BundleError: It cannot be written. What stood there before stands there still.
    """
    fitted = fit_and_judge(prepared, bundle.require_trained())
    old = bundle.manifest
    told = next(row for row in fitted.figures["rows"] if row["arrived"].startswith("random"))
    low, high = told["auc_95"]
    why = (
        f"corvin, {fitted.figures['babies']} babies, each left out in its turn: through random rooms, walls, hiss and "
        f"levels it tells vaccinations from baths with an AUC of {told['auc']:.3f} ({low:.3f} to {high:.3f}); "
        "calibrated on the babies left out"
    )
    # Any: JSON values.
    grouped: dict[str, Any] = {**_object(old.metrics["grouped"]), "distress": fitted.figures}
    manifest = replace(
        old,
        distress=fitted.head,
        rests_on={**old.rests_on, RESTS_ON: why},
        metrics={**old.metrics, "grouped": grouped},
        data=old.data if CORVIN.name in {one.name for one in old.data} else (*old.data, CORVIN),
    )
    with np.load(bundle.directory / WEIGHTS, allow_pickle=False) as stored:
        weights = {name: stored[name] for name in stored.files}
    exact = any(array.dtype == np.float32 for array in weights.values())
    new = write_bundle(
        directory,
        manifest,
        tflite=(bundle.directory / TFLITE).read_bytes(),
        weights=weights,
        card=model_card.write(manifest),
        exact=exact,
        reference=(bundle.directory / REFERENCE).read_bytes() if REFERENCE in old.files else None,
    )
    changed = [name for name, record in new.manifest.files.items() if name != CARD and record != old.files[name]]
    if changed:
        raise BundleError(f"{directory}: {', '.join(changed)} changed, where only the manifest and {CARD} should have")
    return new


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return dict(value) if isinstance(value, dict) else {}
