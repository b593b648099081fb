"""The windows that a bundle carries as its reference: strangers' cries and other sound, as the bundle hears them."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.adaptation.reference import Reference, Windows
from model.bundle import Bundle
from model.calibration import cry_log_odds
from model.frontend import patches
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from training.data.prepared import Prepared, samples_of
from training.label.held_out import evaluation_rows
from training.label.targets import SURE_SHARE, cry_targets

EACH_FAMILY: Final = 12
"""Cry windows of a family at most: some have uploaded one cry and some twenty."""
EACH_KIND: Final = 16
"""Windows of each kind of other sound at most."""
BATCH: Final = 64
"""Windows in a forward pass."""


def make_reference(prepared: Prepared, bundle: Bundle, belongs: Callable[[str], bool] = lambda _: True) -> Reference:
    """Hears the reference with a bundle, on LiteRT as in the daemon; the same recordings give the same reference.

    Cries are of all families, also of those that training saw: a hundred more voices hold a change of the head better
    than the held-out ones alone do. Of cats that a bundle had never heard, ten corrections lost twice as many windows
    of a third party's cries without them. Other sound is held out.

    Args:
        prepared: What `prepare` wrote.
        bundle: Whose embeddings.
        belongs: Whether a group (`dataset:group`) may be in it; to judge by the others.

    Raises:
        ConfigError: There are no cries, or nothing else, to hold it.
    """
    windows = prepared.windows
    names = [f"{one.dataset}:{one.group}" for one in prepared.recordings]
    free = np.array([belongs(name) for name in names])[windows.recording]
    is_cry = np.array([one.is_cry is True for one in prepared.recordings])[windows.recording]
    cries = np.flatnonzero(free & is_cry & windows.heard & (cry_targets(prepared) >= SURE_SHARE))
    held, crying, _ = evaluation_rows(prepared)
    others = held[~crying & free[held]]
    if not len(cries) or not len(others):
        missing = "other sound" if len(cries) else "cries"
        raise ConfigError(f"{prepared.folder}: needs {missing} among what is prepared, to check an adaptation against")
    kinds = [one.kind for one in prepared.recordings]
    cries = _evenly(cries, (names[i] for i in windows.recording[cries]), EACH_FAMILY)
    others = _evenly(others, (kinds[i] for i in windows.recording[others]), EACH_KIND)
    return Reference(
        hear_windows(prepared, bundle, cries, "reference: cries"),
        hear_windows(prepared, bundle, others, "reference: other sound"),
    )


def _evenly(rows: NDArray[np.int64], names: Iterable[str], most: int) -> NDArray[np.int64]:
    """Of each name at most so many, by chance, in order."""
    rng, name = np.random.default_rng(0), np.array(list(names))
    drawn = [rng.permutation(np.flatnonzero(name == one))[:most] for one in np.unique(name)]
    return np.asarray(rows[np.sort(np.concatenate(drawn))], np.int64)


def hear_windows(prepared: Prepared, bundle: Bundle, rows: NDArray[np.int64], what: str) -> Windows:
    """Hears rows of `prepared.windows` with a bundle; `what` they are, for the bar."""
    runtime, manifest = open_runtime(bundle, "litert"), bundle.manifest
    sounds = samples_of(prepared, rows, WINDOW_SAMPLES)
    parts = [
        runtime.forward(patches([next(sounds) for _ in rows[start : start + BATCH]], manifest.frontend))
        for start in tqdm(range(0, len(rows), BATCH), desc=what, unit="batch", mininterval=1.0)
    ]
    return Windows(
        np.concatenate([part.embedding for part in parts]),
        cry_log_odds(manifest.calibration, np.concatenate([part.cry for part in parts])).astype(np.float32),
    )
