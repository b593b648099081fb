"""Homes of several kinds, each judged by itself: `monitord-train streams --households`.

The streams of the other table are far busier than any home, so that an hour of them says something. Here sounds are as
many and as loud as somebody might have them; each kind of hour times the hours that a day has of it is what a family
would count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tqdm import tqdm

from model.bundle import Bundle
from training.data.prepared import Prepared
from training.results.number_text import seconds
from training.streams.comparison import SEED
from training.streams.false_alarms import Episodes
from training.streams.figures import point
from training.streams.mixing import HALVES, StreamParams, lay
from training.streams.operating_point import judge
from training.streams.scoring import bundle_scorer, hear_stream


@dataclass(frozen=True, slots=True)
class Household:
    """A kind of hour and how many of them a day has."""

    params: StreamParams
    hours_a_day: float

    @property
    def sounds_a_minute(self) -> float:
        """Besides the cries, on average."""
        return 60.0 / self.params.every_s


HOUSEHOLDS: Final[Mapping[str, Household]] = {
    "quiet night": Household(
        StreamParams(every_s=300.0, sound_dbfs=(-50.0, -30.0), bed_dbfs=(-75.0, -55.0), laugh_every=1_000_000), 11.0
    ),
    "evening with television": Household(
        StreamParams(every_s=15.0, sound_dbfs=(-45.0, -30.0), own=("speech:adult", "speech:talk"), own_share=0.8), 3.0
    ),
    "day with a cat": Household(StreamParams(every_s=60.0, own=("cat",), own_share=0.2), 5.0),
    "day with siblings": Household(StreamParams(every_s=30.0, own=("speech:child",), laugh_every=5), 5.0),
}
"""By name. A sound every five minutes of a night, a voice every quarter minute of an evening, a cat that meows ten
times an hour, children who talk every minute and laugh twenty times an hour: together a day."""
HEADER: Final = (
    "| home | sounds a minute | hours | cries | found | false an hour, of all hours | latency p50 | p95 | "
    "false: what sounded | hours of a day | false a day |"
)


def judge_households(prepared: Prepared, bundle: Bundle, hours: int) -> dict[str, Episodes]:
    """Hears every kind of home with the bundle's own rule: so many hours with cries and without, from each half."""
    scorer = bundle_scorer(bundle)
    bar = tqdm(total=len(HOUSEHOLDS) * len(HALVES) * 2 * hours, desc="households", unit="hour")
    out = {}
    for name, household in HOUSEHOLDS.items():
        counts = Episodes()
        for half in HALVES:
            for cries in (True, False):
                for stream in lay(prepared, half, hours=hours, seed=SEED, cries=cries, params=household.params):
                    counts += judge([hear_stream(stream, bundle, scorer)], bundle.manifest.tracker)
                    bar.update()
        out[name] = counts
    bar.close()
    return out


def figures(judged: Mapping[str, Episodes]) -> dict[str, Any]:
    """JSON values for a result: a row for each kind of home, and their day. Any: whatever JSON holds."""
    rows = [_row(name, HOUSEHOLDS[name], counts) for name, counts in judged.items()]
    sounds = sum(HOUSEHOLDS[name].sounds_a_minute * 60.0 * HOUSEHOLDS[name].hours_a_day for name in judged)
    return {
        "homes": rows,
        "hours_a_day": sum(row["hours_a_day"] for row in rows),
        "sounds_a_day": round(sounds),
        "false_a_day": round(sum(row["false_a_day"] for row in rows), 2),
    }


def _row(name: str, household: Household, counts: Episodes) -> dict[str, Any]:
    return {
        "household": name,
        "sounds_a_minute": household.sounds_a_minute,
        "hours": round(counts.hours, 2),
        "episodes": len(counts.found),
        **point(counts),
        "false_by_kind": dict(counts.false_by_kind.most_common()),
        "hours_a_day": household.hours_a_day,
        "false_a_day": round(counts.false_per_hour * household.hours_a_day, 2),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """Writes the table and what it comes to in a day."""
    lines = [
        HEADER,
        "|---" * 11 + "|",
    ]
    for row in found["homes"]:
        kinds = ", ".join(f"{kind} {n}" for kind, n in row["false_by_kind"].items()) or "-"
        lines.append(
            f"| {row['household']} | {row['sounds_a_minute']:g} | {row['hours']:g} | {row['episodes']} | "
            f"{row['found']:.1%} | {row['false_per_hour']:.2f} | {seconds(row['latency_p50_s'])} | "
            f"{seconds(row['latency_p95_s'])} | {kinds} | {row['hours_a_day']:g} | {row['false_a_day']:.1f} |"
        )
    busy = 3600.0 / StreamParams().every_s
    day = (
        f"False alarms in a day of these {found['hours_a_day']:g} hours: {found['false_a_day']:.1f}. Such a day has "
        f"{found['sounds_a_day']} sounds besides the cries (sounds a minute x 60 x hours of a day, added up); the "
        f"other table's streams have {busy:g} an hour, so {found['sounds_a_day'] / busy:.1f} hours of them hold a "
        "day's sounds, though louder ones, and each kind as often as another."
    )
    return "\n".join([*lines, "", day])
