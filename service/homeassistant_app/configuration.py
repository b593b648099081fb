"""The configuration of the app: what its options and the Supervisor say, and over it the family's `monitord.yaml`.

`mqtt` of the family's file stands in place of what the Supervisor says; every other section is joined key by key, and
the file's key wins.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from monitord.errors import ConfigError
from service.config import Config
from service.homeassistant_app.options import Options
from service.homeassistant_app.supervisor import Broker
from service.settings.credentials import with_credentials
from service.settings.errors import refusals
from service.settings.profiles import ProfilesConfig
from service.settings.yaml_lines import KeyPath, YamlFile, read_yaml
from service.web.family.rooms import id_of

Values = dict[str, Any]
"""A part of the configuration as plain data. Any: values of YAML."""

NAME: Final = "monitord.yaml"
"""Of the family's file, and of the one that the daemon reads. Not `config.yaml`: that name is the app's own."""
_NEARLY: Final = re.compile(r"monitord\.ya?ml(\.txt)?", re.IGNORECASE)
"""What that file is called by mistake, as editors and Windows have it."""
OURS: Final[Mapping[KeyPath, str]] = {
    ("state_dir",): "the app keeps its state in its own folder, where backups find it; remove the key",
    ("web", "ingress"): "the app knows the port, and takes owners from its options; remove the key",
}
"""What the family's file cannot say, and what to do."""
_WHOLE: Final = {"mqtt"}
"""Sections that the family's file has as a whole: half of one broker and half of another would be neither."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where everything is."""

    data: Path
    """Of the app alone: `options.json`, which only root may read, and the state; in Home Assistant's backups."""
    config: Path
    """The app's folder that the family sees."""
    run: Path
    """What is written at each start; gone with the container."""

    @property
    def options(self) -> Path:
        """What the Supervisor writes."""
        return self.data / "options.json"

    @property
    def state(self) -> Path:
        """What outlives a restart."""
        return self.data / "monitord"

    @property
    def configuration(self) -> Path:
        """What the daemon reads."""
        return self.run / NAME

    @property
    def password(self) -> Path:
        """The broker's, alone."""
        return self.run / "mqtt-password"


def prepare(broker: Broker | None, folders: Folders, user: int) -> None:
    """Gives the daemon's user the folders and files that are its own, and writes the password of the broker.

    Raises:
        OSError: The disk takes no writes.
    """
    for folder in (folders.run, folders.state):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What the Supervisor restores from a backup is root's, and so is a file that the family protects by chmod 600.
    _give((folders.run, folders.state, *folders.state.rglob("*"), *folders.config.rglob("*")), user)
    if broker is not None and broker.password is not None:
        _write(folders.password, broker.password + "\n", user)


def configuration(options: Options, broker: Broker | None, ingress_port: int | None, folders: Folders) -> Config:
    """Puts the configuration together.

    Raises:
        ConfigError: The family's file is wrong: all its mistakes, with their lines.
    """
    path = folders.config / NAME
    file = read_yaml(path) if _is_there(path) else YamlFile(path, None)
    family = {} if file.data is None else with_credentials(file.data, path.parent)
    if not isinstance(family, dict):
        raise ConfigError(f"{path}: must hold keys of its own, such as `node: home`")
    if wrong := [file.refusal(where, why) for where, why in OURS.items() if where in file.lines]:
        raise ConfigError("\n".join(wrong))
    try:
        values = _joined(_of_app(options, broker, ingress_port, folders), family)
        if options.threshold is not None:
            values["profiles"] = _with_threshold(values["profiles"], options.threshold)
        return Config.model_validate(values, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(refusals(file, error, Config))) from error


def write(config: Config, folders: Folders, user: int) -> None:
    """Writes what the daemon reads; it may hold passwords of cameras, so for its user alone.

    Raises:
        OSError: The disk takes no writes.
    """
    values = config.model_dump(mode="json", exclude_unset=True)
    if config.mqtt.embedded:  # whatever else stands there was filled in when it was read
        values["mqtt"] = {"embedded": True}
    text = yaml.dump(values, Dumper=_Quoting, allow_unicode=True, sort_keys=False)
    _write(folders.configuration, text, user)


class _Quoting(yaml.SafeDumper):
    """Puts each text in quotes: 08 and 1e3 are names by PyYAML's rules and numbers by those of `read_yaml`."""


def _in_quotes(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _in_quotes)


def _is_there(path: Path) -> bool:
    """Whether the family has a file; ConfigError where it only seems to have one, which nobody would read."""
    if os.path.lexists(path):
        return True
    if other := next((one.name for one in path.parent.glob("*") if _NEARLY.fullmatch(one.name)), None):
        raise ConfigError(f"{path.parent / other}: is not read under that name; call it {NAME}")
    return False


def _give(paths: Iterable[Path], user: int) -> None:
    for path in paths:
        with suppress(FileNotFoundError):  # the family may be at work in its folder
            os.chown(path, user, user, follow_symlinks=False)


def _of_app(options: Options, broker: Broker | None, ingress_port: int | None, folders: Folders) -> Values:
    rooms: Values = {}
    for room in options.rooms:
        rooms[id_of(room.name, rooms)] = room.model_dump(exclude_none=True)
    values: Values = {"web": {}, "sources": rooms, "mqtt": {"embedded": True}, "state_dir": str(folders.state)}
    if broker is not None:
        values["mqtt"] = {"host": broker.host, "port": broker.port}
        if broker.username is not None:
            values["mqtt"] |= {"username": broker.username}
        if broker.password is not None:
            values["mqtt"] |= {"password_file": str(folders.password)}
        if broker.ssl:
            values["mqtt"] |= {"tls": {}}
    if ingress_port is not None:
        values["web"] = {"ingress": {"port": ingress_port, "owners": list(options.owners)}}
    if options.language is not None:
        values["notify"] = {"language": options.language}
    if options.threshold is not None:
        values["profiles"] = ProfilesConfig().model_dump(exclude_none=True)
    return values


def _with_threshold(profiles: object, threshold: float) -> object:
    """Each profile that says nothing of a threshold itself has this one."""
    if not isinstance(profiles, dict):
        return profiles
    return {name: {"threshold": threshold, **one} if isinstance(one, dict) else one for name, one in profiles.items()}


def _joined(app: Values, family: Values) -> Values:
    joined = {**app, **family}
    for key in app.keys() & family.keys() - _WHOLE:
        if isinstance(app[key], dict) and isinstance(family[key], dict):
            joined[key] = {**app[key], **family[key]}
    return joined


def _write(path: Path, text: str, user: int) -> None:
    """Nobody else may read it at any moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(path, user, user)
