"""`monitord ward`: what a person or a service manager types about many rooms on several machines."""

import argparse
import socket
import sys
from pathlib import Path

from service.terminal.log_level import add_log_level

_SHARD = """\
Hears one shard of a ward in this process, until Ctrl-C or until another process claims it: then it leaves within a
second, with exit status 0, so that a service manager that restarts on failure alone does not claim it back. Start it on
any machine of the ward: whoever claims last hears, and no two hear the same rooms.
"""
_DRAIN = """\
Tells the broker what shards left on this machine's disk when it was lost: each event once, with its own id, marked as
stale. Until then staff are told that events may be missing.
"""

_UP = """\
Has Ray start every shard that does not run yet, on the machines of the file. Those that run in another version of
monitord are moved one by one: the new one is there before the old one leaves. Ray starts again what dies, on another
machine where its own is gone. Call it as often as you like.
"""

_STATION = """\
Says which of the configured rooms nobody hears, and since when, and which cry, how hard and for how long: on a page for
devices that `monitord ward pair` has paired, on the topic monitord/station/rooms, and for Prometheus on /metrics. Where
it does not know it says so.
"""


def add_ward_commands(parser: argparse.ArgumentParser) -> None:
    """Adds the commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check", help="say what the ward's file comes to, and what is wrong; exit 1 if anything"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="ward.yaml")
    add_log_level(check)
    check.set_defaults(command=_check)

    raw = argparse.RawDescriptionHelpFormatter
    shard = commands.add_parser("shard", help="hear one shard in this process", description=_SHARD, formatter_class=raw)
    shard.add_argument("name", metavar="SHARD", help="<site>_<number>, as `check` lists them")
    _add_file(shard)
    shard.add_argument(
        "--machine", default=socket.gethostname(), metavar="NAME", help="for people (default: %(default)s)"
    )
    add_log_level(shard, default="info")
    shard.set_defaults(command=_shard)

    drain = commands.add_parser(
        "drain", help="tell what shards left on this machine's disk", description=_DRAIN, formatter_class=raw
    )
    drain.add_argument("shards", nargs="*", metavar="SHARD", help="left out: all")
    _add_file(drain)
    add_log_level(drain)
    drain.set_defaults(command=_drain)

    up = commands.add_parser(
        "up", help="have Ray start every shard, and move those of another version", description=_UP, formatter_class=raw
    )
    _add_file(up)
    _add_address(up)
    add_log_level(up)
    up.set_defaults(command=_up)

    move = commands.add_parser("move", help="have Ray move one shard to another machine")
    move.add_argument("shard", metavar="SHARD")
    move.add_argument("machine", nargs="?", metavar="MACHINE", help="left out: the one that has most to spare")
    _add_file(move)
    _add_address(move)
    add_log_level(move)
    move.set_defaults(command=_move)

    station = commands.add_parser(
        "station", help="serve the nurse station until Ctrl-C", description=_STATION, formatter_class=raw
    )
    _add_file(station)
    add_log_level(station, default="info")
    station.set_defaults(command=_station)

    pair = commands.add_parser("pair", help="make a link that lets one device see the nurse station, on its machine")
    _add_file(pair)
    add_log_level(pair)
    pair.set_defaults(command=_pair)

    status = commands.add_parser(
        "status", help="ask the broker how all shards and rooms stand; exit 1 unless all are heard"
    )
    _add_file(status)
    add_log_level(status)
    status.set_defaults(command=_status)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address", default="auto", metavar="HOST:PORT", help="of Ray's head (default: the one of this machine)"
    )


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", type=Path, required=True, metavar="FILE", help="ward.yaml, the same on all machines")


def _check(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from service.mqtt.settings import read_credentials  # noqa: PLC0415
    from service.ward.check import check_lines, shortages  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415

    ward = load_ward(arguments.file)
    read_credentials(ward.mqtt)
    load_bundle(ward.bundle).require_trained()
    for line in check_lines(ward):
        print(line)
    short = list(shortages(ward))
    for line in short:
        print(f"monitord: {arguments.file}: {line}", file=sys.stderr)
    return 1 if short else 0


def _shard(arguments: argparse.Namespace) -> int:
    from service.lifecycle import Lifecycle, obeying_signals  # noqa: PLC0415
    from service.terminal.screen import logging_to, open_screen  # noqa: PLC0415
    from service.ward.host import CRASHED, ShardHost  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415

    ward = load_ward(arguments.ward)
    config = ward.config(arguments.name)
    screen, handler = open_screen({one.id: one.name for one in config.rooms}, json_lines=False)
    lifecycle = Lifecycle(None)
    with logging_to(handler), obeying_signals(lifecycle):
        try:
            host = ShardHost(ward, arguments.name, machine=arguments.machine, screen=screen, stop=lifecycle.stop)
            end = host.run()
        finally:
            screen.close()
    return CRASHED if end == "crashed" else 0


def _drain(arguments: argparse.Namespace) -> int:
    from service.mqtt.errors import ConnectionOverError  # noqa: PLC0415
    from service.ward.drain import drain  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415

    try:
        drained = drain(load_ward(arguments.ward), arguments.shards)
    except ConnectionOverError as error:
        print(f"monitord: {error}", file=sys.stderr)
        return 1
    for one in drained:
        waiting = f", {one.waiting} wait" if one.waiting else ""
        print(f"{one.node}: " + ("is heard here, and tells by itself" if one.busy else f"{one.told} told{waiting}"))
    return 1 if any(one.waiting for one in drained) else 0


def _up(arguments: argparse.Namespace) -> int:
    from service.ward.cluster import RayWard, connected_to_ray  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415

    ward = load_ward(arguments.ward.expanduser())
    with connected_to_ray(arguments.address):
        for line in RayWard(ward, arguments.ward).up():
            print(line, flush=True)
    return 0


def _move(arguments: argparse.Namespace) -> int:
    from service.ward.cluster import RayWard, connected_to_ray  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415

    ward = load_ward(arguments.ward.expanduser())
    with connected_to_ray(arguments.address):
        machine = RayWard(ward, arguments.ward).move(arguments.shard, arguments.machine)
    print(f"{arguments.shard}: heard on {machine}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from service.mqtt.errors import ConnectionOverError  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415
    from service.ward.station.status import ask, status_lines  # noqa: PLC0415

    ward = load_ward(arguments.ward)
    try:
        census = ask(ward)
    except ConnectionOverError as error:
        print(f"monitord: {error}", file=sys.stderr)
        return 1
    for line in status_lines(ward, census):
        print(line)
    return 1 if census.unheard or census.missing else 0


def _station(arguments: argparse.Namespace) -> int:
    from service.lifecycle import Lifecycle, obeying_signals  # noqa: PLC0415
    from service.terminal.screen import logging_to, open_screen  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415
    from service.ward.station.page import serve_station  # noqa: PLC0415

    ward = load_ward(arguments.ward)
    screen, handler = open_screen({}, json_lines=False)
    lifecycle = Lifecycle(None)
    with logging_to(handler), obeying_signals(lifecycle):
        try:
            return serve_station(ward, lifecycle.stop, lambda page: print(f"nurse station: {page}", flush=True))
        finally:
            screen.close()


def _pair(arguments: argparse.Namespace) -> int:
    from service.terminal.qr_code import is_terminal, qr_code  # noqa: PLC0415
    from service.ward.settings import load_ward  # noqa: PLC0415
    from service.ward.station.page import invitation  # noqa: PLC0415

    link = invitation(load_ward(arguments.ward))
    if is_terminal(sys.stderr):
        print(qr_code(link), file=sys.stderr)
    print(link)
    return 0
