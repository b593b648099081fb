"""Work in several processes of this machine, none of which outlives the one that asked."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

from monitord.errors import ConfigError

Job = TypeVar("Job")


def in_processes(work: Callable[[Job], object], jobs: Sequence[Job], workers: int | None = None) -> Generator[int]:
    """Does every job; yields the numbers of those that are done, as they end.

    Args:
        work: Of a module, so that another process finds it.
        jobs: At least one.
        workers: Processes at most; None: one for each core that is ours.

    Raises:
        ConfigError: A process was killed. What a job raises comes out, too; either ends the others.
    """
    context = multiprocessing.get_context("spawn")  # the network's threads do not survive a fork
    ours, theirs = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(workers or len(os.sched_getaffinity(0)), len(jobs)), context, _follow, (ours,))
    try:
        numbers = {pool.submit(work, job): number for number, job in enumerate(jobs)}
        for done in as_completed(numbers):
            done.result()
            yield numbers[done]
    except BrokenProcessPool:
        raise ConfigError(
            "a worker process was killed, as the kernel does where memory runs out; finished parts stand: run the same"
            " command again, with fewer --workers"
        ) from None
    finally:
        theirs.close()
        pool.shutdown(cancel_futures=True)
        ours.close()


def _follow(pipe: "Connection[object, object]") -> None:
    """Lets this process end with the one that asked, however that ends: the pipe ends, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; one decides
    threading.Thread(target=_leave, args=(pipe,), name="leave", daemon=True).start()


def _leave(pipe: "Connection[object, object]") -> None:
    with suppress(EOFError):
        pipe.recv_bytes()
    os._exit(1)
