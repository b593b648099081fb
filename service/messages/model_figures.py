"""What a model is worth in a handful of figures, out of all that its bundle says. Pure."""

from collections.abc import Mapping
from typing import Final

_FIGURES: Final = {
    "window_auc": ("cry", "window_auc"),
    "episodes_found": ("streams", "found"),
    "false_per_hour": ("streams", "false_per_hour"),
    "latency_p50_s": ("streams", "latency_p50_s"),
    "reasons_macro_f1": ("reasons", "model", "macro_f1"),
}
"""Where each stands under the protocol that keeps families apart (`grouped`): what a family that it does not know may
expect. All of them, with confusion matrices and intervals, are 5 kB, which belong into `monitord bundle show`."""


def headline(metrics: Mapping[str, object]) -> dict[str, object]:
    """Returns the figures that stand in a manifest's `metrics`; one that is not there is left out."""
    told = {name: _at(metrics.get("grouped"), path) for name, path in _FIGURES.items()}
    return {name: value for name, value in told.items() if isinstance(value, int | float)}


def _at(values: object, path: tuple[str, ...]) -> object:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
