"""`monitord status`: how a running daemon stands, as a person or a health check asks."""

import argparse
from pathlib import Path

from service.terminal.log_level import add_log_level

_STATUS = """\
Asks the broker what a running daemon hears: a line for each room. Exit status 0 where all of them are heard, else 1.

With --alive it asks the daemon itself, on this machine: 0 where it lives and its worker moves, whatever its rooms hear,
else 1. No broker is asked and FILE is not read, so that this is what a health check should ask.
"""


def add_status_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    status = commands.add_parser(
        "status",
        help="what a running daemon hears; exit 1 unless all is well",
        description=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    status.add_argument("--config", type=Path, metavar="FILE", help="configuration (YAML), as given to `run`")
    status.add_argument("--alive", action="store_true", help="only whether it lives and works, for health checks")
    add_log_level(status)
    status.set_defaults(command=_status)


def _status(arguments: argparse.Namespace) -> int:
    if arguments.alive:
        from service.client.alive import print_alive  # noqa: PLC0415 - each command loads only what it needs

        return print_alive(arguments.config)
    from service.client.status import print_status  # noqa: PLC0415

    return print_status(arguments.config)
