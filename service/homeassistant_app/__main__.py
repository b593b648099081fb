"""What the app's container starts: as root, who alone may read the options; then it becomes the daemon, as its user."""

import argparse
import grp
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

from monitord.errors import ConfigError
from service.cli import CONFIG_EXIT
from service.homeassistant_app.configuration import Folders, configuration, prepare, write
from service.homeassistant_app.options import read_options
from service.homeassistant_app.supervisor import Supervisor

USER: Final = 568
"""User and group of the daemon, as in deploy/container."""
TOKENS: Final = ("SUPERVISOR_TOKEN", "HASSIO_TOKEN")
"""In the environment: what the Supervisor knows the app by, under its name of today and the one of before; both are set
(its docker/app.py). The daemon gets neither."""
NO_MQTT: Final = (
    "no MQTT broker of Home Assistant's is known, so it is told nothing. Install the app Mosquitto broker, set up the"
    " integration MQTT, and restart this app; or name a broker of your own as mqtt in monitord.yaml. The page works all"
    " the same."
)


def main() -> NoReturn:
    """Writes the configuration and becomes the daemon; ends with `CONFIG_EXIT` where a person must mend something.

    Asked to leave meanwhile, it does so by the signal: nothing is begun yet, and the first process makes that a 0.
    """
    arguments = _parser().parse_args()
    folders = Folders(arguments.data, arguments.config, arguments.run)
    user = arguments.user
    token, _ = (os.environ.pop(name, "") for name in TOKENS)
    supervisor = Supervisor(arguments.supervisor, token)
    try:
        options = read_options(folders.options)
        broker, ingress_port = supervisor.broker(), supervisor.ingress_port()
        prepare(broker, folders, user)
        made = configuration(options, broker, ingress_port, folders)
        write(made, folders, user)
    except ConfigError as error:
        _say(str(error))
        sys.exit(CONFIG_EXIT)
    except OSError as error:
        _say(f"cannot write {error.filename or folders.run}: {error.strerror}; is the disk full, or read-only?")
        sys.exit(CONFIG_EXIT)
    if broker is not None and made.mqtt.host == broker.host:
        _say(f"MQTT: Home Assistant's broker, {broker.host}:{broker.port}")
    elif broker is None and made.mqtt.embedded:
        _say(NO_MQTT)
    if ingress_port is None:
        _say("Home Assistant does not say where it expects the page, so it is not in its side bar")
    _become_daemon(user, folders)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="homeassistant_app", description=__doc__)
    parser.add_argument("--data", type=Path, default="/data", help="the app's own folder, with options.json")
    parser.add_argument("--config", type=Path, default="/config", help="the family's folder, with monitord.yaml")
    parser.add_argument("--run", type=Path, default="/run/monitord", help="for what is written at each start")
    parser.add_argument("--supervisor", default="http://supervisor", help="the Supervisor's address")
    parser.add_argument("--user", type=int, default=USER, help="who the daemon is, and its group")
    return parser


def _become_daemon(user: int, folders: Folders) -> NoReturn:
    """Gives up root for good, but for the group of sound cards; the daemon takes this process over."""
    if os.geteuid() != user:
        os.setgroups([group.gr_gid for group in grp.getgrall() if group.gr_name == "audio"])
        os.setgid(user)
        os.setuid(user)
    os.environ["HOME"] = str(folders.run)  # where the library of the sound server keeps its cookie
    command = [sys.executable, "-m", "service", "run", "--config", str(folders.configuration)]
    os.execv(sys.executable, command)  # noqa: S606 - from a list, no shell


def _say(text: str) -> None:
    print(f"monitord: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
