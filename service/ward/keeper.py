"""The keeper of a claim: one thread with one connection to the broker, which asks the fence and says what it says."""

import logging
import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from service.backoff import BackOff
from service.messages.message import Keep, Message
from service.mqtt.errors import ConnectionOverError
from service.mqtt.settings import Credentials, MqttSettings, read_credentials
from service.mqtt.wire.connection import Connection
from service.ward.broker import kept_s, refused
from service.ward.claim import (
    UPTIME,
    Claim,
    Lease,
    claim_topic,
    lease_topic,
    payload,
    read_claim,
    read_lease,
    sentinel_topic,
)
from service.ward.fence import RENEW_S, Fence, Read, Says, Terms
from service.ward.place import Place

TICK_S: Final = 0.1
"""Longest wait in one look (seconds): a tenth of what a shard has to leave."""

KEEPALIVE_S: Final = 2
"""Longest silence on the connection (seconds): a hung broker is noticed after twice this, before the lease is over."""

BACKOFF_CAP_S: Final = 1.0
"""Longest pause between two attempts (seconds): the lease runs meanwhile."""

GOODBYE_S: Final = 1.0
"""For the last word (seconds); where it does not get through, the next one waits for the lease."""

_log = logging.getLogger(__name__)


def now_s() -> float:
    """Seconds of a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClaimKeeper:
    """Claims one shard, and says whether its rooms may be heard. All methods may be called from any thread.

    Args:
        mqtt: Where the broker is.
        node: Name of the shard.
        terms: As every shard of the ward has them.
        place: Its state directory; open.
        place_id: What `Place.open` returned.
        machine: For people.
    """

    def __init__(
        self, mqtt: MqttSettings, node: str, *, terms: Terms, place: Place, place_id: str, machine: str
    ) -> None:
        self._mqtt, self._node, self._place = mqtt, node, place
        # Replaced by the thread alone.
        self._fence = Fence(terms, uuid.uuid4().hex, place_id, machine, known=place.epoch)
        self._credentials = Credentials()
        self._stopping = threading.Event()
        self._left = False  # whether it may say that the rooms are heard no more, set before _stopping
        self._to_say: deque[Message] = deque()
        self._detail = f"{mqtt.where}: not connected yet"
        self._away_since: float | None = time.monotonic()  # None while there is a connection that was read
        self._thread = threading.Thread(target=self._run, name=f"claim:{node}", daemon=True)

    def start(self) -> None:
        """Begins to claim. A broker that is away is no error.

        Raises:
            ConfigError: A password or certificate file cannot be used.
        """
        self._credentials = read_credentials(self._mqtt)
        self._thread.start()

    def stop(self, *, left: bool) -> None:
        """Ends it; a second time does nothing.

        Args:
            left: Whether the rooms are heard no more, so that it may be said.
        """
        if not self._stopping.is_set():
            self._left = left
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(GOODBYE_S + 2 * TICK_S)

    def say(self, message: Message) -> None:
        """Publishes this on the connection of the claim, once there is one, before all that it says later."""
        self._to_say.append(message)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(left=False)

    def may_hear(self) -> bool:
        """Whether this process, and no other, may hear the rooms now."""
        return self._fence.may_hear(now_s())

    @property
    def fence(self) -> Fence:
        """How it stands."""
        return self._fence

    @property
    def lost(self) -> bool:
        """Whether another one has the shard now: for good."""
        return self._fence.phase == "lost"

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread.is_alive()

    @property
    def away_s(self) -> float:
        """For how long the broker has not been reached (seconds); 0 while it is."""
        since = self._away_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def cut_off(self) -> bool:
        """Whether the broker is not reached, and nobody hears the rooms from here: its lease, or as long, is over."""
        if self._fence.hears_until == -math.inf:
            return self.away_s >= self._fence.terms.lease_s
        return self.away_s >= RENEW_S and not self.may_hear()

    @property
    def detail(self) -> str:
        """What is wrong with the way to the broker, for a person; empty where nothing is."""
        return self._detail

    # From here on: the thread.

    def _run(self) -> None:
        back_off = BackOff(first_s=0.2, cap_s=BACKOFF_CAP_S)
        while not self._stopping.is_set():
            try:
                self._connection(back_off.reset)
            except ConnectionOverError as error:
                self._fence = self._fence.disconnected()
                self._away_since = self._away_since or time.monotonic()
                if self._detail != str(error):
                    self._detail = str(error)
                    _log.warning("%s: the claim: %s", self._node, error)
            self._stopping.wait(back_off.next_s())

    def _connection(self, read: Callable[[], None]) -> None:
        """One connection; `read` is called when all that the broker kept was read."""
        node, token = self._node, self._fence.token
        connection = Connection(
            self._mqtt,
            self._credentials,
            client_id=f"monitord-ward-{node}-{token[:12]}",
            will=None,
            keepalive_s=KEEPALIVE_S,
        )
        sentinel = sentinel_topic(node, token)
        with connection:
            connection.connect(self._stopping.is_set)
            if not connection.limits.retains:
                raise ConnectionOverError(
                    "refused", f"{self._mqtt.where}: the broker keeps no messages; a ward needs one"
                )
            connection.subscribe([claim_topic(node), lease_topic(node), sentinel, UPTIME])
            connection.publish(Message(sentinel, "read", retain=False, qos=1, keep=Keep.LIVE))
            if not self._read(connection, sentinel):
                return
            read()
            self._detail, self._away_since = "", None
            while not self._stopping.is_set():
                self._look(connection)
            self._say_goodbye(connection)

    def _read(self, connection: Connection, sentinel: str) -> bool:
        """Takes all that was kept, up to the sentinel; False where it is to stop."""
        kept: dict[str, bytes] = {}
        forgets_s = math.inf
        while not self._stopping.is_set():
            self._pump(connection)
            while connection.incoming:
                came = connection.incoming.popleft()
                if came.topic != sentinel:
                    kept[came.topic] = bytes(came.payload)
                    if came.topic == lease_topic(self._node) and read_lease(kept[came.topic]) is not None:
                        forgets_s = kept_s(came.properties)
                    continue
                seen = Read.of(self._node, kept, forgets_s)
                self._take(connection, self._fence.read(seen, now_s()))
                return True
        return False

    def _look(self, connection: Connection) -> None:
        """One look: what came, and what time has brought."""
        self._pump(connection)
        claims, leases = claim_topic(self._node), lease_topic(self._node)
        waiting: deque[tuple[str, bytes]] = deque()
        while connection.incoming:
            came = connection.incoming.popleft()
            waiting.append((came.topic, bytes(came.payload)))
        for topic, text in waiting:
            if topic == claims:
                self._claim_came(connection, text)
            elif topic == leases and (lease := read_lease(text)) is not None:
                self._fence = self._fence.lease_seen(lease)
        self._take(connection, self._fence.tick(now_s(), locked=self._place.lock()))
        self._say_all(connection)

    def _claim_came(self, connection: Connection, text: bytes) -> None:
        claim, now = read_claim(text), now_s()
        if claim is not None:
            self._take(connection, self._fence.claim_seen(claim, now))
        elif self._fence.phase in {"waiting", "holding"}:  # somebody cleared it: as if the broker had forgotten
            self._take(connection, self._fence.read(Read(None, self._fence.lease, 0.0), now))

    def _take(self, connection: Connection, after: tuple[Fence, Says]) -> None:
        was, (self._fence, says) = self._fence, after
        for one in says:
            self._publish(connection, one)
        if self._fence.phase != was.phase:
            _log.info("%s: %s, epoch %d", self._node, self._fence.phase, self._fence.epoch)

    def _publish(self, connection: Connection, value: Claim | Lease) -> None:
        topic = claim_topic(self._node) if isinstance(value, Claim) else lease_topic(self._node)
        message = Message(topic, payload(value), retain=True, qos=1, keep=Keep.LATEST)
        expires_s = self._fence.terms.expires_s(value) if isinstance(value, Lease) else None
        connection.publish(message, expires_s=expires_s)

    def _pump(self, connection: Connection) -> None:
        connection.pump(TICK_S)
        while connection.answers:
            answer = connection.answers.popleft()
            if answer.refusal and answer.topic != UPTIME:
                raise refused(self._mqtt, answer)

    def _say_all(self, connection: Connection) -> None:
        while self._to_say:
            connection.publish(self._to_say.popleft())

    def _say_goodbye(self, connection: Connection) -> None:
        if not self._left:
            return
        self._say_all(connection)
        for lease in self._fence.left():
            self._publish(connection, lease)
        until = time.monotonic() + GOODBYE_S
        while connection.unanswered and time.monotonic() < until:
            connection.pump(TICK_S)
