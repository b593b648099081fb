"""Microphones at a private sound server, each recording what a test writes into a pipe."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tests.support.faults.fault_feed import Feed
from tests.support.patience import PATIENCE_S


def alsa_environment(folder: Path, *servers: "Microphones") -> dict[str, str]:
    """Writes ALSA's configuration for all of them; returns the variables by which a daemon finds it."""
    configuration = folder / "asound.conf"
    # Without a default device PortAudio ends the process with an assertion.
    default = "\n".join(f"{kind}.!default {{ type null }}" for kind in ("pcm", "ctl"))
    configuration.write_text("\n".join([*(server.alsa for server in servers), default]))
    return {"ALSA_CONFIG_PATH": str(configuration), **_of_pulse(folder)}


def _of_pulse(folder: Path) -> dict[str, str]:
    """Where PulseAudio keeps its cookie and what it needs while it runs: nothing is left behind in /tmp."""
    return {"HOME": str(folder), "PULSE_RUNTIME_PATH": str(folder / "runtime")}


class Microphones:
    """A PulseAudio with one pipe for each name, under which PortAudio finds it.

    Args:
        folder: Holds its socket, pipes and configuration.
        names: Of the microphones.
    """

    def __init__(self, folder: Path, *names: str) -> None:
        self.feeds = {name: Feed() for name in names}
        self._folder = folder
        self._over = threading.Event()
        self._plugged = 0
        self._pipes: dict[str, Path] = {}
        folder.mkdir()
        self._server_url = f"unix:{folder / 'native'}"
        self._environment = os.environ | {"PULSE_SERVER": self._server_url, **_of_pulse(folder)}

    @property
    def alsa(self) -> str:
        """Its devices in ALSA's configuration."""
        hint = 'hint { show on description "a pipe" }'  # without it, PortAudio does not list it
        return "\n".join(
            f'pcm.{name} {{ type pulse server "{self._server_url}" device {name} {hint} }}' for name in self.feeds
        )

    @contextmanager
    def running(self) -> Iterator["Microphones"]:
        """Records until the block is left."""
        self._start()
        modules_of = {name: self._plug(name) for name in self.feeds}
        threads = [threading.Thread(target=self._record, args=(name, modules_of[name])) for name in self.feeds]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
            self._server.kill()
            self._server.wait()

    def hang(self) -> None:
        """Stops the whole server in the middle of what it does."""
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._server.send_signal(signal.SIGCONT)

    def _record(self, name: str, module: str) -> None:
        """Writes the feed into the pipe; unplugs the microphone while the feed is gone."""
        feed = self.feeds[name]
        while not self._over.is_set():
            # Neither waits for a reader: a server that hangs or is gone reads no more.
            pipe = os.open(self._pipes[name], os.O_RDWR | os.O_NONBLOCK)
            try:
                feed.play(partial(_write, pipe), self._over)
            finally:
                os.close(pipe)
            if self._over.is_set():
                return
            self._pactl("unload-module", module)
            while feed.does == "gone" and not self._over.wait(0.05):
                pass
            if not self._over.is_set():
                module = self._plug(name)

    def _start(self) -> None:
        """Starts the server, and returns once it answers."""
        (self._folder / "native").unlink(missing_ok=True)
        module = f"module-native-protocol-unix socket={self._folder / 'native'} auth-anonymous=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L", module]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["pactl", "info"], capture_output=True, check=False, env=self._environment).returncode:
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def _plug(self, name: str) -> str:
        self._plugged += 1
        pipe = self._pipes[name] = self._folder / f"{name}.{self._plugged}"  # the old one is removed in its own time
        described = (f"source_name={name}", f"file={pipe}", "rate=16000", "channels=1", "format=s16le")
        deadline = time.monotonic() + PATIENCE_S
        while not (module := self._pactl("load-module", "module-pipe-source", *described)):
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)
        return module

    def _pactl(self, *arguments: str) -> str:
        done = subprocess.run(["pactl", *arguments], capture_output=True, text=True, check=False, env=self._environment)
        return done.stdout.strip()


def _write(pipe: int, sound: bytes) -> None:
    with suppress(BlockingIOError):  # full: what is not read in time is lost, as in a sound card
        os.write(pipe, sound)
