"""`monitord ward status`: how every shard and room stands, asked of the broker alone."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from service.mqtt.wire.connection import Connection
from service.ward.broker import connected, read_kept
from service.ward.settings import WardConfig
from service.ward.station.census import FILTERS, Census, CensusTaker

_LOOK_S: Final = 0.2
"""Between two counts (seconds)."""


def ask(ward: WardConfig) -> Census:
    """Listens until all shards have shown a sign of life, at most for as long as one that hears may show none; counts.

    Raises:
        ConfigError: A password or certificate file cannot be used.
        ConnectionOverError: No broker answers, or it lets this user read nothing.
    """
    taker = CensusTaker(ward)
    with connected(ward.mqtt) as connection:
        for topic, payload in read_kept(connection, FILTERS).items():
            taker.take(topic, payload, time.monotonic(), kept=True)
        until = time.monotonic() + ward.terms.over_s
        while True:
            _listen(connection, taker)
            census = taker.count(time.time(), time.monotonic())
            if all(census.machines.values()) or time.monotonic() >= until:
                return census


def _listen(connection: Connection, taker: CensusTaker) -> None:
    """Takes what comes for a moment: to count ten thousand rooms after each message would take too long."""
    until = time.monotonic() + _LOOK_S
    while (left_s := until - time.monotonic()) > 0.0:
        connection.pump(left_s)
        connection.answers.clear()
        while connection.incoming:
            came = connection.incoming.popleft()
            taker.take(came.topic, bytes(came.payload), time.monotonic(), kept=came.retain)


def status_lines(ward: WardConfig, census: Census) -> Iterator[str]:
    """What a person reads of it: a line for each shard, below it what is wrong, then what cries."""
    for node, shard in ward.shards.items():
        unheard = [one for one in census.unheard if one.shard == node]
        heard = len(shard.rooms) - len(unheard)
        where = f"on {census.machines[node]}" if census.machines[node] else "NOBODY HEARS IT"
        yield f"{node} {where}: {heard} of {len(shard.rooms)} rooms heard"
        if census.machines[node]:
            yield from (f"  {one.name}: NOT HEARD ({one.fault}) since {_clock(one.since)}" for one in unheard)
        for missing in census.missing:
            if missing.shard == node:
                yield f"  events may be missing: {missing.machine} may hold some; run `monitord ward drain` there"
    for one in census.crying:
        hard = "" if one.distress is None else f", {100 * one.distress:.0f} %"
        answered = ", somebody is on the way" if one.acknowledged else ""
        yield f"{one.name} ({one.site}) cries since {_clock(one.since)}{hard}{answered}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%d %b %H:%M:%S}"
