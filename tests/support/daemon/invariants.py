"""Whether all that was told kept the promises: nothing lost, in order, one end for each episode, tally conserved."""

import json
from collections import Counter
from collections.abc import Sequence

from tests.support.daemon.daemon import Json
from tests.support.servers.mosquitto import Subscriber


class Told:
    """What a durable subscriber got, sorted as far as it came."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._channel, self._read = subscriber, 0
        self._events: list[Json] = []  # without doubles
        self._ends: set[str] = set()  # ids of the ends among them
        self.ids: set[str] = set()
        """Of events and segments."""
        self.first: dict[str, list[str]] = {}
        """Ids by topic, in the order in which each came first."""
        self.healths: list[Json] = []
        """Payloads of `health`, with their source."""
        self.lags_ms: list[float] = []
        """Of the heartbeats."""
        self.doubles = 0
        """Messages that came again."""

    def read(self) -> None:
        """Takes what came since the last time."""
        news = self._channel.heard[self._read :]
        self._read += len(news)
        for heard in news:
            kind = heard.topic.rpartition("/")[2]
            if not heard.payload:
                continue  # a room that is no longer there was taken away
            if kind == "health":
                self.healths.append({"source": heard.topic.split("/")[-2], **json.loads(heard.payload)})
            elif kind == "heartbeat":
                self.lags_ms.append(json.loads(heard.payload)["lag_ms"])
            elif kind in ("event", "segment"):
                self._take(heard.topic, json.loads(heard.payload))

    def missing(self, lines: Sequence[Json]) -> list[str]:
        """Ids that were printed and have not come."""
        self.read()
        return [line["id"] for line in lines if line["id"] not in self.ids]

    def episodes(self, event_type: str) -> set[str]:
        """Episodes of which this was told."""
        return {event["episode"] for event in self._events if event["event_type"] == event_type}

    def broken(self, lines: Sequence[Json]) -> list[str]:
        """Says which promises were not kept for these lines, all that the daemons have printed; empty when none.

        Order is that of each topic. Doubles are no fault: a receiver drops them by their id.
        """
        faults = []
        if lost := self.missing(lines):
            faults.append(f"{len(lost)} of {len(lines)} printed lines never came: {lost[:3]}")
        # After a kill an end may be told again, under its id: all else is printed once.
        if twice := [
            one for one, n in Counter(line["id"] for line in lines).items() if n > 1 and one not in self._ends
        ]:
            faults.append(f"{len(twice)} ids were printed twice: {twice[:3]}")
        for topic, first in self.first.items():
            of = tuple(topic.split("/")[2:])
            printed = [line["id"] for line in lines if (line["source"], line["kind"]) == of]
            if not _in_order(printed, first):
                faults.append(f"{topic} came in another order than it was printed")
        for once in ("started", "ended"):
            told = Counter(event["episode"] for event in self._events if event["event_type"] == once)
            if often := [f"{episode} {n} times" for episode, n in told.items() if n > 1]:
                faults.append(f"{len(often)} episodes were told more than once to have {once}: {often[:3]}")
        if unended := self.episodes("started") - self.episodes("ended"):
            faults.append(f"{len(unended)} episodes never ended: {sorted(unended)[:3]}")
        return faults + [f"the tally is not conserved: {health}" for health in self.healths if not _conserved(health)]

    def _take(self, topic: str, payload: Json) -> None:
        if payload["id"] in self.ids:
            self.doubles += 1
            return
        self.ids.add(payload["id"])
        self.first.setdefault(topic, []).append(payload["id"])
        if "event_type" in payload:
            self._events.append(payload)
            if payload["event_type"] == "ended":
                self._ends.add(payload["id"])


def _in_order(some: list[str], of_all: list[str]) -> bool:
    """Whether those of the first that are in the second stand there in the same order."""
    place = {one: index for index, one in enumerate(of_all)}
    places = [place[one] for one in some if one in place]
    return places == sorted(places)


def _conserved(health: Json) -> bool:
    return health["captured"] == health["lost"] + health["quiet"] + health["segmented"] + health["held"]
