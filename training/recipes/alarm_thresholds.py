"""The tracker's thresholds for a new bundle, from hours of streams, and what they come to."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.bundle import Weights, write_bundle
from model.manifest import Manifest
from monitord.tracker import TrackerParams
from training.data.prepared import Prepared
from training.results.number_text import seconds
from training.streams.comparison import crossed, hear_halves
from training.streams.figures import figures
from training.streams.mixing import HALVES
from training.streams.operating_point import Trial, best, try_settings
from training.streams.peers import as_used, hear_peers


@dataclass(frozen=True, slots=True)
class Point:
    """Thresholds and what they come to."""

    tracker: TrackerParams
    why: str
    """For the manifest's `rests_on`."""
    metrics: dict[str, Any]
    """JSON values (Any) for the manifest: `streams`, with the peers, and `false_by_kind`."""


def choose_thresholds(prepared: Prepared, manifest: Manifest, *, tflite: bytes, weights: Weights, hours: int) -> Point:
    """Chooses on each half of the held-out families and sounds and judges on the other; both choose what ships.

    Args:
        prepared: What `prepare --data` wrote.
        manifest: The bundle's, but for the thresholds.
        tflite: The very network, quantised, that the daemon will run: it hears the streams.
        weights: The same for Keras.
        hours: With cries, and as many without, from each half.
    """
    with tempfile.TemporaryDirectory(prefix="monitord-fit-") as folder:
        draft = write_bundle(Path(folder) / "draft", manifest, tflite=tflite, weights=weights, card="")
        heard = hear_halves(prepared, draft, hours)
    tried = {half: try_settings(heard[half]) for half in HALVES}
    both = [Trial(a.tracker, a.episodes + b.episodes) for a, b in zip(*tried.values(), strict=True)]
    tracker = best(both).tracker
    across = crossed(manifest.name, tried)
    found = figures([across, *as_used(hear_peers(prepared.data / "teachers", heard))], hours)
    mine, *others = found["systems"]
    streams = mine | {key: found[key] for key in ("hours", "quiet_hours", "episodes")} | {"peers": others}
    why = (
        f"{found['hours']} hours of streams with {found['episodes']} cries and {found['quiet_hours']} hours without, "
        "from held-out families and sounds, chosen on one half of these and judged on the other, both ways: "
        f"{mine['found']:.1%} found, {mine['false_per_hour']:.2f} false an hour, {seconds(mine['latency_p50_s'])} at "
        f"the median, {seconds(mine['latency_p95_s'])} at the 95th percentile; what ships was chosen on both halves"
    )
    return Point(tracker, why, {"streams": streams, "false_by_kind": dict(across.episodes.false_by_kind.most_common())})
