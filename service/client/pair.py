"""`monitord pair`: a link that makes a device one of the family, without asking the daemon, which need not even run."""

import sys
from pathlib import Path

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.settings.command import command
from service.terminal.qr_code import qr_code
from service.web.address.addresses import Addresses
from service.web.family.invitations import VALID_S, Invitations
from service.web.roles import Role
from service.web.settings import WebSettings


def print_link(path: Path | None, role: str) -> int:
    """Prints a QR code, and the link alone on the last line; returns the exit status.

    Raises:
        ConfigError: The configuration has mistakes or no page, or the state directory cannot be written.
    """
    config = Config(web=WebSettings()) if path is None else load_config(path)
    if config.web is None:
        raise ConfigError(f"{path}: there is no page to pair with; add `web: {{}}`")
    try:
        token = Invitations(config.state_dir).invite(Role(role))
    except OSError as error:
        raise ConfigError(
            f"{config.state_dir}: no link can be left there ({error.strerror}); run `{command('pair')}` as the user of"
            " the daemon, or with sudo"
        ) from error
    link = Addresses(config.web, config.state_dir).link(token)
    print(qr_code(link), file=sys.stderr)
    print(f"Pairs one {role}, once, within {VALID_S / 60:.0f} minutes:", file=sys.stderr)
    print(link)
    return 0
