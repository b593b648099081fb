"""Who is tested when: folds by the paper's protocol (random over clips) and grouped (nobody on both sides).

scikit-learn makes the folds. What is decided here is who belongs together, and when folds cannot be made at all.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from monitord.errors import ConfigError
from training.data.clips import Clip

Protocol = Literal["random", "grouped"]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows to train with and rows to test with, each ascending; together every row once."""

KINSHIP: Final = ("baby", "recording", "installation")
"""Fields of a clip: two clips that share one of these, where it is known, are never on both sides."""
FOLD_COLUMN: Final = "fold"
"""Column of a manifest with the family's or researcher's own folds (integers)."""


def groups_of(clips: Sequence[Clip]) -> NDArray[np.int64]:
    """Numbers the groups of clips that belong together, in the order of their first clips, from 0.

    Clips that share a known baby, recording or installation are one group, and so is a chain of such clips: a phone
    that heard two babies holds both together.

    Returns:
        int64 [clips].
    """
    nodes: dict[tuple[str, str], int] = {}
    edges = [
        (row, nodes.setdefault((kin, name), len(clips) + len(nodes)))
        for row, clip in enumerate(clips)
        for kin in KINSHIP
        if (name := getattr(clip, kin))
    ]
    size = len(clips) + len(nodes)
    pairs = np.array(edges, np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    found = connected_components(graph, directed=False)[1][: len(clips)]
    _, first, group = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group].astype(np.int64)


def folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], protocol: Protocol, n_folds: int = 5, seed: int = 0
) -> list[Fold]:
    """Splits clips into folds with each label's share about the same in all; each clip is tested exactly once.

    A label rarer than there are folds is missing from the tests of some; where one group holds all clips of a label,
    no training sees that label while this group is tested.

    Args:
        labels: [clips], index of the reason.
        groups: [clips], as `groups_of` numbers them; heeded by `grouped` alone.
        protocol: `random`: over clips, as the paper does it; `grouped`: no group on both sides of a fold.
        n_folds: At least 2.
        seed: The same seed, the same folds.

    Raises:
        ConfigError: There is one label only, or there are fewer clips (grouped: groups) than folds.
    """
    if len(np.unique(labels)) < 2:  # noqa: PLR2004 - nothing to tell apart
        raise ConfigError("all clips have the same reason, so there is nothing to tell apart: label a second one too")
    units = len(np.unique(groups)) if protocol == "grouped" else len(labels)
    if n_folds < 2:  # noqa: PLR2004 - a fold has two sides
        raise ConfigError(f"{n_folds} folds: ask for at least 2")
    if n_folds > units:
        raise ConfigError(f"{n_folds} folds need {_NEED[protocol].format(n_folds=n_folds, units=units)}")
    if protocol == "grouped":
        stratified = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        plain = GroupKFold(n_folds, shuffle=True, random_state=seed)
    else:
        stratified = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        plain = KFold(n_folds, shuffle=True, random_state=seed)
    together = groups if protocol == "grouped" else None
    if np.bincount(labels).max() >= n_folds:  # else scikit-learn refuses to stratify
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class")  # as the docstring says
            made = list(_rows(stratified.split(labels, labels, together)))
        if all(len(test) for _, test in made):  # its greedy search may leave a fold empty where groups are few
            return made
    return list(_rows(plain.split(labels, labels, together)))


def folds_of(clips: Sequence[Clip], labels: NDArray[np.int64], protocol: Protocol, n_folds: int = 5) -> list[Fold]:
    """As `folds`, by the clips themselves; the manifest's own column `fold`, where there is one, decides for `grouped`.

    Raises:
        ConfigError: As `folds`; or the column names one fold only.
    """
    own = [clip.more.get(FOLD_COLUMN, "") for clip in clips]
    if protocol == "random" or not all(own):
        return folds(labels, groups_of(clips), protocol, n_folds)
    number = np.array([int(fold) for fold in own])
    if len(np.unique(number)) < 2:  # noqa: PLR2004 - a fold has two sides
        raise ConfigError(f"column {FOLD_COLUMN}: names one fold only; number at least two, or leave the column out")
    return list(_rows((np.flatnonzero(number != fold), np.flatnonzero(number == fold)) for fold in np.unique(number)))


_NEED: Final = {
    "random": "{n_folds} clips, found {units}: record and label more cries, or ask for fewer folds",
    "grouped": (
        "{n_folds} groups, found {units}: clips that share a baby, a recording or an installation are one group; "
        "record more babies, give each recording a name of its own, or ask for fewer folds"
    ),
}


# Any: scikit-learn has no types.
def _rows(pairs: Iterable[tuple[Any, Any]]) -> Iterator[Fold]:
    for train, test in pairs:
        yield np.asarray(train, np.int64), np.asarray(test, np.int64)
