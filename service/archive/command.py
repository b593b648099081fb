"""`monitord archive`: what a person types to have a folder of recordings heard."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError
from service.terminal.log_level import add_log_level

_DESCRIPTION: Final = """\
Hears every recording under DIR as `monitord replay` hears it, several at the same time, and writes one line of JSON for
each into FILE, sorted by name:

  recording    its path, seen from DIR
  duration_s   seconds of its sound
  episodes     how often crying began
  error        what is wrong with it, and what helps; null where nothing is. A bad recording stops nothing
  heard        the events and segments that `replay` prints of it
  tally        where its samples went, as `replay` prints it

Every file counts that is not hidden. A run that was stopped goes on when the same command is given again: finished
parts wait in FILE.parts, and FILE is there when all are; then the exit status is 0, also where recordings were bad, and
78 where something must be mended first. What to do with it, for example:

  jq -r 'select(.episodes > 0) | .recording' FILE
  jq -r 'select(.error) | [.recording, .error] | @tsv' FILE

--engine ray takes the cores of a Ray cluster, RAY_ADDRESS says which; every machine of it has the same monitord, and
DIR and FILE's folder under the same path. Without RAY_ADDRESS Ray is started here. It needs the extra `ward`.
"""


def add_archive(commands: "argparse._SubParsersAction[Any]") -> None:  # Any: parsers of the standard library
    """Adds the command."""
    archive = commands.add_parser(
        "archive",
        help="hear a folder of recordings, several at the same time; one JSON line for each",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    archive.add_argument("folder", type=Path, metavar="DIR", help="the folder, with all folders in it")
    archive.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the rows go")
    archive.add_argument(
        "--engine", choices=("pool", "ray"), default="pool", help="processes of this machine, or Ray (default: pool)"
    )
    archive.add_argument("--workers", type=int, metavar="N", help="at the same time (default: one for each core)")
    archive.add_argument(
        "--bundle", type=Path, metavar="DIR", help="model in place of the one that comes with monitord"
    )
    archive.add_argument(
        "--runtime", choices=("auto", "litert", "keras"), default="auto", help="what computes the model (default: auto)"
    )
    add_log_level(archive)
    archive.set_defaults(command=_archive)


def _archive(arguments: argparse.Namespace) -> int:
    from importlib.metadata import version  # noqa: PLC0415 - each command loads only what it needs

    from model.bundle import load_bundle  # noqa: PLC0415
    from model.runtime import settled  # noqa: PLC0415
    from service.archive.archive import Engine, archive  # noqa: PLC0415
    from service.archive.parts import Ears  # noqa: PLC0415
    from service.archive.pool import in_processes  # noqa: PLC0415

    if arguments.workers is not None and arguments.workers < 1:
        raise ConfigError(f"--workers {arguments.workers}: expected at least 1")
    engine: Engine = in_processes
    if arguments.engine == "ray":
        from model.cluster.ray_tasks import ray_tasks as engine  # noqa: PLC0415 - only where asked for
    # Absolute, for another machine is in another folder.
    directory = None if arguments.bundle is None else arguments.bundle.absolute()
    bundle = load_bundle(directory).require_trained()
    ears = Ears(directory, bundle.id, settled(arguments.runtime), version("monitord"))
    result = archive(
        arguments.folder.absolute(), arguments.out.absolute(), ears, engine=engine, workers=arguments.workers
    )
    print(
        f"{arguments.out}: {result.recordings:,} recordings, {result.duration_s / 3600:.2f} h of sound;"
        f" crying in {result.crying:,}; {result.bad:,} bad, whose rows say why",
        file=sys.stderr,
    )
    return 0
