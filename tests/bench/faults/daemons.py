"""The fault matrix of the daemon itself: stuck, frozen, killed."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.faults.house import MEND_S, WAIT_S, mended, online, until_told_after
from tests.bench.faults.table import Line
from tests.support.daemon.broken_daemon import BrokenDaemon
from tests.support.daemon.daemon import configure
from tests.support.faults.fault_feed import Feeds
from tests.support.faults.fault_matrix import ROOT, FaultSubscriber, Row, wait
from tests.support.servers.mosquitto import Mosquitto


def daemon(folder: Path) -> list[Line]:
    """The daemon itself: stuck, frozen, killed."""
    streams = Feeds("phone")
    source = {"phone": {"stream": streams.url("phone")}}
    frozen = Row("phone", "daemon", "frozen (SIGSTOP), and goes on", "", ("offline",))
    with streams.running(), Mosquitto(folder / "broker") as broker, FaultSubscriber(broker) as subscriber:
        configuration = configure(folder, broker, source)
        with BrokenDaemon(folder, "--config", configuration) as daemon:
            online(daemon, subscriber, "phone")
            broken_s = time.monotonic()
            os.kill(daemon.pid, signal.SIGSTOP)
            lines = [_will(subscriber, frozen, broken_s, lambda: os.kill(daemon.pid, signal.SIGCONT))]
            online(daemon, subscriber, "phone")
            wait(lambda: subscriber.faults("phone")[-1:] == ["ok"], WAIT_S)
            stuck = Row("phone", "daemon", "its worker is stuck, and goes on", "", ("stuck",))
            broken_s = time.monotonic()
            daemon.breaks("stuck")
            found = until_told_after(subscriber, stuck, broken_s)
            mended_s = time.monotonic()
            daemon.mends("stuck")
            lines += mended(subscriber, [stuck], found, mended_s)
            killed = Row("phone", "daemon", "killed, and started anew", "", ("offline",))
            broken_s = time.monotonic()
            daemon.kill()
        (folder / "broken").rmdir()
        with contextlib.ExitStack() as stack:
            again = BrokenDaemon(folder, "--config", configuration)
            return [*lines, _will(subscriber, killed, broken_s, lambda: stack.enter_context(again))]


def _will(subscriber: FaultSubscriber, row: Row, broken_s: float, mend: Callable[[], object]) -> Line:
    """Waits for the broker's word that the daemon is gone, mends it, and waits for it."""
    wait(lambda: subscriber.first(f"{ROOT}/status", lambda said: said == "offline", broken_s) is not None, WAIT_S)
    offline_at = subscriber.first(f"{ROOT}/status", lambda said: said == "offline", broken_s)
    mended_s = time.monotonic()
    mend()
    wait(lambda: subscriber.first(f"{ROOT}/status", lambda said: said == "online", mended_s) is not None, MEND_S)
    online_at = subscriber.first(f"{ROOT}/status", lambda said: said == "online", mended_s)
    offline_s = None if offline_at is None else offline_at - broken_s
    return Line(
        row.kind, row.provoked, "last will", offline_s, offline_s, None if online_at is None else online_at - mended_s
    )
