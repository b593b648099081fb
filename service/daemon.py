"""One monitor from its parts: build, start, poll, stop. The one place where the parts are put together.

No signal, no exec and no global in it: any program may host a daemon, or several, each with a state directory and a
node name of its own.
"""

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal, Self

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.household import Household
from service.adaptation.adapter import Adapter
from service.alerts.command_queue import CommandQueue
from service.alerts.publisher import Publisher
from service.alerts.reporter import AlertReporter
from service.capture.inbox import Inbox
from service.capture.opening import open_source, stop_sources
from service.capture.source import Source
from service.config import Config
from service.health.daemon_faults import DaemonFaults, Disk
from service.health.monitor import HealthMonitor
from service.health.outage_notice import OutageNotice
from service.health.systemd import DaemonHealth
from service.homeassistant.discovery import discover
from service.homeassistant.house import House
from service.messages import node_messages
from service.messages.message import Message, Node
from service.messages.model_figures import headline
from service.messages.texts import Texts
from service.mqtt.borrowed_broker import BorrowedBroker
from service.mqtt.broker_choice import choose_broker
from service.mqtt.client import MqttClient
from service.mqtt.sender import Speaker
from service.mqtt.subscribe_line import subscribe_line
from service.notify.notifier import Notifier
from service.pipeline.channel import SourceChannel
from service.pipeline.trace import Trace
from service.pipeline.worker import Worker
from service.pipeline.worker_thread import WorkerThread
from service.storage.demo_state import folder_of, forget_demo
from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox
from service.storage.state_lock import only_one
from service.terminal.banner import banner, page_banner
from service.terminal.journal import JournalScreen, Screen
from service.web.opening import beside, kept_by, open_page, open_past

WORKER_STOP_S: Final = 1.0
"""Seconds that the worker has to hear what waits in the inboxes: a minute of sound takes less."""
MQTT_STOP_S: Final = 1.0
"""Seconds for the last messages and the goodbye. The three together keep Ctrl-C within 3 s."""
NOTIFY_STOP_S: Final = 0.5
"""Seconds for the last words to phones, while the broker waits for its goodbye."""
PAGE_STOP_S: Final = 0.5
"""Seconds for whoever looks at the page to see the last states."""
STUCK_END_S: Final = 10.0
"""Seconds that the worker may be stuck: by then every room is told as not heard; nothing but a new process helps."""
CONNECT_S: Final = 5.0
"""Seconds after the start in which a broker's refusal is the operator's mistake, and ends the daemon."""

if TYPE_CHECKING:
    from service.web.server import WebServer

Ending = Literal["over", "crashed", "stuck"]
"""Every recording has ended; a part has a bug; the worker does not move. Only a new daemon helps with the last two."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Daemon:
    """One monitor. All methods are for one thread, the host's.

    Made with `build`, which opens what must not be shared (lock, outbox, broker); a with-block stops it, started or
    not.
    """

    _sources: Sequence[Source]
    _thread: WorkerThread
    _mqtt: MqttClient
    _page: "WebServer | None"
    _tell: Callable[[Message], bool]
    """Tells MQTT, and the page where there is one."""
    _screen: Screen
    _notifier: Notifier
    _reporter: AlertReporter
    _monitor: HealthMonitor
    _faults: DaemonFaults
    _first: Sequence[Message]
    """What is told before anything is heard."""
    _borrowed: BorrowedBroker | None
    """Where the broker is one that was found here."""
    _opened: contextlib.ExitStack
    _started_at: float = field(default_factory=time.monotonic)

    @classmethod
    def build(
        cls,
        config: Config,
        bundle: Bundle,
        screen: Screen,
        *,
        demo: bool = False,
        restart: Callable[[], None] = lambda: None,
        trace: Trace | None = None,
        admitted: Callable[[], bool] = lambda: True,
        mirror: Callable[[str, Mapping[str, object]], Message] | None = None,
    ) -> Self:
        """Puts the parts together; nothing is heard or told yet.

        Args:
            config: What to listen to and where to tell it.
            bundle: A trained one.
            screen: Shows what happens.
            demo: Whether every source plays the demo sound.
            restart: Called, from the worker's thread, when somebody asks for a restart.
            trace: Follows how each decision comes about.
            admitted: Whether it may connect to the broker now; asked, from the thread of the connection, before each.
            mirror: What a document of the state directory, by its name, becomes on MQTT; None: nothing.

        Raises:
            MonitordError: It cannot begin; nothing is left open.
        """
        node, manifest = Node(config.node, demo=demo), bundle.manifest
        rooms, wake, household = config.rooms, threading.Event(), Household()
        names, queue = {room.id: room.name for room in rooms}, CommandQueue(wake)
        state = folder_of(config.state_dir, demo=demo)
        texts, store = Texts.load(config.notify.language), DocumentStore(state)
        with contextlib.ExitStack() as stack:
            stack.enter_context(only_one(config.state_dir))
            after_demo = not demo and forget_demo(config.state_dir)
            broker, kind, found = choose_broker(config.mqtt, state, stack, node=node.name)
            outbox = stack.enter_context(Outbox(state / "outbox.db"))
            classifier = Classifier(bundle, open_runtime(bundle, config.runtime))
            sources = [open_source(room.id, room.spec, Inbox(room.id, wake=wake), demo=demo) for room in rooms]
            channels = {one.id: SourceChannel.of(one.inbox, manifest.listener, manifest.tracker) for one in sources}
            past = open_past(config.web, node, state, sources, stack)
            take = kept_by(past, queue.put)
            house = House.of(node, version("monitord"), [(room.id, room.name, room.spec) for room in rooms])
            # Also what a demo announced is to be removed one day, wherever it was announced.
            announced = discover(house, config.home_assistant, DocumentStore(config.state_dir) if demo else store)
            speaker = Speaker(
                node,
                list(channels),
                outbox,
                on_command=take,
                discovery=announced.devices,
                unanswered=household.unanswered,
                births=announced.births,
                birth=config.home_assistant.birth_payload,
                gone=announced.gone,
            )
            mqtt = MqttClient(broker, speaker, admitted=admitted)
            if mirror is not None:
                store.mirror_to(lambda name, document: mqtt.tell(mirror(name, document)))
            page = open_page(config.web, node, names, config.state_dir, past, on_command=take, restart=restart)
            tell = beside(page, mqtt.tell)
            notifier = Notifier.build(config.notify, queue.delivered, queue.not_delivered)
            watched = [(source, channels[source.id]) for source in sources]
            health = HealthMonitor(node, names, watched, tell=tell, screen=screen, texts=texts, notify=notifier.tell)
            adapter = Adapter(classifier, channels, household, store)
            reporter = AlertReporter(
                Publisher(node, names, texts, tell, screen, notifier.tell),
                channels,
                store,
                queue,
                household=household,
                health=health,
                adapter=adapter,
                profiles=config.profiles,
                daily_at=config.test_alarm.daily_at,
                restart=restart,
            )
            worker = Worker(list(channels.values()), classifier, reporter, wake, live=True, trace=trace)
            ours, figures = version("monitord"), headline(manifest.metrics)
            info = functools.partial(
                node_messages.info, node, version=ours, model=manifest.name, model_sha=bundle.id, metrics=figures
            )
            forgotten = node_messages.forgotten(node, names) if after_demo else []
            faults = DaemonFaults(
                classifier.runtime,
                Disk(state, outbox, store, past, None if page is None else page.store),
                info=lambda fault, problems: info(adaptation=adapter.told, fault=fault, problems=problems),
                tell=tell,
                screen=screen,
                notice=OutageNotice.of_disk(node, texts, notifier.tell),
                broker=mqtt,
            )
            screen.banner(
                banner(
                    config.node,
                    [(room.name, room.spec) for room in rooms],
                    version=ours,
                    model=manifest.name,
                    broker=broker.address,
                    kind=kind,
                    phones=config.notify.receivers(),
                    watch=subscribe_line(broker, config.node),
                    demo=demo,
                )
            )
            return cls(
                _sources=sources,
                _thread=WorkerThread(worker),
                _mqtt=mqtt,
                _page=page,
                _tell=tell,
                _screen=screen,
                _notifier=notifier,
                _reporter=reporter,
                _monitor=health,
                _faults=faults,
                _first=[*announced.swept, *forgotten, info(adaptation=adapter.told)],
                _borrowed=None if found is None else BorrowedBroker(found, state, lambda: mqtt.status().connected),
                _opened=stack.pop_all(),
            )

    def start(self) -> None:
        """Tells the first states, connects, and begins to listen.

        Raises:
            ConfigError: A password or certificate file cannot be used, or a port of the page.
        """
        for message in self._first:
            self._tell(message)
        self._reporter.begin()
        self._monitor.poll()
        if self._borrowed is not None:
            self._borrowed.start()
            self._opened.callback(self._borrowed.stop)
        self._mqtt.start()
        self._opened.callback(self._mqtt.stop, MQTT_STOP_S)
        if self._page is not None:
            self._page.start()
            self._opened.callback(self._page.stop, PAGE_STOP_S)
            # Others may read a journal, and later: there nobody is invited.
            invitation = None if isinstance(self._screen, JournalScreen) else self._page.invitation()
            addresses, drawn = self._page.addresses, self._screen.is_terminal
            self._screen.banner(page_banner(addresses.page, addresses.way, invitation, drawn=drawn))
        self._notifier.start()
        self._opened.callback(self._notifier.stop, NOTIFY_STOP_S)
        self._opened.callback(self._thread.stop, WORKER_STOP_S)
        self._opened.callback(stop_sources, self._sources)
        for source in self._sources:
            source.start()
        self._thread.start()
        self._started_at = time.monotonic()

    def poll(self) -> Ending | None:
        """Looks at all that may fail, to be called twice a second; says why there is nothing more to wait for.

        Raises:
            ConfigError: The broker refuses us, right after the start.
        """
        self._monitor.poll(self._thread.moved_at)
        status = self._mqtt.status()
        if status.refused and time.monotonic() - self._started_at < CONNECT_S:
            raise ConfigError(status.detail)
        self._faults.poll()
        if not self._mqtt.alive or (self._page is not None and not self._page.alive):
            _log.error("the MQTT client or the page has a bug; the daemon ends, so that it can be started anew")
            return "crashed"
        if not self._thread.is_alive():
            self._monitor.poll(self._thread.moved_at)
            return "crashed" if self._thread.crashed else "over"
        if self._monitor.still_s > STUCK_END_S:
            _log.error("the worker is stuck since %.0f s; the daemon begins anew", self._monitor.still_s)
            return "stuck"
        return None

    def health(self) -> DaemonHealth:
        """How it stood at the last look."""
        return DaemonHealth(self._monitor.rooms, self._mqtt.status(), self._thread.moved_at, self._faults.words)

    def deafen(self) -> None:
        """Closes the sources alone, at once, for good: `stop` still has to follow."""
        stop_sources(self._sources)

    def stop(self) -> None:
        """Stops all in the reverse order, with the goodbye; at most some 3 s. A second time does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
