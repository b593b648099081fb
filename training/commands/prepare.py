"""Recordings to what the other commands learn from, by the daemon's own ear.

--manifest: your own labelled cries, for fit, crossval, compare and report. The manifest is a CSV file with a header:

    path,label,baby,recording,licence
    monday.m4a,hunger,ana,,
    tuesday.mp4,tiredness,ana,,CC0

  path       a recording or a video, relative to the manifest's folder
  label      hunger, boredom, tiredness or discomfort
  baby       who cries; may be empty. Figures for unseen babies need it
  recording  a name for what was recorded in one go; may be empty, then each file is one
  licence    may be empty
  installation, start_s, end_s, fold   may be there too: which phone; your own cut marks (seconds, a clip of 0.18 to
             2.5 s, one cry sound); your own folds (integers). Other columns are kept as they are.

Each recording is cut into cry sounds by the `Listener` that the daemon uses; sounds in which the bundle hears no cry
are left out and counted. Where start_s and end_s are given, they cut. Prints the data set as the paper's Table 1.

    monitord-train prepare --manifest ours.csv --out runs/ours
    monitord-train crossval --clips runs/ours

--data: the public recordings that the shipped bundle is made from, for gate, pretrain, fit and evaluate. Hears every
recording and lets both teachers score each window. Repeated over the same folder it takes a minute, because what the
teachers said is used again.

    monitord-train prepare --data DATA --out runs/prepared
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from training.data.cutting import Cutting

HELP: Final = "recordings to labelled clips (--manifest) or windows (--data)"
MOST_NAMED: Final = 5
"""Recordings without a cry that are named; the others are counted."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--manifest", type=Path, metavar="CSV", help="your recordings: path,label,baby,recording,licence")
    what.add_argument(
        "--data", type=Path, metavar="DIR", help="public recordings: a folder with donateacry/, esc50/, ..."
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    command.add_argument(
        "--bundle", type=Path, metavar="DIR", help="with --manifest: whose ear cuts and says what is a cry"
    )
    command.add_argument("--every-segment", action="store_true", help="with --manifest: keep sounds without a cry too")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from monitord.errors import ConfigError  # noqa: PLC0415 - each command loads only what it needs

    if arguments.manifest is not None:
        return _clips(arguments)
    if arguments.every_segment or arguments.bundle is not None:
        raise ConfigError("--every-segment and --bundle go with --manifest; --data keeps every window of every sound")
    from monitord.listening.listener import ListenerParams  # noqa: PLC0415 - each command loads only what it needs
    from training.label.prepare import prepare  # noqa: PLC0415

    prepared = prepare(arguments.data, arguments.out, ListenerParams())
    print(f"{len(prepared.recordings)} recordings, {len(prepared.windows)} windows")
    return 0


def _clips(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.clips import make_folder, save_clips  # noqa: PLC0415
    from training.data.cutting import cut_clips  # noqa: PLC0415
    from training.data.table_one import table_one  # noqa: PLC0415

    make_folder(arguments.out)
    cutting = cut_clips(arguments.manifest, load_bundle(arguments.bundle), every_segment=arguments.every_segment)
    save_clips(cutting.clips, arguments.out)
    print(table_one(cutting.clips))
    _say_what_is_left_out(cutting)
    return 0


def _say_what_is_left_out(cutting: "Cutting") -> None:
    if cutting.without_cry:
        print(f"\n{cutting.without_cry} other sounds were left out: the bundle hears no cry in them (--every-segment).")
    if cutting.empty:
        names = [entry.path.name for entry in cutting.empty[:MOST_NAMED]]
        more = f" and {len(cutting.empty) - MOST_NAMED} more" if len(cutting.empty) > MOST_NAMED else ""
        print(f"nothing is left of {', '.join(names)}{more}: no cry is heard there", file=sys.stderr)
