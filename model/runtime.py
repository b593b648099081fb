"""Which runtime computes a network, and what happens when it fails. Only the chosen one is imported."""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.forward import Outputs, Runtime, RuntimeFault
from monitord.errors import ConfigError

log = logging.getLogger(__name__)

Choice = Literal["auto", "litert", "keras"]

NVIDIA_DEVICE: Final = Path("/dev/nvidia0")
"""The first GPU's device node: where it is missing there is no NVIDIA GPU, and TensorFlow need not be asked (3 s)."""


class FallbackRuntime:
    """The first runtime as long as it works, then the second for good, with a fault that stays visible.

    Outputs that are no numbers are a failure like any other: compared with a threshold they would say that a baby is
    quiet, for ever.

    Args:
        first: Already open.
        second: Opens the runtime to fall back to; called at most once.
    """

    def __init__(self, first: Runtime, second: Callable[[], Runtime]) -> None:
        self._now = first
        self._second: Callable[[], Runtime] | None = second
        self._fault = ""

    @property
    def name(self) -> str:
        """Of the runtime now in use."""
        return self._now.name

    @property
    def fault(self) -> str:
        """What made the first runtime fail, or empty."""
        return self._fault or self._now.fault

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`; patches on which the first runtime fails are answered by the second, none is lost.

        Raises:
            RuntimeFault: The second has failed too.
        """
        try:
            return _numbers(self._now.forward(patches))
        except RuntimeFault as error:
            if self._second is None:
                raise
            failed = self._now.name
            self._now, self._second = self._second(), None
            now = self._now.name if self._now.name != failed else "a fresh one"
            self._fault = f"{failed} failed ({error}); running on {now} until the next start"
            log.warning("%s", self._fault)
            return _numbers(self._now.forward(patches))


def _numbers(outputs: Outputs) -> Outputs:
    """Returns them as they are, where they are numbers."""
    if not all(np.isfinite(values).all() for values in outputs):
        raise RuntimeFault("it gives no numbers")
    return outputs


def open_runtime(bundle: Bundle, choice: Choice = "auto") -> Runtime:
    """Loads the network and warms it up.

    Args:
        bundle: Verified.
        choice: `litert` for the CPU, with a fresh interpreter where one fails; `keras` for TensorFlow on whatever
            device it finds; `auto` for Keras where TensorFlow is installed and sees a GPU, LiteRT everywhere else.

    Raises:
        BundleError: The files do not hold the network that the manifest promises.
        ConfigError: `keras` was asked for and is not installed.
    """
    choice = settled(choice)
    if choice == "litert":
        return _steady_litert(bundle)
    if choice == "keras":
        if not tensorflow_installed():
            raise ConfigError(
                "runtime: keras needs TensorFlow: install monitord[gpu] or monitord[train], or say litert"
            )
        return _keras(bundle)
    try:
        runtime = _keras(bundle, gpu=True)
    except RuntimeFault as error:
        log.warning("no use of the GPU: %s; running on LiteRT", error)
        return _steady_litert(bundle)
    return FallbackRuntime(runtime, lambda: _litert(bundle))


def settled(choice: Choice) -> Choice:
    """Returns `litert` for an `auto` that can only mean that here, so that another machine takes the same."""
    return "litert" if choice == "auto" and not (NVIDIA_DEVICE.exists() and tensorflow_installed()) else choice


def tensorflow_installed() -> bool:
    """Says whether TensorFlow and Keras could be imported, without doing so."""
    return find_spec("tensorflow") is not None and find_spec("keras") is not None


def _steady_litert(bundle: Bundle) -> Runtime:
    return FallbackRuntime(_litert(bundle), lambda: _litert(bundle))


def _litert(bundle: Bundle) -> Runtime:
    from model.litert import LiteRtRuntime  # noqa: PLC0415 - loaded when chosen

    return LiteRtRuntime(bundle)


def _keras(bundle: Bundle, *, gpu: bool = False) -> Runtime:
    from model.keras_runtime import KerasRuntime  # noqa: PLC0415 - loaded when chosen

    return KerasRuntime(bundle, gpu=gpu)
