"""The network on a CPU: one LiteRT interpreter, one thread."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from model.bundle import Bundle
from model.forward import Outputs, RuntimeFault
from model.frontend import N_FRAMES, N_MELS
from model.vggish import HEADS
from monitord.errors import BundleError

_MOST_WINDOWS: Final = 16
"""Windows in one pass: more makes it no faster (0.54 ms each at 1, 0.55 at 8) and only asks for more memory."""

_STDERR: Final = 2
"""File descriptor of standard error (POSIX)."""


class LiteRtRuntime:
    """Runs `model.tflite`. The interpreter frees the GIL while it computes.

    Raises:
        BundleError: The file is no network, or not one with our inputs and outputs.
    """

    name = "litert"
    fault = ""

    def __init__(self, bundle: Bundle) -> None:
        path = bundle.tflite
        try:
            interpreter = Interpreter(model_path=str(path), num_threads=1)
            signatures = interpreter.get_signature_list()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{path}: LiteRT cannot read it: {error}") from error
        expected = {"inputs": ["patches"], "outputs": sorted([*dict(HEADS), "embedding"])}
        key = next(iter(signatures), "")
        found = {side: sorted(names) for side, names in signatures[key].items()} if key else {}
        if found != expected:
            raise BundleError(f"{path}: found {found}, expected {expected}")
        self._serve = interpreter.get_signature_runner(key)
        shape = list(self._serve.get_input_details()["patches"]["shape_signature"])
        if shape != [-1, N_FRAMES, N_MELS]:
            raise BundleError(f"{path}: takes {shape}, expected [-1, {N_FRAMES}, {N_MELS}]")
        with _without_greeting():  # it allocates now, so that the first cry waits for nothing
            try:
                self.forward(np.zeros((1, N_FRAMES, N_MELS), np.float32))
            except RuntimeFault as error:
                raise BundleError(f"{path}: LiteRT cannot run it: {error}") from error

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`; raises `RuntimeFault` when LiteRT fails."""
        starts = range(0, len(patches), _MOST_WINDOWS)
        try:
            parts = [self._serve(patches=patches[i : i + _MOST_WINDOWS]) for i in starts]
        except (ValueError, RuntimeError, MemoryError) as error:
            raise RuntimeFault(f"{type(error).__name__}: {error}") from error
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return Outputs(joined["cry"][:, 0], joined["reasons"], joined["embedding"])


@contextlib.contextmanager
def _without_greeting() -> Iterator[None]:
    """Keeps LiteRT's `INFO:` lines out of our log; whatever else comes to standard error meanwhile is passed on after.

    LiteRT writes them from C++ and has no setting for them (a local symbol holds the severity).
    """
    if sys.stderr is None:  # closed, and its number may belong to another file by now
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        stderr = os.dup(_STDERR)
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(stderr, _STDERR)
            os.close(stderr)
            caught.seek(0)
            os.write(_STDERR, b"".join(line for line in caught if not line.startswith(b"INFO: ")))
