"""How long a test waits for what must happen, however slow the machine is."""

import subprocess
import time
from collections.abc import Callable

PATIENCE_S = 300.0
"""Longest wait for anything (seconds): more than ten times the longest on two idle cores, which is some 20 s. Only a
failure takes so long. What the product promises in seconds is measured by `tests/bench`; tests look at the order."""


def wait_beside(
    process: "subprocess.Popen[bytes]", condition: Callable[[], bool], what: str, words: Callable[[], str]
) -> None:
    """Waits until the condition holds; fails, with a program's words, where that ends before or it takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        code = process.poll()
        assert code is None, f"it ended with {code} before {what}:\n{words()}"
        assert time.monotonic() < deadline, f"waited in vain for {what}:\n{words()}"
        time.sleep(0.1)
