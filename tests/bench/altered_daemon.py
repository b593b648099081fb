"""The whole daemon with one part changed: imported to start one, and run as a program.

`python -m tests.bench.altered_daemon CONFIGURATION fast` hears looped recordings as fast as the worker takes them;
`... slow MILLISECONDS` has a network that takes so much longer for each window.
"""

import logging
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.forward import Outputs, Runtime
from model.runtime import Choice, open_runtime
from service import app, daemon
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.source import Source
from service.capture.spec import FileSpec, SourceSpec
from service.config import load_config
from tests.support.daemon.daemon import Daemon


class AlteredDaemon(Daemon):
    """`monitord run --json`, altered.

    Args:
        folder: Where its words are kept.
        config: Its configuration.
        how: `fast`, or `slow` and milliseconds.
    """

    def __init__(self, folder: Path, config: Path, *how: str) -> None:
        super().__init__(folder)
        self._command = [sys.executable, "-m", "tests.bench.altered_daemon", str(config), *how]


class _Slow:
    """A runtime that waits, as a bigger network on this machine would, without the lock of Python."""

    def __init__(self, runtime: Runtime, window_s: float) -> None:
        self._runtime, self._window_s = runtime, window_s
        self.name, self.fault = runtime.name, ""

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        time.sleep(self._window_s * len(patches))
        return self._runtime.forward(patches)


def _unpaced(source_id: str, spec: SourceSpec, inbox: Inbox, *, demo: bool = False) -> Source:
    """A source that waits for the worker instead of the clock, so that nothing is lost."""
    assert isinstance(spec, FileSpec)
    assert not demo
    waiting = Inbox(source_id, waits=True, wake=inbox._wake)
    return FileSource(source_id, spec.path, waiting, realtime=False, loop=True)


def _altered(how: str, *milliseconds: str) -> AbstractContextManager[object]:
    """The change; refuses where the daemon has no such part any more."""
    if how == "fast":
        return patch.object(daemon, "open_source", _unpaced)
    window_s = float(*milliseconds) / 1e3

    def slow(bundle: Bundle, choice: Choice) -> Runtime:
        return _Slow(open_runtime(bundle, choice), window_s)

    return patch.object(daemon, "open_runtime", slow)


if __name__ == "__main__":
    logging.captureWarnings(capture=True)
    with _altered(*sys.argv[2:]):
        sys.exit(app.run(load_config(Path(sys.argv[1])), json_lines=True))
