"""README.md and deploy/*/README.md, followed to the letter by a newcomer: in order, in an empty directory.

What needs hardware or another house is met by a look-alike: a virtual microphone, a camera, a phone that serves
sound, a broker with a user, a push service. What needs another machine stands in `documents.ELSEWHERE`.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.daemon.daemon import quiet_room, room
from tests.support.documents import ELSEWHERE, MOSQUITTO, README, blocks
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import HttpAudio
from tests.support.servers.mosquitto import Mosquitto
from tests.support.servers.post_server import serve_posts
from tests.support.servers.rtsp_server import camera
from tests.support.servers.sockets import free_port
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.sound.sounds import silence, write_wav

pytestmark = pytest.mark.e2e


class Newcomer:
    """Types line after line in a checkout that was just fetched; what runs on is ended when the next is started."""

    def __init__(self, folder: Path, look_alikes: dict[str, str]) -> None:
        self.folder, self._look_alikes = folder, look_alikes
        self.used: set[str] = set()
        self.said = folder / "said"
        self._running: subprocess.Popen[bytes] | None = None
        _checkout(folder)

    def written(self, text: str) -> str:
        """The text with the look-alikes' addresses."""
        for original, look_alike in self._look_alikes.items():
            if original in text:
                self.used.add(original)
                text = text.replace(original, look_alike)
        return text

    def types(self, command: str) -> str:
        """Runs a command as it stands in the document; returns what it printed."""
        command = self.written(command)
        if command.startswith("deploy/run") and not command.endswith("--help"):
            return self._starts(command)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}{self._last_words()}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def hears(self, *arguments: str) -> None:
        """Waits until `deploy/monitord status` says that every room is heard."""
        command = ["deploy/monitord", "status", *arguments]

        def heard() -> bool:
            return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode == 0

        self._until(heard, "that all is heard")

    def _starts(self, command: str) -> str:
        self.stops()
        with self.said.open("wb") as said:
            # As in a terminal of its own: Ctrl-C reaches all that it started.
            self._running = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._until(lambda: "watch it" in self.said.read_text(), f"the first screen of {command}")
        watch = re.search(r"watch it +(.*)", self.said.read_text())
        assert watch
        done = subprocess.run(
            ["bash", "-c", f"{watch[1]} -C 1 -W {PATIENCE_S:.0f}"],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{watch[1]}: {done.stderr!r}{self._last_words()}"
        return self.said.read_text()

    def stops(self) -> None:
        """Ctrl-C; a recording may have ended by itself."""
        if self._running is None:
            return
        if self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGINT)
        assert self._running.wait(PATIENCE_S) == 0, self._last_words()
        self._running = None

    def kill(self) -> None:
        """Whatever became of it."""
        if self._running is not None and self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._running is not None
            code = self._running.poll()
            assert code is None or condition(), f"it ended with {code} before {what}:{self._last_words()}"
            assert time.monotonic() < deadline, f"waited in vain for {what}:{self._last_words()}"
            time.sleep(0.2)

    def _last_words(self) -> str:
        return f"\n{self.said.read_text()}" if self.said.exists() else ""


def _checkout(folder: Path) -> None:
    """A checkout as `git clone` makes it, with the libraries that `deploy/run` would have installed."""
    for name in ("deploy", "service", "monitord", "model", "training", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    # The scripts look where they lie, so these are no links.
    (folder / "deploy").unlink()
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (programs / "monitord").write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m service "$@"\n'
    )
    (programs / "monitord").chmod(0o755)
    mark = f'. "{folder}/deploy/install-lib.sh"; mark_installed run "$root/deploy/requirements.lock"'
    subprocess.run(["bash", "-euc", mark], check=True)


def _taken(port: int) -> bool:
    return (
        subprocess.run(["bash", "-c", f": <>/dev/tcp/127.0.0.1/{port}"], check=False, capture_output=True).returncode
        == 0
    )


@pytest.fixture
def microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    """A quiet room before the default microphone."""
    (tmp_path / "crib").mkdir()
    made = VirtualMicrophone(tmp_path / "crib", monkeypatch)
    made.start()
    made.play(write_wav(tmp_path / "quiet.wav", room(silence(600.0))))
    yield made
    made.kill()


@pytest.mark.usefixtures("microphone")
def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of README.md works as written, in order; what it has the reader write is taken as it stands."""
    if _taken(1883):
        pytest.skip("needs port 1883 of this machine, which something has")
    folder = tmp_path / "monitord"
    folder.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    quiet = quiet_room(tmp_path / "long.wav", 120.0)
    shutil.copy(quiet_room(tmp_path / "short.wav", 3.0), folder / "cry.m4a")
    ran = set()
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(tmp_path / "broker", users={"monitord": "THE PASSWORD"}))
        pushes = stack.enter_context(serve_posts())
        phone = stack.enter_context(HttpAudio(room(silence(60.0))).running())
        rtsp = stack.enter_context(camera(quiet, "aac"))
        newcomer = Newcomer(
            folder,
            {
                "host: homeassistant.local": f"host: 127.0.0.1, port: {broker.port}",
                "ntfys://ntfy.sh": f"ntfy://{pushes.host}",
                "rtsp://192.168.1.20:8554": f"rtsp://127.0.0.1:{rtsp}",
                "http://192.168.1.21:8080/audio.wav": phone.url("/audio.wav"),
                "0.0.0.0:1935": f"0.0.0.0:{free_port()}",
            },
        )
        stack.callback(newcomer.kill)
        for block in blocks(README):
            if block.language == "yaml" and "`monitord.yaml`" in block.before:
                (folder / "monitord.yaml").write_text(newcomer.written(block.text))
            for command in block.commands if block.language == "" else ():
                if command.startswith(("monitord ", "monitord-train ")) or command in ELSEWHERE:
                    continue
                printed = newcomer.types(command)
                ran.add(command)
                if command in ("deploy/run", "deploy/run --config monitord.yaml"):
                    newcomer.hears(*command.split()[1:])
                if command.startswith("deploy/monitord test-alarm"):
                    assert "FAILED" not in printed
                    assert "NO ANSWER" not in printed
        newcomer.stops()
        assert pushes.posts.qsize() >= 2  # mother's and father's
        assert newcomer.used == set(newcomer._look_alikes)
    assert len(ran) >= 12
    assert (folder / "mqtt-password").stat().st_mode & 0o077 == 0


def test_mosquitto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker of deploy/mosquitto starts as written, lets in whom it should, and nobody without a password."""
    if os.getuid() != 0 or shutil.which("mosquitto_passwd") is None:
        pytest.skip("needs root and the package mosquitto")
    etc, plain, tls = tmp_path / "etc", free_port(), free_port()
    (etc / "conf.d").mkdir(parents=True)
    folder = tmp_path / "mosquitto"
    shutil.copytree(MOSQUITTO.parent, folder)

    def here(text: str) -> str:
        for original, other in (("/etc/mosquitto", str(etc)), ("1883", str(plain)), ("8883", str(tls))):
            text = text.replace(original, other)
        return text

    for name in ("monitord.conf", "monitord-tls.conf"):
        (folder / name).write_text(here((folder / name).read_text()))
    # What Debian's own says, but for the user, who may not read in here.
    (etc / "mosquitto.conf").write_text(f"user root\npersistence false\ninclude_dir {etc}/conf.d\n")
    _debian(tmp_path / "bin", etc)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}:/usr/sbin")
    script = "".join(here(block.text) for block in blocks(MOSQUITTO) if block.language == "")
    script = script.replace("-o mosquitto -g mosquitto", "").replace("chown mosquitto:", "chown root:")
    # The name of this machine, as far as a test may know it.
    script = script.replace("$(hostname)", "localhost")
    try:
        done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        assert "unmask" in (tmp_path / "bin" / "calls").read_text()
        for password in ([], ["-u", "monitord", "-P", "guessed"]):
            stranger = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(plain), *password, "-t", "x", "-m", "x"]
            assert subprocess.run(stranger, capture_output=True, check=False).returncode != 0
        password = (folder / "monitord-password").read_text().strip()
        assert (folder / "monitord-password").stat().st_mode & 0o077 == 0
        assert password not in (etc / "monitord.passwd").read_text()
        verified = ["openssl", "verify", "-x509_strict", "-CAfile", etc / "certs" / "monitord.crt"]
        subprocess.run([*verified, etc / "certs" / "monitord.crt"], check=True, capture_output=True)
    finally:
        subprocess.run(["bash", "-c", f"kill $(cat {tmp_path}/bin/pid)"], check=False, capture_output=True)


def _debian(programs: Path, etc: Path) -> None:
    """`apt` that installs nothing, and a `systemctl` with one service, masked as `deploy/run` leaves it."""
    programs.mkdir()
    systemctl = f"""
case $1 in
unmask) rm -f {programs}/masked ;;
enable | restart) [ ! -e {programs}/masked ] || {{ echo "Unit mosquitto.service is masked." >&2; exit 1; }} ;;
esac
[ "$1" = restart ] || exit 0
[ ! -e {programs}/pid ] || kill "$(cat {programs}/pid)"
sleep 0.2
mosquitto -c {etc}/mosquitto.conf >{programs}/log 2>&1 &
echo $! >{programs}/pid
for port in $(sed -n 's/^listener \\([0-9]*\\).*/\\1/p' {etc}/conf.d/*); do
    for i in $(seq 300); do (: <>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 0.1; done
    (: <>/dev/tcp/127.0.0.1/$port) || {{ cat {programs}/log >&2; exit 1; }}
done"""
    (programs / "masked").touch()
    for name, does in (("systemctl", systemctl), ("apt", "")):
        (programs / name).write_text(f'#!/bin/bash\necho "{name} $*" >>{programs}/calls\n{does}\n')
        (programs / name).chmod(0o755)
