"""`monitord run`: hosts one daemon in this process, until a signal, a bug, or the end of every recording."""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from model.bundle import load_bundle
from monitord.errors import MonitordError
from service.capture.opening import check_files
from service.config import Config
from service.daemon import Daemon
from service.health.monitor import POLL_S
from service.health.sign_of_life import SignOfLife
from service.health.systemd import ServiceManager
from service.lifecycle import Lifecycle, obeying_signals
from service.pipeline.trace import Trace
from service.storage.trace_file import TraceFile
from service.terminal.screen import logging_to, open_screen
from service.web.family.rooms import kept_rooms

STEADY_S: Final = 60.0
"""Seconds that the daemon must have run for a bug to be worth another start, where no service manager decides that."""
CRASHED: Final = 70
"""Exit status after a bug: EX_SOFTWARE of sysexits.h. A service manager starts the daemon anew."""

_log = logging.getLogger(__name__)


def run(
    config: Config,
    *,
    json_lines: bool = False,
    demo: bool = False,
    trace: Path | None = None,
    reread: Callable[[], Config] | None = None,
    config_path: Path | None = None,
) -> int:
    """Listens until a signal, or until every recording has ended.

    Args:
        config: What to listen to and where to tell it.
        json_lines: Whether stdout carries JSON lines for a script, and stderr what a person reads.
        demo: Whether every source plays the demo sound.
        trace: File that says how each decision came about; None: nothing does.
        reread: Reads the configuration anew, for SIGHUP; None: SIGHUP ends the daemon, as it does every program.
        config_path: Where it stands, by which `status --alive` knows this daemon; None: there is no file.

    Returns:
        Exit status: 0, or `CRASHED` after a bug. Does not return where a restart was asked for.

    Raises:
        MonitordError: It cannot begin; nothing is left running.
    """
    if config.web is not None:
        config = config.with_rooms_of_page(kept_rooms(config.state_dir))
    screen, handler = open_screen({one.id: one.name for one in config.rooms}, json_lines=json_lines)
    lifecycle, manager = Lifecycle(None if os.isatty(0) else reread), ServiceManager.of_environment()
    with logging_to(handler), obeying_signals(lifecycle), contextlib.closing(screen):
        bundle = load_bundle(config.bundle).require_trained()
        check_files([one.spec for one in config.rooms])
        with (
            _tracing(trace) as tracer,
            Daemon.build(config, bundle, screen, demo=demo, restart=lifecycle.ask_restart, trace=tracer) as daemon,
        ):
            daemon.start()
            with SignOfLife(config_path) as sign:
                code = _watch(lifecycle, daemon, manager, sign)
            if not lifecycle.restart:
                manager.stopping()
    if lifecycle.restart:
        if lifecycle.reread is not None:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # outlives exec: one that comes too early must not end us
        os.execv(sys.executable, [sys.executable, "-m", "service", *sys.argv[1:]])  # noqa: S606 - ourselves again
    return code


@contextlib.contextmanager
def _tracing(path: Path | None) -> Iterator[Trace | None]:
    """Writes a trace while the block lasts, if there is a file for it."""
    if path is None:
        yield None
    else:
        with TraceFile(path) as file:
            yield Trace(file.write, live=True)


def _watch(lifecycle: Lifecycle, daemon: Daemon, manager: ServiceManager, sign: SignOfLife) -> int:
    """Looks twice a second at all that may fail, until it is time to leave; returns the exit status."""
    began = time.monotonic()
    while not lifecycle.stop.wait(POLL_S):
        ending = daemon.poll()
        if ending == "over":
            return 0
        if ending is not None:
            # A service manager starts us again by itself; without one, what is stuck may be so from the start on.
            worth_it = ending == "stuck" or time.monotonic() - began >= STEADY_S
            lifecycle.restart = worth_it and not manager.present
            return CRASHED
        health = daemon.health()
        manager.poll(health)
        sign.answer(health.moved_at)
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
        check_files([one.spec for one in fresh.rooms])
    except MonitordError as error:
        _log.error("the reload is REFUSED, the old configuration stays in force:\n%s", error)
        manager.refused(str(error))
    else:
        _log.info("the new configuration is good; beginning anew with it")
        lifecycle.ask_restart()
