"""The nurse station: counts the ward, tells it on one topic, and is missed loudly where it cannot.

Its own sign of life is that topic: told every `BEAT_S` at least, and forgotten by the broker soon after it is told no
more. Its last will says `offline`.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

from service.backoff import BackOff
from service.messages.message import Keep, Message
from service.messages.node_messages import OFFLINE, ONLINE
from service.mqtt.errors import ConnectionOverError
from service.mqtt.settings import Credentials, read_credentials
from service.mqtt.wire.connection import Connection
from service.ward.broker import refused
from service.ward.settings import WardConfig
from service.ward.station.census import FILTERS, Census, CensusTaker

ROOMS: Final = "monitord/station/rooms"
"""Where the census is told. No shard is called so: their names end in a number."""
STATUS: Final = "monitord/station/status"
"""`online` or `offline`."""
BEAT_S: Final = 5.0
"""Longest time between two words of it (seconds): whoever hears none for twice as long knows nothing of the rooms."""
EXPIRES_S: Final = 15
"""After which the broker forgets the census (seconds): three beats."""
LOOK_S: Final = 0.5
"""Between two counts (seconds)."""
BACKOFF_CAP_S: Final = 2.0
"""Longest pause between two attempts to connect (seconds)."""

_ONLINE: Final = Message(STATUS, ONLINE, retain=True, qos=1, keep=Keep.LATEST)

_log = logging.getLogger(__name__)


class StationReporter:
    """Counts in a thread of its own. `census` and `detail` may be read from any thread.

    Args:
        ward: Which rooms there are.
        clock: Wall time (Unix seconds).
    """

    def __init__(self, ward: WardConfig, clock: Callable[[], float] = time.time) -> None:
        self._ward, self._clock = ward, clock
        self._taker = CensusTaker(ward)
        self._credentials = Credentials()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="station", daemon=True)
        self.census: Census = self._count()
        """The newest."""
        self.detail = f"{ward.mqtt.where}: not connected yet"
        """What is wrong with the way to the broker, for a person; empty where nothing is."""

    def start(self) -> None:
        """Begins to count. A broker that is away is no error: then no room is heard.

        Raises:
            ConfigError: A password or certificate file cannot be used.
        """
        self._credentials = read_credentials(self._ward.mqtt)
        self._thread.start()

    def stop(self) -> None:
        """Says `offline`, and ends."""
        self._stopping.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread.is_alive()

    # From here on: the thread.

    def _run(self) -> None:
        back_off = BackOff(first_s=0.2, cap_s=BACKOFF_CAP_S)
        while not self._stopping.is_set():
            try:
                self._connection(back_off.reset)
            except ConnectionOverError as error:
                if self.detail != str(error):
                    self.detail = str(error)
                    _log.warning("%s", error)
            self.census = self._count()
            self._stopping.wait(back_off.next_s())

    def _connection(self, connected: Callable[[], None]) -> None:
        will = Message(STATUS, OFFLINE, retain=True, qos=1, keep=Keep.LATEST)
        name = f"monitord-station-{uuid.uuid4().hex[:12]}"
        with Connection(self._ward.mqtt, self._credentials, client_id=name, will=will) as connection:
            connection.connect(self._stopping.is_set)
            connected()
            self._taker.forget()
            # What is kept does not say who is there now: until all have said so, or had the time to, it knows nothing.
            knows_at = time.monotonic() + min(self._ward.terms.over_s, BEAT_S)
            connection.subscribe(FILTERS)
            connection.publish(_ONLINE)
            told: object = None
            told_at = count_at = 0.0
            while not self._stopping.is_set():
                self._take(connection)
                now = time.monotonic()
                if now < count_at:
                    continue
                count_at = now + LOOK_S
                census = self._count()
                if now < knows_at and not all(census.machines.values()):
                    continue
                self.census, self.detail, knows_at = census, "", now
                values = census.values()
                if {**values, "ts": ""} != told or now - told_at >= BEAT_S:
                    told, told_at = {**values, "ts": ""}, now
                    message = Message(ROOMS, values, retain=True, qos=1, keep=Keep.LATEST)
                    connection.publish(message, expires_s=EXPIRES_S)
            connection.publish(will)
            until = time.monotonic() + LOOK_S
            while connection.unanswered and time.monotonic() < until:
                connection.pump(LOOK_S / 5)

    def _take(self, connection: Connection) -> None:
        connection.pump(LOOK_S / 5)
        while connection.answers:
            answer = connection.answers.popleft()
            if answer.refusal:
                raise refused(self._ward.mqtt, answer)
        while connection.incoming:
            came = connection.incoming.popleft()
            if came.topic == STATUS and came.payload == OFFLINE.encode() and not came.retain:
                connection.publish(_ONLINE)  # of a second station, or of a dead connection: this one is here
            self._taker.take(came.topic, bytes(came.payload), time.monotonic(), kept=came.retain)

    def _count(self) -> Census:
        return self._taker.count(self._clock(), time.monotonic())
