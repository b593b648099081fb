"""The daemon's life on one screen: build, start, watch, stop. The one place where the parts are put together."""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from types import FrameType
from typing import Final

from model.bundle import Bundle, load_bundle
from model.classifier import Classifier
from model.forward import Runtime
from model.runtime import open_runtime
from monitord.errors import ConfigError, MonitordError
from service import messages
from service.banner import BrokerKind, banner
from service.broker import EmbeddedBroker
from service.config import Config
from service.console import Console, ConsoleHandler
from service.ear import Ear
from service.inbox import Inbox
from service.messages import Node
from service.mqtt import Mqtt
from service.mqtt_settings import MqttSettings
from service.outbox import Outbox
from service.sources.base import Source
from service.sources.file import FileSource
from service.sources.recording import check_file
from service.sources.spec import FileSpec, MicrophoneSpec, SourceSpec, StreamSpec
from service.state_lock import only_one
from service.supervisor import LOOK_S, Supervisor
from service.teller import MqttTeller
from service.worker import Worker

SOURCES_STOP_S: Final = 0.8
"""Seconds that all sources together have to leave: one chunk's wait; a hung device is left behind."""
WORKER_STOP_S: Final = 1.0
"""Seconds that the worker has to hear what waits in the inboxes: a minute of sound takes less."""
MQTT_STOP_S: Final = 1.0
"""Seconds for the last messages and the goodbye. The three together keep Ctrl-C within 3 s."""
CONNECT_S: Final = 5.0
"""Seconds after the start in which a broker's refusal is the operator's mistake, and ends the daemon."""
CRASHED: Final = 70
"""Exit status after a bug: EX_SOFTWARE of sysexits.h. A service manager starts the daemon anew."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wishes:
    """What signals and commands ask of the main thread; they only set flags."""

    stop: threading.Event = field(default_factory=threading.Event)
    restart: bool = False

    def ask_restart(self) -> None:
        """Ends the daemon so that it begins anew."""
        self.restart = True
        self.stop.set()


def run(config: Config, *, json_lines: bool = False, demo: bool = False) -> int:
    """Listens until a signal, or until every recording has ended.

    Args:
        config: What to listen to and where to tell it.
        json_lines: Whether stdout carries JSON lines for a script, and stderr what a person reads.
        demo: Whether every source plays the demo sound.

    Returns:
        Exit status: 0, or `CRASHED` after a bug. Does not return where a restart was asked for.

    Raises:
        MonitordError: It cannot begin; nothing is left running.
    """
    names = {source_id: config.name_of(source_id) for source_id in config.sources}
    console = Console(sys.stderr if json_lines else sys.stdout, names, sys.stdout if json_lines else None)
    wishes = _Wishes()
    with _logging_to(console), _signals(wishes), contextlib.ExitStack() as stack:
        stack.callback(console.close)
        bundle = load_bundle(config.bundle).require_trained()
        _check_files(config)
        code = _serve(config, bundle, console, wishes, stack, demo=demo)
    if wishes.restart:
        os.execv(sys.executable, [sys.executable, "-m", "service", *sys.argv[1:]])  # noqa: S606 - ourselves again
    return code


def _serve(
    config: Config, bundle: Bundle, console: Console, wishes: _Wishes, stack: contextlib.ExitStack, *, demo: bool
) -> int:
    """Starts everything in order, watches, and stops it in the reverse order."""
    node = Node(config.node, demo=demo)
    settings = config.mqtt.settings
    kind: BrokerKind = "configured"
    stack.enter_context(only_one(config.state_dir))
    if config.mqtt.embedded:
        broker = stack.enter_context(EmbeddedBroker(config.state_dir))
        settings = MqttSettings(broker.host, broker.port)
        kind = "found" if broker.reused else "private"
    outbox = stack.enter_context(Outbox(config.state_dir / "outbox.db"))
    classifier = Classifier(bundle, open_runtime(bundle, config.runtime))

    wake = threading.Event()
    sources = [
        open_source(source_id, source.spec, Inbox(source_id, wake=wake), demo=demo)
        for source_id, source in config.sources.items()
    ]
    manifest = bundle.manifest
    ears = {source.id: Ear.of(source.inbox, manifest.listener, manifest.tracker) for source in sources}
    mqtt = Mqtt(settings, node, list(ears), outbox, on_command=lambda command: teller.command(command))  # noqa: PLW0108 - built below
    supervisor = Supervisor(node, [(source, ears[source.id]) for source in sources], mqtt.tell, console)
    teller = MqttTeller(
        node, ears, mqtt.tell, console, sources_ok=lambda: supervisor.sources_ok, restart=wishes.ask_restart
    )
    worker = Worker(list(ears.values()), classifier, teller, wake)

    console.banner(
        banner(config, version=version("monitord"), model=manifest.name, broker=settings, kind=kind, demo=demo)
    )
    mqtt.tell(_info(node, bundle))
    teller.begin()
    supervisor.look()
    mqtt.start()
    stack.callback(mqtt.stop, MQTT_STOP_S)
    thread = _WorkerThread(worker)
    stack.callback(thread.stop, WORKER_STOP_S)
    stack.callback(_stop_sources, sources)
    for source in sources:
        source.start()
    thread.start()
    return _watch(wishes, supervisor, mqtt, thread, classifier.runtime)


def _watch(wishes: _Wishes, supervisor: Supervisor, mqtt: Mqtt, worker: "_WorkerThread", runtime: Runtime) -> int:
    """Looks twice a second at all that may fail, until it is time to leave."""
    began = time.monotonic()
    fault = ""
    while not wishes.stop.wait(LOOK_S):
        supervisor.look()
        status = mqtt.status()
        if status.refused and time.monotonic() - began < CONNECT_S:
            raise ConfigError(status.detail)
        if runtime.fault != fault:
            fault = runtime.fault
            _log.warning("network: %s", fault)
        if not mqtt.alive:
            _log.error("the voice has a bug; the daemon ends, so that it can be started anew")
            return CRASHED
        if not worker.is_alive():
            supervisor.look()
            return CRASHED if worker.crashed else 0
    return 0


class _WorkerThread(threading.Thread):
    """The worker's thread. A bug in it ends the daemon with a traceback; it never leaves the house deaf."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="worker", daemon=True)
        self._worker = worker
        self.crashed = False

    def run(self) -> None:
        """Works until told to stop, or until every source has ended."""
        try:
            self._worker.run()
        except Exception:  # noqa: BLE001 - a bug of any kind must end the daemon aloud, not this thread in silence
            self.crashed = True
            _log.exception("the worker has a bug; the daemon ends, so that it can be started anew")

    def stop(self, timeout_s: float) -> None:
        """Lets it finish what waits in the inboxes, at most so long."""
        self._worker.stop()
        if self.ident is not None:
            self.join(timeout_s)


def open_source(source_id: str, spec: SourceSpec, inbox: Inbox, *, demo: bool = False) -> Source:
    """Builds the source of a spec; nothing is opened yet."""
    if demo:
        from service.sources.demo import DemoSource  # noqa: PLC0415 - its sound needs all of scipy.signal: a second, 50 MB

        return DemoSource(source_id, inbox)
    match spec:
        case MicrophoneSpec(device):
            from service.sources.microphone import MicrophoneSource  # noqa: PLC0415 - PortAudio only where it is used

            return MicrophoneSource(source_id, device, inbox)
        case StreamSpec(url, listen):
            from service.sources.stream import StreamSource  # noqa: PLC0415

            return StreamSource(source_id, url, inbox, listen=listen)
        case FileSpec(path, loop):
            return FileSource(source_id, path, inbox, realtime=True, loop=loop)


def _info(node: Node, bundle: Bundle) -> messages.Message:
    manifest = bundle.manifest
    return messages.info(
        node, version=version("monitord"), model=manifest.name, model_sha=bundle.id, metrics=manifest.metrics
    )


def _check_files(config: Config) -> None:
    """Refuses recordings that give no sound, unless other sources can go on without them."""
    mistakes: list[MonitordError] = []
    for source in config.sources.values():
        if isinstance(source.spec, FileSpec):
            try:
                check_file(source.spec.path)
            except ConfigError:
                raise
            except MonitordError as error:
                mistakes.append(error)
    if mistakes and len(mistakes) == len(config.sources):
        raise mistakes[0]


def _stop_sources(sources: Sequence[Source]) -> None:
    deadline = time.monotonic() + SOURCES_STOP_S
    for source in sources:
        source.stop(0.0)  # asks; all leave side by side
    for source in sources:
        if not source.stop(max(0.0, deadline - time.monotonic())):
            _log.warning("%s: its device hangs and is left behind", source.id)


@contextlib.contextmanager
def _logging_to(console: Console) -> Iterator[None]:
    handler = ConsoleHandler(console)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(levelname)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)


@contextlib.contextmanager
def _signals(wishes: _Wishes) -> Iterator[None]:
    """SIGINT and SIGTERM ask to leave; a second one leaves at once."""

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        if wishes.stop.is_set():
            os._exit(128 + number)
        wishes.stop.set()

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
