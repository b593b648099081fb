"""Hours of household sound with cries laid over them: episodes found, false alarms an hour, seconds to the alarm.

The streams are made of recordings that training never saw, at known levels (cries -18 to -36 dBFS, at worst 15 dB under
everything else). YAMNet and mn04 hear the same streams and are counted by the same scorer. The first row is what to
expect: its thresholds were chosen on one half of the families and sounds and judged on the other, both ways. The second
has the bundle's own thresholds. Then the bundle at each threshold that a family may choose, and each network by its
best rule at each rate of false alarms.

  monitord-train streams --prepared runs/prepared --out runs/report/streams.json

--households judges the bundle's own rule in homes of several kinds instead, and says what that comes to in a day.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from model.bundle import Bundle
    from training.data.prepared import Prepared
    from training.results.result_files import Kind

HELP: Final = "episodes found, false alarms an hour and latency on hours of streams, beside the peers"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument(
        "--hours",
        type=int,
        default=2,
        help="with cries, and as many without, from each half of the recordings: four "
        "times as many in all (default: %(default)s)",
    )
    command.add_argument("--households", action="store_true", help="homes of several kinds, and false alarms a day")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the figures for `report` (.json)")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.streams.comparison import by_threshold, crossed, hear_halves, our_curve, ours  # noqa: PLC0415
    from training.streams.curves import curve  # noqa: PLC0415
    from training.streams.figures import figures, markdown  # noqa: PLC0415
    from training.streams.operating_point import try_settings  # noqa: PLC0415
    from training.streams.peers import as_used, hear_peers, try_rules  # noqa: PLC0415

    prepared, bundle = load_prepared(arguments.prepared), load_bundle(arguments.bundle)
    if arguments.households:
        return _households(prepared, bundle, arguments)
    name = bundle.manifest.name
    halves = hear_halves(prepared, bundle, arguments.hours)
    every = [one for half in halves.values() for one in half]
    shipped = ours(name, every, bundle.manifest.tracker)
    tried = {half: try_settings(heard) for half, heard in halves.items()}
    others = hear_peers(prepared.data / "teachers", halves)
    curves = [our_curve(name, tried), *(curve(other, try_rules(heard)) for other, heard in others.items())]
    thresholds = by_threshold(every, bundle.manifest.tracker)
    found = figures([crossed(name, tried), shipped, *as_used(others)], arguments.hours, curves, thresholds)
    print(markdown(found))
    _write(arguments, "streams", "monitord-train streams --prepared PREPARED", found)
    return 0


def _households(prepared: "Prepared", bundle: "Bundle", arguments: argparse.Namespace) -> int:
    from training.streams.households import figures, judge_households, markdown  # noqa: PLC0415 - as above

    found = figures(judge_households(prepared, bundle, arguments.hours))
    print(markdown(found))
    _write(arguments, "households", "monitord-train streams --households --prepared PREPARED", found)
    return 0


def _write(arguments: argparse.Namespace, kind: "Kind", command: str, found: dict[str, Any]) -> None:
    from training.results.result_files import Result, write_result  # noqa: PLC0415 - as above

    if arguments.out is not None:
        command = f"{command} --hours {arguments.hours}"
        write_result(arguments.out, Result(kind, command, "held-out recordings", synthetic=False, figures=found))
