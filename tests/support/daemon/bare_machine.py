"""A machine as a new user has it: nothing on MQTT's own port, no microphone, no configuration."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

PORT: Final = 1883
"""MQTT's own: where the embedded broker serves."""
NO_CARD: Final = "pcm.!default { type hw card 99 }"
"""Configuration of ALSA in which no card is found; with an empty one PortAudio aborts."""


def taken() -> bool:
    """Whether somebody answers on the port."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        return True
    return False


def need_free_port() -> None:
    """Skips the test where the port is taken."""
    if taken():
        pytest.skip(f"needs port {PORT} of this machine, which something has")


def hide_microphones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No capture device is found, whatever the machine has."""
    (folder / "asound.conf").write_text(NO_CARD)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(folder / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{folder / 'none'}")


def state_dir() -> Path:
    """Where a daemon without a configuration keeps its state."""
    return Path(os.environ["XDG_STATE_HOME"]) / "monitord"
