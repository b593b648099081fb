"""Configurations of one test, written and refused."""

from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.config import load_config


def write(folder: Path, text: str | bytes) -> Path:
    """Writes a configuration that only its owner can read; returns its path."""
    path = folder / "monitord.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def refusal(folder: Path, text: str | bytes) -> list[str]:
    """Returns the lines of the refusal, without the path of the file."""
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(f"{path}:").strip() for line in lines]
