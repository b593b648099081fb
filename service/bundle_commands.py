"""`monitord bundle show|verify|fetch`: what a person asks of a model."""

import argparse
from pathlib import Path

from service.terminal.log_level import add_log_level


def add_bundle_commands(parser: argparse.ArgumentParser) -> None:
    """Adds the commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="print a bundle's model card")
    show.add_argument("directory", nargs="?", type=Path, metavar="DIR")
    add_log_level(show)
    show.set_defaults(command=_bundle_show)
    verify = commands.add_parser("verify", help="check every file of a bundle")
    verify.add_argument("directory", nargs="?", type=Path, metavar="DIR")
    add_log_level(verify)
    verify.set_defaults(command=_bundle_verify)
    fetch = commands.add_parser("fetch", help="download Google's VGGish and make a base for training of it")
    fetch.add_argument("name", choices=["vggish"])
    fetch.add_argument("--out", type=Path, default=Path("vggish"), metavar="DIR", help="default: %(default)s")
    fetch.add_argument(
        "--downloads",
        type=Path,
        default=Path("downloads"),
        metavar="DIR",
        help="where the published file is kept, and looked for first (default: %(default)s)",
    )
    add_log_level(fetch)
    fetch.set_defaults(command=_bundle_fetch)


def _bundle_show(arguments: argparse.Namespace) -> int:
    from model.bundle import CARD, load_bundle  # noqa: PLC0415

    bundle = load_bundle(arguments.directory)
    print((bundle.directory / CARD).read_text(encoding="utf-8"))
    return 0


def _bundle_verify(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415

    bundle = load_bundle(arguments.directory)
    bundle.weights()
    print(f"{bundle.directory}: {bundle.manifest.name} {bundle.id}: every file is what the manifest says")
    return 0


def _bundle_fetch(arguments: argparse.Namespace) -> int:
    from model.published.fetch import fetch_vggish  # noqa: PLC0415

    bundle = fetch_vggish(arguments.out, arguments.downloads)
    print(f"{bundle.directory}: {bundle.manifest.name} {bundle.id}")
    return 0
