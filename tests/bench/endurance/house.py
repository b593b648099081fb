"""A house for the soak: rooms of every kind, and faults that come and go by themselves."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from tests.bench import sounds
from tests.support.daemon.daemon import Daemon, configure, looped, quiet_room
from tests.support.servers.http_audio import HttpAudio
from tests.support.servers.mosquitto import Mosquitto
from tests.support.servers.sockets import free_port
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.sound.sounds import cry_in_room, noise, write_wav

AWAY_S = (1.0, 20.0)
"""Shortest and longest fault (seconds): from a hiccup to well past all that is told within 10 s."""
DISK = "size=8m"
"""The daemon's disk, so that it can be filled; what it keeps for a night is less."""
PLAYED = 120
"""Cries that are played into the microphone at once: more than an hour, for behind them the server sends zeros."""
Fault = Callable[[threading.Event, float], None]
"""Breaks something, waits so long (seconds) or until it is over, and mends it."""


class House:
    """Rooms with a file, a stream or a microphone, a broker, and a small disk where this user may mount one.

    Args:
        folder: Empty.
        say: Gets a line for each fault.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.broker = Mosquitto(folder / "broker")
        self.config = folder / "monitord.yaml"
        self._folder, self._say = folder, say
        self._stack = contextlib.ExitStack()
        self._sources: dict[str, object] = {}
        self._faults: dict[str, Fault] = {"broker": self._broker_ends, "broker hangs": self._broker_hangs}
        self._stream_port = free_port()
        self._stream: contextlib.ExitStack | None = None
        self.happened: dict[str, int] = {}
        """How often each fault came."""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(self.broker)
        self._files()
        self._streams()
        self._microphone()
        self._disk()
        configure(self._folder, self.broker, self._sources)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def rooms(self) -> list[str]:
        """Source ids."""
        return list(self._sources)

    def finish(self) -> None:
        """A next life, of a quiet and sound house, that sends what the one before has kept."""
        quiet = {name: {"file": str(quiet_room(self._folder / "last.wav"))} for name in self._sources}
        config = configure(self._folder, self.broker, quiet)
        with Daemon(self._folder, "--config", config) as daemon:
            daemon.ends()

    def torment(self, over: threading.Event, chance: random.Random, pause_s: float) -> None:
        """Lets faults come and go until it is over; all is mended when this returns."""
        while not over.wait(chance.uniform(0.2, 2.0) * pause_s):
            name, length_s = chance.choice(list(self._faults)), chance.uniform(*AWAY_S)
            self._say(f"fault: {name} for {length_s:.0f} s")
            self.happened[name] = self.happened.get(name, 0) + 1
            self._faults[name](over, length_s)

    def _files(self) -> None:
        for name, sound in {
            "quiet": sounds.quiet(60.0),
            "noisy": noise(60.0, rms_dbfs=-25.0),
            # The quiet outlasts an episode's hold, so each loop is an episode; the rooms drift against each other.
            "nursery": cry_in_room(3.0, 14.0),
            "attic": cry_in_room(7.0, 27.0, seed=3),
        }.items():
            path = write_wav(self._folder / f"{name}.wav", sound)
            self._sources[name] = looped(path)
        self._faults["file gone"] = self._file_gone

    def _file_gone(self, over: threading.Event, length_s: float) -> None:
        path = self._folder / "noisy.wav"
        path.rename(aside := path.with_suffix(".aside"))
        over.wait(max(length_s, 61.0))  # it is opened anew at the end of its loop
        aside.rename(path)

    def _streams(self) -> None:
        for name, path in {"wav": "/audio.wav", "opus": "/audio.opus"}.items():
            self._sources[f"stream_{name}"] = {"stream": f"http://127.0.0.1:{self._stream_port}{path}"}
        self._stack.callback(self._stop_stream)
        self._start_stream()
        self._faults["stream gone"] = self._stream_gone

    def _start_stream(self) -> None:
        self._stream = contextlib.ExitStack()
        self._stream.enter_context(HttpAudio(cry_in_room(3.0, 14.0, seed=2), self._stream_port).running())

    def _stop_stream(self) -> None:
        assert self._stream is not None
        self._stream.close()

    def _stream_gone(self, over: threading.Event, length_s: float) -> None:
        self._stop_stream()
        over.wait(length_s)
        self._start_stream()

    def _microphone(self) -> None:
        if not all(map(shutil.which, ("pulseaudio", "pactl", "paplay"))):
            self._say("without a microphone: it needs pulseaudio, pactl and paplay")
            return
        (self._folder / "microphone").mkdir()
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        microphone = VirtualMicrophone(self._folder / "microphone", patch)
        played = write_wav(self._folder / "played.wav", np.tile(cry_in_room(5.0, 17.0, seed=4), PLAYED))
        self._stack.callback(microphone.kill)

        def start() -> None:
            microphone.start()
            microphone.play(played)

        def gone(over: threading.Event, length_s: float) -> None:
            microphone.kill()
            over.wait(length_s)
            start()

        def hangs(over: threading.Event, length_s: float) -> None:
            microphone.hang()
            over.wait(length_s)
            microphone.resume()

        start()
        self._sources["microphone"] = {"microphone": "default"}
        self._faults |= {"microphone gone": gone, "microphone hangs": hangs}

    def _disk(self) -> None:
        state = self._folder / "state"
        state.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(state)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            self._say("without a full disk: only root may mount a small one")
            return
        self._stack.callback(subprocess.run, ["umount", "--lazy", str(state)], check=True)
        self._faults["disk full"] = self._disk_full

    def _disk_full(self, over: threading.Event, length_s: float) -> None:
        filler = self._folder / "state" / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        over.wait(length_s)
        filler.unlink()

    def _broker_ends(self, over: threading.Event, length_s: float) -> None:
        (self.broker.kill if int(length_s * 1000) % 2 else self.broker.terminate)()
        over.wait(length_s)
        self.broker.start()

    def _broker_hangs(self, over: threading.Event, length_s: float) -> None:
        os.kill(self.broker.pid, signal.SIGSTOP)
        over.wait(length_s)
        os.kill(self.broker.pid, signal.SIGCONT)


@contextlib.contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Does the work in a thread until the block is left; its argument is set then."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def seen_faults(healths: list[dict[str, object]]) -> str:
    """Counts what the daemon said was wrong with its sources, `ok` left out, as JSON."""
    names = [str(health["fault"]) for health in healths]
    return json.dumps({name: names.count(name) for name in sorted(set(names) - {"ok"})})
