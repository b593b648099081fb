"""The whole daemon with a network that takes longer: `slow_daemon.py CONFIGURATION MILLISECONDS`, for each window."""

import logging
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.forward import Outputs, Runtime
from model.runtime import Choice, open_runtime
from service import app
from service.config import load_config

SLEEP_S = float(sys.argv[2]) / 1000.0 if len(sys.argv) > 2 else 0.0


class _Slow:
    """A runtime that waits, as a bigger network on this machine would, without the lock of Python."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.name, self.fault = runtime.name, ""

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        time.sleep(SLEEP_S * len(patches))
        return self._runtime.forward(patches)


def _open(bundle: Bundle, choice: Choice) -> Runtime:
    return _Slow(open_runtime(bundle, choice))


if __name__ == "__main__":
    app.open_runtime = _open
    logging.captureWarnings(capture=True)
    sys.exit(app.run(load_config(Path(sys.argv[1])), json_lines=True))
