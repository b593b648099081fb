"""Every measured figure on one HTML page that opens without a network, and MODEL_CARD.md beside it.

The other commands leave their figures in a folder (--out RESULTS/crossval.json and so on); this one lays them out:
first what a parent asks, then tables, confusion matrices, reliability, the trade-off of detection, delay, noise and
licences. What nobody measured is said to be not measured, with the command that measures it. Synthetic data are called
so.

  monitord-train crossval --clips CLIPS --out RESULTS/crossval.json
  monitord-train report --results RESULTS --clips CLIPS --out REPORT/report.html
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "one HTML page and a model card from every result"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--results", type=Path, required=True, metavar="DIR", help="folder of the results' *.json")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="clips to show an example of each reason from; several folders may be given",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html", help="the page; MODEL_CARD.md is written beside it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.clips import load_clips  # noqa: PLC0415
    from training.report.files import write_report  # noqa: PLC0415
    from training.results.result_files import read_results  # noqa: PLC0415

    results = read_results(arguments.results)
    clips = [load_clips(folder) for folder in arguments.clips]
    beside = write_report(results, load_bundle(arguments.bundle), clips, arguments.out)
    print(f"{arguments.out}: {len(results)} results, {arguments.out.stat().st_size / 1000:.0f} kB\n{beside}")
    return 0
