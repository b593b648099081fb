"""The embedded broker: a private mosquitto on loopback, or the broker that answers there already."""

import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from monitord.errors import ConfigError
from service.backoff import BackOff
from service.mqtt.settings import is_loopback
from service.settings.command import command
from service.storage.set_aside import set_aside

log = logging.getLogger(__name__)

START_S = 10.0
"""Longest start of mosquitto (seconds); measured 0.2 s."""

STOP_S = 1.0
"""How long mosquitto may take to save its state and leave (seconds); measured under 0.1 s."""

STEADY_S = 10.0
"""A broker that lived for so long (seconds) was well: the pause before it is started again is short."""

PROBE_S = 3.0
"""How long a broker may take to answer CONNECT (seconds), on loopback."""

LAST_WORDS = 3
"""Lines that mosquitto wrote last, kept for the error message: it says why it ends in one or two."""

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Debian keeps mosquitto in /usr/sbin, which is not in a user's PATH."""

_BROKEN_STATE = "Couldn't open database"
_AS_ROOT = "should not be run as root"
"""What mosquitto 2.0 writes."""

_CONNECT = bytes.fromhex("10 0c 0004 4d515454 04 02 000a 0000")
"""MQTT 3.1.1 CONNECT: clean session, keepalive 10 s, empty client id (3.1 of the standard). Any broker answers it."""

_CONNACK = 0x20
"""First byte of that answer, be it yes or no."""
_CONNACK_BYTES = 4
"""Its length; the last one is a yes (0), or why not (3.2.2.3 of the standard)."""
_REFUSED = {4, 5}
"""Bad user name or password; not authorized, which is mosquitto's answer to a client without a name."""
_LOCKED = """\
the broker that runs at {host}:{port} already wants a user and a password. Paste this, with both:

    echo 'THE PASSWORD' > mqtt-password && chmod 600 mqtt-password
    echo 'mqtt: {{host: {host}, port: {port}, username: THE_USER, password_file: mqtt-password}}' > monitord.yaml
    {run}

With mosquitto, a user is made by `sudo mosquitto_passwd FILE THE_USER`, with the FILE that password_file in
/etc/mosquitto names; in Home Assistant's own broker, every person of Home Assistant is one."""


class EmbeddedBroker:
    """Serves MQTT on loopback for as long as the daemon lives. The constructor opens nothing.

    Args:
        state_dir: The daemon's; the broker keeps its configuration and its state in `state_dir/broker`. Where nothing
            can be written there, it serves all the same, and a restart of it forgets what it was told.
        host: Address on loopback: it lets everybody in, and whoever wants it elsewhere wants a broker of their own,
            with passwords (`deploy/mosquitto`).
        port: TCP port.

    Raises:
        ValueError: The address is none on loopback.
    """

    def __init__(self, state_dir: Path, host: str = "127.0.0.1", port: int = 1883) -> None:
        if not is_loopback(host):
            raise ValueError(f"{host!r} is no address on loopback, and this broker asks nobody for a password")
        self.host = host
        self.port = port
        self.reused = False
        """Whether a broker answered there already; it is not ours to stop."""
        self._directory = state_dir / "broker"
        self._child: subprocess.Popen[str] | None = None
        self._in_memory: BinaryIO | None = None  # its configuration, where the disk does not take it
        self._fault = ""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> str:
        """What is wrong with our broker, for a person; empty while it runs."""
        return self._fault if self._child is None else ""

    def start(self) -> None:
        """Uses the broker that answers on the port, or starts one of our own and waits until it answers.

        Raises:
            ConfigError: Something else has the port, also a broker that wants a password; mosquitto is not installed,
                or it does not start.
        """
        match _probe(self.host, self.port):
            case "broker":
                self.reused = True
                log.info("broker: one answers on %s:%d already, it is used", self.host, self.port)
                return
            case "locked":
                raise ConfigError(
                    _LOCKED.format(host=self.host, port=self.port, run=command("run --config monitord.yaml"))
                )
            case "stranger":
                raise ConfigError(
                    f"port {self.port} on {self.host} is taken by something that is no MQTT broker; stop it"
                    f" (`ss -ltnp 'sport = :{self.port}'` names it), or set mqtt.host and mqtt.port to a broker"
                )
        mosquitto = self._command()
        self._thread = threading.Thread(target=self._keep_alive, args=(mosquitto,), name="broker", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_S
        # A mosquitto can answer before the thread that started it has its handle: `stop` and `fault` go by the handle.
        while self._fault or self._child is None or _probe(self.host, self.port) != "broker":
            if self._fault or time.monotonic() > deadline:
                self.stop()
                raise ConfigError(f"mosquitto does not start: {self._fault or 'no answer'}; see {self._directory}")
            time.sleep(0.02)
        where = "kept nowhere" if self._in_memory else f"in {self._directory}"
        log.info("broker: mosquitto serves %s:%d, its state is %s", self.host, self.port, where)

    def stop(self) -> None:
        """Ends our own broker; it saves its state. One that was there before stays."""
        self._stopping.set()
        if self._thread is None:
            return
        child = self._child
        if child is not None:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(STOP_S)
            if child.poll() is None:
                log.warning("broker: mosquitto does not leave, it is killed")
                child.kill()
        self._thread.join()
        self._thread = None
        if self._in_memory is not None:
            self._in_memory.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self) -> list[str]:
        mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path=SEARCH_PATH)
        if mosquitto is None:
            raise ConfigError(
                "the embedded broker needs mosquitto: `sudo apt install mosquitto`, or set mqtt.host to a broker"
            )
        command = [mosquitto, "-c", self._write_configuration()]
        # The kernel ends the child when the thread that started it ends, be it by a kill -9 of the daemon.
        setpriv = shutil.which("setpriv") or shutil.which("setpriv", path=SEARCH_PATH)
        if setpriv is None:
            log.warning("broker: no setpriv (package util-linux): mosquitto would outlive a kill of the daemon")
            return command
        return [setpriv, "--pdeathsig", "TERM", *command]

    def _write_configuration(self) -> str:
        """Returns the path of the configuration: on disk, else in memory, and then without a state on disk."""
        path = self._directory / "mosquitto.conf"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(self._configuration(persistence=True))
        except OSError as error:
            if not self._directory.parent.is_dir():
                raise ConfigError(f"{self._directory}: cannot be made ({error}); set state_dir") from error
            log.error("broker: %s; it keeps its state in memory only", error)  # noqa: TRY400 - no stack for a disk
            self._in_memory = os.fdopen(os.memfd_create("mosquitto.conf"), "wb", buffering=0)
            self._in_memory.write(self._configuration(persistence=False).encode())
            return f"/proc/self/fd/{self._in_memory.fileno()}"
        return str(path)

    def _configuration(self, *, persistence: bool) -> str:
        return "\n".join(
            (
                "# Written at each start of the embedded broker: changes are lost.",
                # As root mosquitto would become another user, and forget that it must end with its parent.
                "user root",
                f"listener {self.port} {self.host}",
                "allow_anonymous true",
                f"persistence {'true' if persistence else 'false'}",
                f"persistence_location {self._directory}/",
                # Saved after each change: the default of 30 minutes lost 20 of 20 acknowledged messages to a kill -9.
                "autosave_interval 1",
                "autosave_on_changes true",
                # For a phone that is away over night; the default of 1,000 is one hour of constant crying.
                "max_queued_messages 10000",
                "log_dest stderr",
                "log_type error",
                "log_type warning",
                "log_timestamp false",
                "",
            )
        )

    def _keep_alive(self, command: list[str]) -> None:
        """Thread `broker`: owns the child, because a child that dies with its parent dies with its parent's thread."""
        back_off = BackOff()
        while True:
            began = time.monotonic()
            try:
                end = self._live(command)
            except OSError as error:
                end = f"mosquitto cannot be started ({error})"
            if self._stopping.is_set():
                return
            if _BROKEN_STATE in end and self._set_aside():
                continue
            self._fault = end
            log.error("broker: %s; it is started again", end)
            if time.monotonic() - began > STEADY_S:
                back_off.reset()
            if self._stopping.wait(back_off.next_s()):
                return

    def _live(self, command: list[str]) -> str:
        """One life of mosquitto; returns how it ended, with its last words."""
        words: deque[str] = deque(maxlen=LAST_WORDS)
        # In a session of its own: Ctrl-C on a terminal goes to all of a group, and our goodbye needs the broker.
        # systemd hears from us alone.
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=environment,
            pass_fds=() if self._in_memory is None else (self._in_memory.fileno(),),
        ) as child:
            self._child = child
            if self._stopping.is_set():  # `stop` may have come before there was a child to end
                child.terminate()
            assert child.stderr is not None
            for line in child.stderr:
                if _AS_ROOT not in line:  # on purpose, see the configuration
                    words.append(line.strip())
                    log.warning("mosquitto: %s", line.strip())
        self._child = None
        return f"mosquitto ended with status {child.returncode}" + "".join(f"; {word}" for word in words)

    def _set_aside(self) -> bool:
        """Renames a state that mosquitto cannot read: it holds less than the daemon tells again on connecting."""
        try:
            aside = set_aside(self._directory / "mosquitto.db")
        except OSError as error:
            log.error("broker: its broken state cannot be set aside (%s)", error)  # noqa: TRY400 - no stack for a disk
            return False
        log.error("broker: mosquitto cannot read its state; it is kept as %s and begins anew", aside)
        return True


def _probe(host: str, port: int) -> str:
    """Says who is on the port: `nobody`, a `broker`, one that is `locked` to strangers, or a `stranger`."""
    try:
        with socket.create_connection((host, port), PROBE_S) as sock:
            sock.sendall(_CONNECT)
            answer = sock.recv(_CONNACK_BYTES, socket.MSG_WAITALL)
    except ConnectionRefusedError:
        return "nobody"
    except OSError:  # silent, or hung up
        return "stranger"
    if not answer or answer[0] != _CONNACK:
        return "stranger"
    return "locked" if answer[-1] in _REFUSED else "broker"
