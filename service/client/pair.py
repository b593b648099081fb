"""`monitord pair`: a link that makes a device one of the family, without asking the daemon, which need not even run."""

import re
import sys
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.settings.command import command
from service.terminal.qr_code import is_terminal, qr_code
from service.web.address.addresses import Addresses, page_was_served
from service.web.family.invitations import VALID_S, Invitations
from service.web.roles import Role
from service.web.settings import WebSettings

ID: Final = re.compile(r"[a-z0-9_]{1,64}")
"""As `service.settings.base.Id`."""


def print_link(path: Path | None, role: str, room: str | None) -> int:
    """Prints a QR code where a terminal shows it, and the link alone on the last line; returns the exit status.

    Raises:
        ConfigError: The configuration has mistakes or no page, the room cannot be a phone's, or the state directory
            cannot be written.
    """
    config = Config(web=WebSettings()) if path is None else load_config(path)
    web = config.web
    if web is None and page_was_served(config.state_dir):  # by `monitord run --web`
        web = WebSettings()
    if web is None:
        raise ConfigError(f"{path}: there is no page to pair with; add `web: {{}}`")
    if room is not None and (mistake := _room_mistake(config, role, room)):
        raise ConfigError(f"--room {room}: {mistake}")
    try:
        token = Invitations(config.state_dir).invite(Role(role), room)
    except OSError as error:
        raise ConfigError(
            f"{config.state_dir}: no link can be left there ({error.strerror}); run `{command('pair')}` as the user of"
            " the daemon, or with sudo"
        ) from error
    link = Addresses(web, config.state_dir).link(token)
    if is_terminal(sys.stderr):
        print(qr_code(link), file=sys.stderr)
    print(f"Pairs one {role}, once, within {VALID_S / 60:.0f} minutes:", file=sys.stderr)
    print(link)
    return 0


def _room_mistake(config: Config, role: str, room: str) -> str:
    """Says why no phone can be the microphone of this room; empty where one can."""
    if role != Role.MICROPHONE:
        return f"a {role} is not bound to a room; it belongs to --role microphone"
    if not ID.fullmatch(room):
        return "is no id: use small letters a to z, digits and _ only"
    if room in config.sources and not config.sources[room].page:
        return "has another source in the configuration; make it `page: true`, or choose another room"
    return ""
