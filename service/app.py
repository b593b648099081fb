"""The daemon's life on one screen: build, start, watch, stop. The one place where the parts are put together."""

import contextlib
import functools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from model.bundle import Bundle, load_bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.errors import ConfigError, MonitordError
from service.alerts.publisher import Publisher
from service.alerts.reporter import AlertReporter
from service.capture.inbox import Inbox
from service.capture.opening import check_files, open_source, stop_sources
from service.config import Config
from service.health.daemon_faults import DaemonFaults
from service.health.disk import Disk
from service.health.monitor import POLL_S, HealthMonitor
from service.health.outage_notice import OutageNotice
from service.health.saving import Saving
from service.health.systemd import ServiceManager
from service.homeassistant.discovery import discover
from service.homeassistant.house import house_of
from service.lifecycle import Lifecycle, obeying_signals
from service.messages import node_messages
from service.messages.commands import Command, Received
from service.messages.message import Message, Node
from service.messages.texts import Texts
from service.mqtt.client import MqttClient
from service.mqtt.embedded_broker import EmbeddedBroker
from service.mqtt.settings import MqttSettings
from service.notify.notice import Notice
from service.notify.notifier import Notifier
from service.pipeline.channel import SourceChannel
from service.pipeline.worker import Worker
from service.pipeline.worker_thread import WorkerThread
from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox
from service.storage.state_lock import only_one
from service.terminal.banner import BrokerKind, banner
from service.terminal.journal import Screen
from service.terminal.screen import logging_to, open_screen

WORKER_STOP_S: Final = 1.0
"""Seconds that the worker has to hear what waits in the inboxes: a minute of sound takes less."""
MQTT_STOP_S: Final = 1.0
"""Seconds for the last messages and the goodbye. The three together keep Ctrl-C within 3 s."""
NOTIFY_STOP_S: Final = 0.5
"""Seconds for the last words to phones, while the broker waits for its goodbye."""
RESTART_S: Final = 10.0
"""Seconds that the worker may be stuck: by then every room is told as not heard; nothing but a new process helps."""
STEADY_S: Final = 60.0
"""Seconds that the daemon must have run for a bug to be worth another start, where no service manager decides that."""
CONNECT_S: Final = 5.0
"""Seconds after the start in which a broker's refusal is the operator's mistake, and ends the daemon."""
CRASHED: Final = 70
"""Exit status after a bug: EX_SOFTWARE of sysexits.h. A service manager starts the daemon anew."""

_log = logging.getLogger(__name__)


def run(
    config: Config, *, json_lines: bool = False, demo: bool = False, reread: Callable[[], Config] | None = None
) -> int:
    """Listens until a signal, or until every recording has ended.

    Args:
        config: What to listen to and where to tell it.
        json_lines: Whether stdout carries JSON lines for a script, and stderr what a person reads.
        demo: Whether every source plays the demo sound.
        reread: Reads the configuration anew, for SIGHUP; None: SIGHUP ends the daemon, as it does every program.

    Returns:
        Exit status: 0, or `CRASHED` after a bug. Does not return where a restart was asked for.

    Raises:
        MonitordError: It cannot begin; nothing is left running.
    """
    names = {source_id: config.name_of(source_id) for source_id in config.sources}
    console, handler = open_screen(names, json_lines=json_lines)
    lifecycle, manager = Lifecycle(None if os.isatty(0) else reread), ServiceManager.of_environment()
    with logging_to(handler), obeying_signals(lifecycle), contextlib.ExitStack() as stack:
        stack.callback(console.close)
        bundle = load_bundle(config.bundle).require_trained()
        check_files([source.spec for source in config.sources.values()])
        code = _serve(config, bundle, console, lifecycle, stack, manager=manager, demo=demo)
    if lifecycle.restart:
        if lifecycle.reread is not None:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # outlives exec: one that comes too early must not end us
        os.execv(sys.executable, [sys.executable, "-m", "service", *sys.argv[1:]])  # noqa: S606 - ourselves again
    return code


def _serve(
    config: Config,
    bundle: Bundle,
    console: Screen,
    lifecycle: Lifecycle,
    stack: contextlib.ExitStack,
    *,
    manager: ServiceManager,
    demo: bool,
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
    channels = {source.id: SourceChannel.of(source.inbox, manifest.listener, manifest.tracker) for source in sources}
    store = DocumentStore(config.state_dir)
    announced = discover(house_of(config, version=version("monitord"), demo=demo), config.home_assistant, store)

    def ask(command: Command) -> None:
        reporter.ask(command)
        wake.set()  # where nothing is heard, the worker naps

    mqtt = MqttClient(
        settings,
        node,
        list(channels),
        outbox,
        on_command=ask,
        discovery=lambda: announced.devices,
        births=announced.births,
        gone=announced.gone,
    )
    names = {source: config.name_of(source) for source in channels}
    texts = Texts.load(config.notify.language)
    notifier = Notifier.build(config.notify, lambda channel, notice: _delivered(channel, notice, reporter))
    publisher = Publisher(node, names, texts, mqtt.tell, console, notifier.tell)
    watched = [(source, channels[source.id]) for source in sources]
    hearing = OutageNotice(node, names, texts, notifier.tell)
    monitor = HealthMonitor(node, watched, mqtt.tell, console, hearing, moved_at=lambda: worker.moved_at)
    reporter = AlertReporter.of(
        config,
        publisher,
        channels,
        store,
        sources_ok=monitor.count_ok,
        fault=monitor.fault_of,
        restart=lifecycle.ask_restart,
    )
    worker = Worker(list(channels.values()), classifier, reporter, wake, live=True)
    manager.watch(names, list(channels.values()), fault=monitor.fault_of, moved_at=lambda: worker.moved_at)

    console.banner(
        banner(config, version=version("monitord"), model=manifest.name, broker=settings, kind=kind, demo=demo)
    )
    info = _info(node, bundle)
    daemon_faults = DaemonFaults(
        classifier.runtime,
        Disk(config.state_dir, outbox, store),
        info=info,
        tell=mqtt.tell,
        screen=console,
        saving=Saving(node, texts, notifier.tell),
    )
    for message in (*announced.swept, info()):
        mqtt.tell(message)
    reporter.begin()
    monitor.poll()
    mqtt.start()
    stack.callback(mqtt.stop, MQTT_STOP_S)
    notifier.start()
    stack.callback(notifier.stop, NOTIFY_STOP_S)
    thread = WorkerThread(worker)
    stack.callback(thread.stop, WORKER_STOP_S)
    stack.callback(stop_sources, sources)
    for source in sources:
        source.start()
    thread.start()
    code = _watch(lifecycle, monitor, mqtt, thread, daemon_faults, manager=manager)
    if not lifecycle.restart:
        manager.stopping()
    return code


def _watch(
    lifecycle: Lifecycle,
    monitor: HealthMonitor,
    mqtt: MqttClient,
    worker: WorkerThread,
    daemon_faults: DaemonFaults,
    *,
    manager: ServiceManager,
) -> int:
    """Looks twice a second at all that may fail, until it is time to leave."""
    began = time.monotonic()
    while not lifecycle.stop.wait(POLL_S):
        monitor.poll()
        status = mqtt.status()
        if status.refused and time.monotonic() - began < CONNECT_S:
            raise ConfigError(status.detail)
        faults = daemon_faults.poll()
        if not mqtt.alive:
            _log.error("the MQTT client has a bug; the daemon ends, so that it can be started anew")
            return CRASHED
        if not worker.is_alive():
            monitor.poll()
            lifecycle.restart = worker.crashed and time.monotonic() - began >= STEADY_S and not manager.present
            return CRASHED if worker.crashed else 0
        if monitor.still_s > RESTART_S:
            _log.error("the worker is stuck since %.0f s; the daemon begins anew", monitor.still_s)
            lifecycle.restart = not manager.present
            return CRASHED
        manager.poll(status, faults)
        if lifecycle.reload:
            lifecycle.reload = False
            _reload(lifecycle, manager)
    return 0


def _reload(lifecycle: Lifecycle, manager: ServiceManager) -> None:
    """Asks for a new start with the configuration as it is now; where that is wrong, the old one stays in force."""
    assert lifecycle.reread is not None
    manager.reloading()
    try:
        fresh = lifecycle.reread()
        load_bundle(fresh.bundle).require_trained()
        check_files([source.spec for source in fresh.sources.values()])
    except MonitordError as error:
        _log.error("the reload is REFUSED, the old configuration stays in force:\n%s", error)
        manager.refused(str(error))
    else:
        _log.info("the new configuration is good; beginning anew with it")
        lifecycle.ask_restart()


def _delivered(channel: str, notice: Notice, reporter: AlertReporter) -> None:
    """A service took a notice for a phone: of a test alarm that is news."""
    if notice.kind == "test":
        reporter.ask(Received(notice.source, notice.tag, channel))


def _info(node: Node, bundle: Bundle) -> Callable[..., Message]:
    """Returns who makes `info`, which lacks only what is wrong with the daemon."""
    manifest = bundle.manifest
    return functools.partial(
        node_messages.info,
        node,
        version=version("monitord"),
        model=manifest.name,
        model_sha=bundle.id,
        metrics=manifest.metrics,
    )
