"""A daemon whose sources break, and the times until MQTT says so and all is well."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.faults.table import Line
from tests.support.daemon.broken_daemon import BrokenDaemon
from tests.support.daemon.daemon import configure
from tests.support.faults.fault_matrix import ROOT, FaultSubscriber, Feed, Row, provoked, wait, well
from tests.support.servers.mosquitto import Mosquitto

WAIT_S: Final = 20.0
"""How long a fault has to be told (seconds); the promise is 10."""
MEND_S: Final = 45.0
"""How long a source has to be heard again (seconds)."""
WORD_S: Final = 2.0
"""How much later the word for it may come than `offline` (seconds); both are told in one go."""

Found = Mapping[str, tuple[str, float | None, float | None]]
"""What `provoked` returns."""


@contextlib.contextmanager
def house(
    folder: Path, sources: Mapping[str, object], *typed: str | Path
) -> Iterator[tuple[BrokenDaemon, FaultSubscriber, float]]:
    """A daemon with these sources, or with those that are typed; also when it was started (monotonic seconds)."""
    with Mosquitto(folder / "broker") as broker, FaultSubscriber(broker) as subscriber:
        began_s = time.monotonic()
        with BrokenDaemon(folder, "--config", configure(folder, broker, sources), *typed) as daemon:
            yield daemon, subscriber, began_s


def online(daemon: BrokenDaemon, subscriber: FaultSubscriber, *sources: str) -> None:
    """Waits until they are heard."""
    for source in sources:
        daemon.wait_for(lambda: subscriber.last(f"{ROOT}/{source}/status") == "online", source)  # noqa: B023


def until_told(
    subscriber: FaultSubscriber, rows: Sequence[Row], broken_s: float
) -> dict[str, tuple[str, float | None, float | None]]:
    """Waits until all are told, or too late; returns what `provoked` does."""
    wait(lambda: all(offline for _, _, offline in provoked(subscriber, rows, broken_s).values()), WAIT_S)
    # The word follows the status at once; a sound codec change has neither.
    wait(lambda: all(fault for fault, _, _ in provoked(subscriber, rows, broken_s).values()), WORD_S)
    return provoked(subscriber, rows, broken_s)


def mended(subscriber: FaultSubscriber, rows: Sequence[Row], found: Found, mended_s: float) -> list[Line]:
    """Waits until all are heard again, or too late. That the same was told as alerts is looked at beside it."""
    wait(lambda: all(well(subscriber, row, mended_s) is not None for row in rows), MEND_S)
    for row in rows:
        if found[row.source][0] and well(subscriber, row, mended_s) is not None:
            alerts = partial(subscriber.alerts, row.source)
            if not wait(lambda: alerts()[-1:] == [("recovered", "info")], WAIT_S) or ("fault", "fault") not in alerts():  # noqa: B023
                raise RuntimeError(f"{row.source}: without an alert and its end: {alerts()}")
    return [Line(row.kind, row.provoked, *found[row.source], well(subscriber, row, mended_s)) for row in rows]


def break_and_mend(
    daemon: BrokenDaemon, subscriber: FaultSubscriber, rows: Sequence[Row], feeds: Mapping[str, Feed]
) -> list[Line]:
    """Breaks all rows in the same moment and mends them; raises where the daemon or another source was harmed."""
    online(daemon, subscriber, *feeds)
    broken_s = time.monotonic()
    for row in rows:
        feeds[row.source].does = row.does
    found = until_told(subscriber, rows, broken_s)
    mended_s = time.monotonic()
    for row in rows:
        feeds[row.source].does = "room"
    lines = mended(subscriber, rows, found, mended_s)
    if daemon.ended:
        raise RuntimeError(f"the daemon has ended:\n{daemon.words}")
    for source in set(feeds) - {row.source for row in rows}:
        if subscriber.faults(source) != ["ok"]:
            raise RuntimeError(f"{source} beside them was harmed: {subscriber.faults(source)}")
    return lines


def until_told_after(subscriber: FaultSubscriber, row: Row, broken_s: float) -> Found:
    """As `until_told`, of a source that was broken before: its newest fault counts."""
    found = until_told(subscriber, [row], broken_s)[row.source]
    told = [fault for fault in subscriber.faults(row.source) if fault != "ok"]
    return {row.source: (told[-1] if found[1] is not None else "", *found[1:])}
