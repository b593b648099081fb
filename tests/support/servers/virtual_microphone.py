"""A microphone without hardware: a private PulseAudio whose null sink is recorded through ALSA and PortAudio."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ALSA = """
pcm.pulse { type pulse hint { show on description "PulseAudio" } }
ctl.pulse { type pulse }
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
"""Configuration of ALSA that knows one device, the private server; without `hint`, PortAudio does not list it."""

DEVICE = "module-null-sink norewinds=1 sink_name=crib rate=16000 channels=1 format=s16le"
"""The device, a module of the server."""


class VirtualMicrophone:
    """A sound server of its own in a folder; whatever is played into it is what PortAudio's `pulse` records.

    Args:
        folder: Holds its socket and configuration.
        environment: Gets the variables by which ALSA and PulseAudio find it.
        channels: Of the device.
    """

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, channels: int = 1) -> None:
        self._device = DEVICE.replace("channels=1", f"channels={channels}")
        self._socket = folder / "native"
        self._log = folder / "pulseaudio.log"
        self._server: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        configuration = folder / "asound.conf"
        configuration.write_text(ALSA)
        environment.setenv("ALSA_CONFIG_PATH", str(configuration))
        environment.setenv("PULSE_SERVER", f"unix:{self._socket}")
        environment.setenv("HOME", str(folder))  # its cookie stays in the folder too
        environment.setenv("PULSE_RUNTIME_PATH", str(folder / "runtime"))  # else a folder in /tmp for each server

    def start(self) -> None:
        """Starts the server, and returns once it records."""
        self._socket.unlink(missing_ok=True)
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "-L",
            f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
            "-L",  # without norewinds the first read takes 2 s
            self._device,
        ]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        ready = ["pactl", "set-default-source", "crib.monitor"]
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def play(self, wav: Path) -> None:
        """Plays a recording into the microphone, and returns at once."""
        self._players.append(subprocess.Popen(["paplay", "-d", "crib", str(wav)], env=dict(os.environ)))

    def unplug(self) -> None:
        """Takes the device away; the server stays."""
        subprocess.run(["pactl", "unload-module", "module-null-sink"], check=True)

    def plug(self) -> None:
        """Puts it back."""
        subprocess.run(["pactl", "load-module", *self._device.split()], check=True, stdout=subprocess.DEVNULL)

    def hang(self) -> None:
        """Stops the server in the middle of what it does."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a hung server go on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills the server, hung or not, and whoever plays into it."""
        for process in [*self._players, self._server]:
            if process is not None:
                process.kill()
                process.wait()
        self._players.clear()
        self._server = None
