"""What corrections are worth in homes with one sound that is taken for a cry: `monitord-train adapt`.

One cat, one laughing baby or one squeaking door, none of which training heard, sounds ten times an hour. The family
corrects its first false alarms, the daemon's own code learns from them, and other hours of the home are judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.adaptation.learning import BEFORE_S, STRONGEST, Learnt, Lesson, adapted, learn
from model.adaptation.reference import Reference, Windows
from model.bundle import Bundle
from model.calibration import sigmoid
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.types import RATE_HZ, Scores, Window
from training.data.prepared import Prepared
from training.learn.reference_windows import hear_windows, make_reference
from training.streams.comparison import SEED
from training.streams.false_alarms import Episodes, Heard, kind_at, tracked
from training.streams.mixing import HALVES, LAUGHS, Half, Stream, StreamParams, half_of, lay
from training.streams.operating_point import judge
from training.streams.scoring import hear_stream

SOUNDS: Final[Mapping[str, tuple[str, ...]]] = {
    "a cat that meows": ("catmeows", "cat"),
    "a baby that laughs": tuple(sorted(LAUGHS)),
    "a door that squeaks": ("door_wood_creaks",),
}
"""By home: how the kinds of its own sound begin."""
INDIVIDUALS: Final = 3
"""Cats, babies, doors at most, those that the bundle mistakes most: each has a home of its own."""
CORRECTIONS: Final = (0, 1, 3, 10)
"""False alarms that the family has corrected: the first so many."""
JUDGED: Final = StreamParams(every_s=60.0)
"""A sound each minute."""
OWN_EACH: Final = 6
"""One of these in so many is the home's own: ten times an hour."""
CORRECTED: Final = StreamParams(every_s=15.0, length_s=900.0)
"""The time in which the family corrects, denser: half of the sounds are the home's own, some thirty in all."""
APART: Final = 4
"""Recordings of an individual from which on it learns from the one half and is judged by the other."""
LESSONS: Final = 1000
"""Added to the seed for the hours in which the family corrects: others than those that are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardHour:
    """One stream, and what the network made of its windows."""

    heard: Heard
    windows: Windows

    def taught(self, learnt: Learnt) -> Heard:
        """The stream as it is heard with what was learnt."""
        p_cry: list[float] = sigmoid(adapted(self.windows, learnt.adaptation)).tolist()
        return replace(self.heard, p_cry=p_cry)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of home after so many corrections, over all its individuals."""

    home: str
    corrections: int
    individuals: int
    given: int
    """Corrections that there were false alarms for, over all individuals."""
    kept: int
    """Of these, settled by what is in force."""
    episodes: Episodes
    own: int
    """False alarms by the home's own sound."""


def judge_homes(prepared: Prepared, bundle: Bundle, hours: int) -> list[Row]:
    """Teaches each home, and judges so many hours of it with cries."""
    classifier = Classifier(bundle, open_runtime(bundle, "litert"))
    references = {half: _reference(prepared, bundle, half) for half in HALVES}
    rows: list[Row] = []
    for home, kinds in SOUNDS.items():
        groups = mistaken(prepared, bundle, kinds)
        for group in tqdm(groups, desc=home, unit="home"):
            rows += _judge_home(prepared, classifier, references[half_of(group)], (home, kinds, group), hours)
    return [
        _sum([row for row in rows if row.home == home and row.corrections == n]) for home in SOUNDS for n in CORRECTIONS
    ]


def mistaken(prepared: Prepared, bundle: Bundle, kinds: tuple[str, ...]) -> list[str]:
    """Names the held-out groups of these kinds that the bundle mistakes most, by windows that speak for crying."""
    of_kind = [one.held_out and one.is_cry is False and one.kind.startswith(kinds) for one in prepared.recordings]
    rows = np.flatnonzero(np.array(of_kind)[prepared.windows.recording] & prepared.windows.heard)
    if not len(rows):
        return []
    speaking = hear_windows(prepared, bundle, rows, "sounds").log_odds >= _threshold(bundle)
    names = np.array([_group(prepared, i) for i in prepared.windows.recording[rows].tolist()])
    counts = {str(name): int(speaking[names == name].sum()) for name in np.unique(names)}
    return [name for name in sorted(counts, key=lambda name: (-counts[name], name)) if counts[name]][:INDIVIDUALS]


def only(prepared: Prepared, kinds: tuple[str, ...], group: str, part: int) -> Prepared:
    """The same recordings, but of these kinds no individual other than one, and of that, if it has many, a half."""
    own = [
        i for i, one in enumerate(prepared.recordings) if one.kind.startswith(kinds) and _group(prepared, i) == group
    ]
    laid = set(own[part::2] if len(own) >= APART else own)
    recordings = [
        replace(one, held_out=one.held_out and (i in laid or not one.kind.startswith(kinds)))
        for i, one in enumerate(prepared.recordings)
    ]
    return replace(prepared, recordings=recordings)


def lessons_of(hour: HeardHour, kinds: tuple[str, ...], bundle: Bundle) -> list[Lesson]:
    """What a family says that corrects every false alarm by its own sound, in order of time."""
    ends = np.array([window.end for window in hour.heard.windows])
    lessons = []
    for start, end in tracked(hour.heard, bundle.manifest.tracker):
        if not kind_at(hour.heard.stream, start).startswith(kinds):
            continue
        at = np.flatnonzero((ends > start - BEFORE_S * RATE_HZ) & (ends <= end))
        strongest = at[np.argsort(-hour.windows.log_odds[at], kind="stable")[:STRONGEST]]
        windows = Windows(hour.windows.embedding[strongest], hour.windows.log_odds[strongest])
        lessons.append(Lesson(f"alarm at {start / RATE_HZ:.0f} s", False, windows, _threshold(bundle)))  # noqa: FBT003
    return lessons


def _judge_home(
    prepared: Prepared,
    classifier: Classifier,
    reference: Reference,
    which: tuple[str, tuple[str, ...], str],
    hours: int,
) -> list[Row]:
    (home, kinds, group), bundle = which, classifier.bundle
    half, lessons = half_of(group), list[Lesson]()
    learning, corrected = only(prepared, kinds, group, 0), _at_home(CORRECTED, kinds, 2)
    for stream in lay(learning, half, hours=1, seed=SEED + LESSONS, cries=False, params=corrected):
        lessons += lessons_of(_hear(stream, classifier), kinds, bundle)
    judged = only(prepared, kinds, group, 1)
    streams = lay(judged, half, hours=hours, seed=SEED, cries=True, params=_at_home(JUDGED, kinds, OWN_EACH))
    heard = [_hear(stream, classifier) for stream in streams]
    rows = []
    for n in CORRECTIONS:
        given = lessons[:n]
        learnt = learn(bundle.id, given, reference, [_threshold(bundle)]) if given else Learnt(None)
        episodes = judge([one.taught(learnt) for one in heard], bundle.manifest.tracker)
        own = sum(count for kind, count in episodes.false_by_kind.items() if kind.startswith(kinds))
        rows.append(Row(home, n, 1, len(given), len(learnt.kept), episodes, own))
    return rows


def _at_home(params: StreamParams, kinds: tuple[str, ...], each: int) -> StreamParams:
    """One sound in so many is of these kinds."""
    if set(kinds) <= LAUGHS:
        return replace(params, laugh_every=each)
    return replace(params, own=kinds, own_share=1.0 / each, laugh_every=1_000_000)


def _hear(stream: Stream, classifier: Classifier) -> HeardHour:
    scored: list[Scores] = []

    def scorer(windows: Sequence[Window]) -> NDArray[np.float32]:
        found = classifier.score(windows)
        scored.extend(found)
        return np.array([one.p_cry for one in found], np.float32)

    heard = hear_stream(stream, classifier.bundle, scorer)
    embedding = np.array([one.embedding for one in scored], np.float32).reshape(len(scored), -1)
    short = replace(stream, samples=np.broadcast_to(np.int16(0), len(stream.samples)))  # an hour is 115 MB
    return HeardHour(
        replace(heard, stream=short), Windows(embedding, np.array([one.log_odds for one in scored], np.float32))
    )


def _reference(prepared: Prepared, bundle: Bundle, half: Half) -> Reference:
    """Without the families and sounds that are laid in this half: they are strangers there."""
    laid = {
        _group(prepared, i)
        for i, one in enumerate(prepared.recordings)
        if one.held_out and half_of(_group(prepared, i)) == half
    }
    return make_reference(prepared, bundle, lambda name: name not in laid)


def _threshold(bundle: Bundle) -> float:
    """Log-odds from which a window speaks for crying, at the bundle's own threshold."""
    params = bundle.manifest.tracker
    return params.neutral(params.on_p)


def _group(prepared: Prepared, index: int) -> str:
    recording = prepared.recordings[index]
    return f"{recording.dataset}:{recording.group}"


def _sum(rows: Sequence[Row]) -> Row:
    first = rows[0]
    return Row(
        first.home,
        first.corrections,
        sum(row.individuals for row in rows),
        sum(row.given for row in rows),
        sum(row.kept for row in rows),
        sum((row.episodes for row in rows), Episodes()),
        sum(row.own for row in rows),
    )


def figures(rows: Sequence[Row], hours: int) -> dict[str, Any]:
    """JSON values for `report`; Any: whatever JSON holds."""
    return {
        "hours": hours,
        "homes": [
            {
                "home": row.home,
                "individuals": row.individuals,
                "corrections": row.corrections,
                "given": row.given,
                "heard_as_said": row.kept,
                "false_by_it_per_hour": round(row.own / row.episodes.hours, 2),
                "other_false_per_hour": round((row.episodes.false - row.own) / row.episodes.hours, 2),
                "cries": len(row.episodes.found),
                "found": round(row.episodes.share_found, 3),
            }
            for row in rows
        ],
    }


def markdown(found: Mapping[str, Any]) -> str:
    """Writes the table that a person reads."""
    lines = [
        "| home with | corrections | given, heard as said | false alarms by it, an hour | others | cries found |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['home']} ({row['individuals']}) | {row['corrections']} | {row['given']}, {row['heard_as_said']} | "
        f"{row['false_by_it_per_hour']:.2f} | {row['other_false_per_hour']:.2f} | "
        f"{row['found']:.1%} of {row['cries']} |"
        for row in found["homes"]
    ]
    return "\n".join(lines)
