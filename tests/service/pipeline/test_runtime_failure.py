"""A network that fails in the middle of the night: a fresh one takes over in sight, and no window is lost."""

import logging
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from model.bundle import Bundle, default_bundle_path, load_bundle
from model.classifier import Classifier
from model.forward import Outputs, Runtime, RuntimeFault
from model.frontend import N_FRAMES, N_MELS
from model.litert import LiteRtRuntime
from model.runtime import Choice, FallbackRuntime, open_runtime
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Window
from tests.support.sound.sounds import cry_in_room

PATCHES = np.zeros((2, N_FRAMES, N_MELS), np.float32)
"""Two windows of silence."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped one."""
    return load_bundle(default_bundle_path())


def raises(inside: Runtime, patches: NDArray[np.float32]) -> Outputs:
    """The real interpreter fails in its own way: what it is given does not fit."""
    return inside.forward(patches[:, :7])


def no_numbers(inside: Runtime, patches: NDArray[np.float32]) -> Outputs:
    """Memory that went bad: it answers, and nothing of it means anything."""
    out = inside.forward(patches)
    return out._replace(cry=np.full_like(out.cry, np.nan))


class Failing:
    """Right once, then never again."""

    name = "litert"
    fault = ""

    def __init__(self, inside: Runtime, fails: Callable[[Runtime, NDArray[np.float32]], Outputs]) -> None:
        self._inside, self._fails, self._passes = inside, fails, 0

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        self._passes += 1
        return self._inside.forward(patches) if self._passes == 1 else self._fails(self._inside, patches)


@pytest.mark.parametrize(("fails", "words"), [(raises, r"\w+Error: .+"), (no_numbers, "it gives no numbers")])
def test_a_fresh_interpreter_takes_over(
    bundle: Bundle,
    fails: Callable[[Runtime, NDArray[np.float32]], Outputs],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What LiteRT raises, and what is no number, are both a fault that stays; the windows are answered all the same."""
    right = LiteRtRuntime(bundle).forward(PATCHES)
    runtime = FallbackRuntime(Failing(LiteRtRuntime(bundle), fails), lambda: LiteRtRuntime(bundle))
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            np.testing.assert_array_equal(runtime.forward(PATCHES).cry, right.cry)
    assert re.fullmatch(
        rf"litert failed \({words}\); running on a fresh one until the next start", runtime.fault, re.DOTALL
    )
    assert [record.getMessage() for record in caplog.records] == [runtime.fault]


def test_no_network_is_no_quiet_child(bundle: Bundle) -> None:
    """Where the second fails too, the fault reaches the worker, which ends aloud."""
    inside = LiteRtRuntime(bundle)
    runtime = FallbackRuntime(Failing(inside, raises), lambda: Failing(inside, no_numbers))
    for _ in range(2):  # each is right once
        runtime.forward(PATCHES)
    for _ in range(2):
        with pytest.raises(RuntimeFault, match="no numbers"):
            runtime.forward(PATCHES)


@pytest.mark.parametrize("choice", ["litert", "auto"])
def test_the_daemon_has_a_second_one(bundle: Bundle, choice: Choice) -> None:
    """Whatever is chosen for a CPU, a failure is not the end; and scores are those of the network alone."""
    runtime = open_runtime(bundle, choice)
    assert isinstance(runtime, FallbackRuntime)
    assert runtime.fault == ""
    sound = cry_in_room()
    starts = range(0, len(sound) - WINDOW_SAMPLES, WINDOW_SAMPLES)
    windows = [Window("room", at, sound[at : at + WINDOW_SAMPLES], 0.0, at) for at in starts]
    alone = Classifier(bundle, LiteRtRuntime(bundle)).score(windows)
    assert [scores.p_cry for scores in Classifier(bundle, runtime).score(windows)] == [s.p_cry for s in alone]
