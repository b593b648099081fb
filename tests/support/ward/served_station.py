"""A nurse station that runs in a thread, on a real broker, with shards that are played."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.ward.claim import Claim, Lease, claim_topic, lease_topic, payload
from service.ward.settings import WardConfig
from service.ward.station.page import FOLDER, invitation, serve_station
from service.ward.station.reporter import ROOMS
from tests.service.ward.test_settings import loaded, values
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.sockets import free_port
from tests.support.web.served_page import browser

COOKIE = "__Host-monitord_station"


@dataclass
class ServedStation:
    """A station that runs in a thread, and shards that are played."""

    ward: WardConfig
    broker: Mosquitto
    subscriber: Subscriber
    page: list[str] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)
    """Whether the shards show a sign of life."""
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `over`."""
        assert serve_station(self.ward, self.over, self.page.append) == 0

    def play(self) -> None:
        """Two shards that hear all their rooms, while `heard` is set."""
        number = 0
        while not self.over.wait(0.2):
            if not self.heard.is_set():
                continue
            number += 1
            with contextlib.suppress(RuntimeError):  # a test has taken the broker away
                for node, rooms in (("north_1", ("bed1", "bed2")), ("north_2", ("bed3",))):
                    self.say(claim_topic(node), payload(Claim(1, "t", "p", "alpha")))
                    self.say(lease_topic(node), payload(Lease("t", number, hearing=True)))
                    for topic in ("status", *(f"{room}/status" for room in rooms)):
                        self.subscriber.say(f"monitord/{node}/{topic}", "online", retain=True)

    def say(self, topic: str, what: dict[str, object]) -> None:
        """JSON values, kept."""
        self.subscriber.say(topic, json.dumps(what), retain=True)

    def told(self) -> dict[str, Any]:
        """The newest on its topic."""
        return self.subscriber.latest(ROOMS)

    @property
    def authority(self) -> Path:
        """The CA of its page."""
        return self.ward.state_dir / FOLDER / "web" / "ca.crt"

    def invite(self) -> str:
        """A link for one guest."""
        return invitation(self.ward)

    def ask(self, path: str, token: str | None = None, body: object = None) -> tuple[int, str, str | None]:
        """Returns status, text, and the cookie's value where one was given."""
        return asyncio.run(self._ask(path, token, body))

    async def _ask(self, path: str, token: str | None, body: object) -> tuple[int, str, str | None]:
        url = self.page[0].rstrip("/")
        async with browser(self.authority, token, COOKIE) as session:
            request = (
                session.get(url + path)
                if body is None
                else session.post(url + path, json=body, headers={"Origin": url})
            )
            async with request as answer:
                cookie = answer.cookies.get(COOKIE)
                return answer.status, await answer.text(), None if cookie is None else cookie.value


@contextmanager
def served_station(folder: Path, broker: Mosquitto) -> Iterator[ServedStation]:
    """Its page is there, and no room is heard yet."""
    ward = loaded(
        folder,
        values(
            mqtt={"host": "127.0.0.1", "port": broker.port},
            state_dir="state",
            station={"host": "127.0.0.1", "port": free_port()},
        ),
    )
    with Subscriber(broker) as subscriber, contextlib.ExitStack() as stack:
        it = ServedStation(ward, broker, subscriber)
        threads = [threading.Thread(target=work) for work in (it.run, it.play)]
        stack.callback(lambda: [thread.join(PATIENCE_S) for thread in threads])
        stack.callback(it.over.set)
        for thread in threads:
            thread.start()
        until(lambda: bool(it.page))
        yield it
