"""How well cries are heard, and reasons told, under noise: `monitord-train noise`.

Held-out windows are mixed with noises that training never saw, at levels from 20 dB over the noise to 10 dB under it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import recall_score, roc_auc_score
from tqdm import tqdm

from model.bundle import Bundle
from model.calibration import p_cry
from model.forward import Outputs
from model.frontend import patches
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from training.data.clips import ClipSet
from training.data.prepared import Prepared, samples_of
from training.evaluate.noise_reasons import ReasonsUnderNoise, ReasonWindows, of_clips, of_prepared
from training.label.held_out import evaluation_rows
from training.sound.augment import Wave, fit
from training.sound.noises import held_out_noises, in_noise, pcm

SNRS_DB: Final = (20.0, 10.0, 5.0, 0.0, -5.0, -10.0)
"""Decibels of the window's active level over the noise's."""
BATCH: Final = 64
"""Windows through the front end at once: more only asks the system for more memory, which takes as long again."""
CLEAN: Final = "none"
"""Name of the noise where there is none."""
TITLES: Final = {
    "cry_found": "Cry windows found at the bundle's threshold",
    "cry_auc": "Area under the curve: cry windows against others in the same noise and the noise alone",
    "reason_uar_grouped": "Reasons, grouped, by heads that learnt without noise: unweighted average recall",
}
"""Of the tables that are printed, by key of a row."""


@dataclass(frozen=True, slots=True)
class NoiseParams:
    """How many windows are tried; all are drawn once and meet every noise at every level."""

    cries: int = 300
    """Held-out windows in which a teacher hears the cry: a share of them is good to 3 points."""
    others: int = 300
    """Held-out windows of recordings without a cry."""
    alone: int = 100
    """Windows of each noise alone; they stand beside the others."""
    reasons: int = 800
    """Windows of cries with a told reason, at most two of a recording."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """A bundle in the table."""

    bundle: Bundle
    trained_with_noise: bool


class _Ear:
    """One bundle's network on LiteRT."""

    def __init__(self, tried: Tried) -> None:
        self.tried = tried
        self.manifest = tried.bundle.require_trained().manifest
        self._runtime = open_runtime(tried.bundle, "litert")

    def hear(self, windows: Pcm) -> Outputs:
        """Hears int16 [n, WINDOW_SAMPLES]."""
        parts = [windows[i : i + BATCH] for i in range(0, len(windows), BATCH)]
        heard = [self._runtime.forward(patches(part, self.manifest.frontend)) for part in parts]
        return Outputs(*(np.concatenate(column) for column in zip(*heard, strict=True)))


def noise_figures(
    prepared: Prepared, tried: Sequence[Tried], clips: ClipSet | None = None, params: NoiseParams | None = None
) -> dict[str, Any]:
    """Tries bundles on the very same mixtures.

    Args:
        prepared: What `prepare` wrote.
        tried: Bundles.
        clips: Labelled cries for the reasons; without them those of the prepared recordings.
        params: How many windows.

    Returns:
        JSON values: `rows` of `bundle`, `trained_with_noise`, `noise`, `snr_db` (None: clean), `cry_found` (share of
        the cry windows at the bundle's threshold), `cry_auc` (cry windows against the others in the same noise and the
        noise alone), `reason_uar_grouped` (None without labelled cries); and how many windows there were: `cries`,
        `others`, `alone`, `reason_recordings`, `reason_windows`.

    Raises:
        ConfigError: The prepared folder holds no held-out cries, or nothing else.
    """
    params = params or NoiseParams()
    rng = np.random.default_rng(params.seed)
    cries, others = _held_out(prepared, params, rng)
    told = of_clips(clips, params.reasons, rng) if clips is not None else of_prepared(prepared, params.reasons, rng)
    noises = held_out_noises(prepared, params.seed)
    windows = np.concatenate([cries, others, told.sounds if told else np.empty((0, WINDOW_SAMPLES), np.int16)])
    is_cry = np.arange(len(cries) + len(others)) < len(cries)
    ears = [_Ear(one) for one in tried]
    bar = tqdm(total=(1 + len(noises) * len(SNRS_DB)) * len(ears), desc="hear under noise", unit="table cell")
    rows: list[dict[str, Any]] = []  # Any: JSON values
    for ear in ears:
        table = _Table(ear, is_cry, told, ear.hear(windows))
        rows.append(table.row(CLEAN, None, table.clean, np.empty(0, np.float32)))
        bar.update()
        for name, sounds in noises.items():
            noise_rng = np.random.default_rng((params.seed, list(noises).index(name)))  # the same for every bundle
            laid = _lay(sounds, len(windows), noise_rng)
            alone = ear.hear(pcm(_lay(sounds, params.alone, noise_rng))).cry
            for snr_db in SNRS_DB:
                rows.append(table.row(name, snr_db, ear.hear(in_noise(windows, laid, snr_db)), alone))
                bar.update()
    bar.close()
    return {
        "rows": rows,
        "cries": len(cries),
        "others": len(others),
        "alone": params.alone,
        "reason_recordings": len(told.reason) if told else 0,
        "reason_windows": len(told.sounds) if told else 0,
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """Writes the tables of `noise_figures`."""
    rows = figures["rows"]
    reasons = f"{figures['reason_windows']} windows of {figures['reason_recordings']} recordings"
    sizes = f"{figures['cries']} held-out cry windows and {figures['others']} others in noise, {figures['alone']} of "
    lines = [f"{sizes}each noise alone; reasons: {reasons}."]
    for key, title in TITLES.items():
        if all(row[key] is None for row in rows):
            continue
        lines += ["", f"**{title}**", "", f"| noise | bundle | clean | {' | '.join(f'{x:g} dB' for x in SNRS_DB)} |"]
        lines.append("|---" * (3 + len(SNRS_DB)) + "|")
        lines += _table_lines(rows, key)
    return "\n".join(lines)


def _table_lines(rows: list[Mapping[str, Any]], key: str) -> list[str]:
    bundles = list(dict.fromkeys((row["bundle"], row["trained_with_noise"]) for row in rows))
    noises = list(dict.fromkeys(row["noise"] for row in rows if row["noise"] != CLEAN))
    lines = []
    for noise in noises:
        for name, trained in bundles:
            own = [row for row in rows if (row["bundle"], row["trained_with_noise"]) == (name, trained)]
            at = {row["snr_db"]: row[key] for row in own if row["noise"] in {noise, CLEAN}}
            cells = [f"{at[x]:.0%}" if key == "cry_found" else f"{at[x]:.3f}" for x in (None, *SNRS_DB)]
            label = f"{name}, {'with' if trained else 'without'} noise training"
            lines.append(f"| {noise} | {label} | {' | '.join(cells)} |")
    return lines


class _Table:
    """One bundle's rows."""

    def __init__(self, ear: _Ear, is_cry: NDArray[np.bool_], told: ReasonWindows | None, clean: Outputs) -> None:
        self._ear, self._is_cry, self.clean = ear, is_cry, clean
        self._reasons = ReasonsUnderNoise(told, clean.embedding[len(is_cry) :]) if told else None

    def row(self, noise: str, snr_db: float | None, heard: Outputs, alone: NDArray[np.float32]) -> dict[str, Any]:
        """One row of `noise_figures`: `heard` are all windows in the noise, `alone` the cry logits of the noise."""
        manifest, n = self._ear.manifest, len(self._is_cry)
        cry = heard.cry[:n]
        found = p_cry(manifest.calibration, cry[self._is_cry]) >= manifest.tracker.on_p
        truth = np.concatenate([self._is_cry, np.zeros(len(alone), np.bool_)])
        recall = None
        if self._reasons:
            said = self._reasons.said(heard.embedding[n:])
            reason = self._reasons.told.reason
            recall = round(
                float(recall_score(reason, said, labels=np.unique(reason), average="macro", zero_division=0.0)), 3
            )
        return {
            "bundle": manifest.name,
            "trained_with_noise": self._ear.tried.trained_with_noise,
            "noise": noise,
            "snr_db": snr_db,
            "cry_found": round(float(found.mean()), 3),
            "cry_auc": round(float(roc_auc_score(truth, np.concatenate([cry, alone]))), 4),
            "reason_uar_grouped": recall,
        }


def _held_out(prepared: Prepared, params: NoiseParams, rng: np.random.Generator) -> tuple[Pcm, Pcm]:
    rows, cry, confirmed = evaluation_rows(prepared)
    drawn = []
    for of, most, what in ((cry & confirmed, params.cries, "cries"), (~cry, params.others, "other sound")):
        chosen = np.sort(rng.permutation(rows[of])[:most])
        if not len(chosen):
            raise ConfigError(f"{prepared.folder}: holds no held-out {what} to try under noise")
        drawn.append(np.stack(list(samples_of(prepared, chosen, WINDOW_SAMPLES))))
    return drawn[0], drawn[1]


def _lay(sounds: Sequence[Wave], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """[n, WINDOW_SAMPLES]: a random place of a random one of these sounds for each window."""
    return np.stack([fit(sounds[int(rng.integers(len(sounds)))], WINDOW_SAMPLES, rng) for _ in range(n)])
