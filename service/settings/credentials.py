"""Secrets by name: `password_file: credential:mqtt-password` finds the file that the service manager hands over.

systemd gives a service its credentials in a directory that nobody else can read, systemd.exec(5), LoadCredential=. For
commands that a person runs it is the directory that systemd takes them from: `credentials` beside the configuration.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "credential:"
FILES: Final = "_file"
"""End of the keys that may name a credential: password_file, url_file, ca_file, ..."""
FOLDER: Final = "credentials"
"""Where the files lie that systemd takes, beside the configuration."""
UNIT_ID: Final = "monitord_"
"""What systemd puts before the name of each file of `LoadCredential=monitord:/etc/monitord/credentials`."""


def with_credentials(data: object, folder: Path, parents: frozenset[int] = frozenset()) -> object:
    """Returns the data of a configuration with the path of the file in place of each credential's name.

    Args:
        data: Mappings, lists and plain values.
        folder: The configuration file's own.
        parents: What `data` lies in; YAML lets a mapping hold itself, and that is left to the checks that follow.
    """
    if id(data) in parents:
        return data
    inside = parents | {id(data)}
    if isinstance(data, Mapping):
        return {key: _value(key, value, folder, inside) for key, value in data.items()}
    if isinstance(data, list):
        return [with_credentials(value, folder, inside) for value in data]
    return data


def _value(key: object, value: object, folder: Path, inside: frozenset[int]) -> object:
    if not (isinstance(value, str) and value.startswith(PREFIX) and str(key).endswith(FILES)):
        return with_credentials(value, folder, inside)
    name, given = value.removeprefix(PREFIX), os.environ.get("CREDENTIALS_DIRECTORY")
    return str(folder.absolute() / FOLDER / name if given is None else Path(given) / f"{UNIT_ID}{name}")
