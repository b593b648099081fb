"""`monitord`: what a person or a service manager types. Data on stdout, words about it on stderr."""

import argparse
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from monitord.errors import ConfigError, MonitordError
from service.archive.command import add_archive
from service.bundle_commands import add_bundle_commands
from service.client.status_command import add_status_command
from service.correction_commands import add_correction_commands
from service.settings.command import command
from service.terminal.journal_stream import as_error
from service.terminal.log_level import add_log_level, logging_from
from service.ward.commands import add_ward_commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.capture.spec import SourceSpec

CONFIG_EXIT: Final = 78
"""EX_CONFIG of sysexits.h: a person must mend something first; a service manager must not try again for ever."""

_RUN = f"""\
SOURCE is one of
  mic, mic:NAME, mic:INDEX            a microphone (`{command("devices")}` lists them); none given: the default one
  recording.m4a                       a file: sound or video, played in real time
  rtsp:// rtmp:// http:// udp:// URL  a camera, or a phone with a camera app
  listen+rtmp://0.0.0.0:1935/live     waits for a phone that sends (also listen+rtsp, listen+http)

Without --config: an embedded broker on 127.0.0.1:1883 (or the one that answers there), node `home`,
sources `room`, `room2`, ...; without any microphone and any SOURCE it plays a demo sound.
"""
_EXITS = (
    "exit status: 0 done, 1 not all is well, 2 wrong usage, 78 configuration, model or recording to be mended, 70 a bug"
)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    arguments = _parser().parse_args(argv)
    try:
        with logging_from(arguments.log_level):
            status: int = arguments.command(arguments)
    except MonitordError as error:
        print(as_error(f"monitord: {error}"), file=sys.stderr)
        return CONFIG_EXIT
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell reports it
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monitord",
        description="A baby monitor: hears a cry and reports it over MQTT and to phones, with the probable reason where"
        " the model is sure of one, which the model that comes with it hardly ever is (`unsure`).",
        epilog=_EXITS,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="listen until Ctrl-C", description=_RUN, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    run.add_argument("sources", nargs="*", metavar="SOURCE", help="what to listen to, in place of the file's sources")
    _add_config(run)
    _add_bundle(run)
    page = run.add_mutually_exclusive_group()
    page.add_argument("--web", action="store_true", help="serve the family's page; so it is where there is no --config")
    page.add_argument("--no-web", action="store_true", help="serve no page, whatever the configuration says")
    run.add_argument("--json", action="store_true", help="print events and segments as JSON lines on stdout")
    run.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write into FILE, as JSON lines, why it rings and why it does not; at 10 MB it becomes FILE.1",
    )
    add_log_level(run, default="info")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="say whether configuration and model are right; opens no device")
    _add_config(check)
    _add_bundle(check)
    add_log_level(check)
    check.set_defaults(command=_check)

    replay = commands.add_parser("replay", help="hear recordings as fast as it goes; JSON lines on stdout")
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_bundle(replay)
    replay.add_argument("--runtime", choices=("auto", "litert", "keras"), default="auto")
    replay.add_argument(
        "--trace", action="store_true", help="print between these lines why it would ring and why not, window by window"
    )
    add_log_level(replay)
    replay.set_defaults(command=_replay)

    add_archive(commands)

    devices = commands.add_parser("devices", help="list the capture devices of this machine")
    add_log_level(devices)
    devices.set_defaults(command=_devices)

    add_bundle_commands(commands.add_parser("bundle", help="look at models, or fetch one"))

    test_alarm = commands.add_parser(
        "test-alarm",
        help="prove the way from a microphone to the phones",
        description="Lays a cry over what each microphone of a running daemon hears, and shows when the network, the"
        " broker, Home Assistant and each phone had it. Exit status 0 where every room is proven, else 1.",
    )
    _add_config(test_alarm)
    test_alarm.add_argument("--source", metavar="ID", help="one room; left out: all")
    test_alarm.add_argument(
        "--wait", type=float, default=20.0, metavar="S", help="seconds for phones to answer (default: %(default)g)"
    )
    add_log_level(test_alarm)
    test_alarm.set_defaults(command=_test_alarm)

    _add_pair(
        commands.add_parser(
            "pair",
            help="make a link that pairs a phone with the family's page",
            description="Prints a link, and on a terminal its QR code, with which one device is paired, once, within"
            " ten minutes. A microphone sends the sound of one room, a guest sees and hears, a parent also acts, an"
            " owner also pairs devices and removes them.",
        )
    )

    add_correction_commands(commands)

    add_ward_commands(commands.add_parser("ward", help="more rooms than one machine hears: shards on several"))

    dashboard = commands.add_parser("dashboard", help="print a ready Home Assistant dashboard (YAML) for your rooms")
    _add_config(dashboard)
    add_log_level(dashboard)
    dashboard.set_defaults(command=_dashboard)

    add_status_command(commands)
    return parser


def _add_pair(pair: argparse.ArgumentParser) -> None:
    _add_config(pair)
    pair.add_argument(
        "--role", choices=("microphone", "guest", "parent", "owner"), default="owner", help="(default: %(default)s)"
    )
    pair.add_argument(
        "--room", metavar="ID", help="of a microphone: its room; left out: whoever opens the link says it"
    )
    add_log_level(pair)
    pair.set_defaults(command=_pair)


def _version() -> str:
    try:
        return version("monitord")
    except PackageNotFoundError:  # `deploy/run --help` before the first installation
        return "not installed yet"


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (YAML)")


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="model in place of the one that comes with monitord")


def _run(arguments: argparse.Namespace) -> int:
    from service.app import run  # noqa: PLC0415 - each command loads only what it needs
    from service.capture.spec import device_of, parse_source  # noqa: PLC0415
    from service.config import Config, load_config  # noqa: PLC0415
    from service.web.family.rooms import kept_rooms  # noqa: PLC0415
    from service.web.settings import WebSettings  # noqa: PLC0415

    specs = [parse_source(text) for text in arguments.sources]
    _warn_of_typed_passwords(specs)
    devices = [device for spec in specs if (device := device_of(spec)) is not None]
    for kind, _ in {device for device in devices if devices.count(device) > 1}:
        print(f"monitord: the same {kind} is given twice: each SOURCE is a room of its own", file=sys.stderr)

    def read() -> Config:
        config = Config().listening_to(specs) if arguments.config is None else load_config(arguments.config, specs)
        if arguments.no_web:
            if not config.rooms:
                raise ConfigError(f"{arguments.config}: there are no sources, and with --no-web none come into being")
            config = config.model_copy(update={"web": None})
        elif config.web is None and (arguments.web or arguments.config is None):
            config = config.model_copy(update={"web": WebSettings()})
        return config if arguments.bundle is None else config.model_copy(update={"bundle": arguments.bundle})

    config, demo = read(), False
    if arguments.config is None:
        from service.capture.microphone import has_capture_device  # noqa: PLC0415

        demo = not specs and not has_capture_device()
        if demo and config.web is not None and kept_rooms(config.state_dir):  # a phone is better than a demo
            config, demo = config.model_copy(update={"sources": {}}), False
    return run(
        config,
        json_lines=arguments.json,
        demo=demo,
        trace=arguments.trace,
        reread=None if arguments.config is None else read,
        config_path=arguments.config,
    )


def _warn_of_typed_passwords(specs: "Sequence[SourceSpec]") -> None:
    from service.capture.redact import redact  # noqa: PLC0415 - each command loads only what it needs
    from service.capture.spec import StreamSpec  # noqa: PLC0415

    for spec in specs:
        if isinstance(spec, StreamSpec) and redact(spec.url) != spec.url:
            print(
                f"monitord: {redact(spec.url)}: everybody on this machine can read a password on a command line; where"
                ' there is one, write the address as `sources: {room: {stream: "..."}}` into a file that only you can'
                " read (chmod 600), and start with --config FILE",
                file=sys.stderr,
            )


def _check(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415
    from service.config import load_config  # noqa: PLC0415
    from service.mqtt.settings import read_credentials  # noqa: PLC0415
    from service.settings.hosts import lookup_mistake  # noqa: PLC0415
    from service.web.address.certificate import server_context  # noqa: PLC0415

    if arguments.config is None:
        raise ConfigError("check needs --config FILE")
    config = load_config(arguments.config)
    if not config.mqtt.embedded:
        read_credentials(config.mqtt)
    if config.web is not None and config.web.cert_file is not None:
        server_context(config.web.cert_file, config.web.key_file)
    bundle = load_bundle(arguments.bundle or config.bundle).require_trained()
    names = ", ".join(config.sources) or "none yet"
    for name, host in config.hosts():
        if mistake := lookup_mistake(host):
            print(f"monitord: {arguments.config}: {name}: {mistake}", file=sys.stderr)
    print(f"{arguments.config}: all right; sources {names}; bundle {bundle.manifest.name} {bundle.id}")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415
    from service.pipeline.replay import replay  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle).require_trained()
    broken = replay(arguments.files, bundle, print, runtime=arguments.runtime, trace=arguments.trace)
    for error in broken:
        print(f"monitord: {error}", file=sys.stderr)
    return CONFIG_EXIT if broken else 0


def _devices(arguments: argparse.Namespace) -> int:
    del arguments
    from service.capture.microphone import list_devices  # noqa: PLC0415

    devices = list_devices()
    for device in devices:
        print(device)
    if not devices:
        print(f"no capture device here; give a phone, a camera or a file: {command('run --help')}", file=sys.stderr)
    return 0


def _test_alarm(arguments: argparse.Namespace) -> int:
    from service.client.test_alarm import press_test_alarm  # noqa: PLC0415

    return press_test_alarm(arguments.config, arguments.source, arguments.wait)


def _pair(arguments: argparse.Namespace) -> int:
    from service.client.pair import print_link  # noqa: PLC0415

    return print_link(arguments.config, arguments.role, arguments.room)


def _dashboard(arguments: argparse.Namespace) -> int:
    from service.config import Config, load_config  # noqa: PLC0415
    from service.homeassistant.dashboard import dashboard  # noqa: PLC0415
    from service.homeassistant.house import House  # noqa: PLC0415
    from service.messages.message import Node  # noqa: PLC0415
    from service.messages.texts import Texts  # noqa: PLC0415

    config = Config() if arguments.config is None else load_config(arguments.config)
    house = House.of(Node(config.node), version("monitord"), [(one.id, one.name, one.spec) for one in config.rooms])
    print(dashboard(house, Texts.load(config.notify.language).code), end="")
    return 0
