"""What signals ask of a process that waits."""

import signal
import subprocess
import sys

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S

HOST = """
import os, random, signal, threading
from service.lifecycle import Lifecycle, obeying_signals

for _ in range(50):
    lifecycle = Lifecycle()
    with obeying_signals(lifecycle):
        signalled = threading.Timer(random.uniform(0.0, 0.002), os.kill, (os.getpid(), signal.SIGTERM))
        signalled.start()
        while not lifecycle.stop.wait(0.0):
            pass
        signalled.join()
print("left 50 times")
"""
"""Looks at the event all the time, so that many a signal comes while it holds the event's lock."""


def test_a_signal_is_obeyed_at_whatever_instant_it_comes() -> None:
    """Also in the middle of the very call by which the main thread looks whether it is to leave."""
    done = subprocess.run(
        [sys.executable, "-c", HOST], cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "left 50 times\n", "")


def test_a_second_signal_leaves_at_once() -> None:
    """Whoever presses Ctrl-C twice does not wait for a goodbye."""
    host = "from service.lifecycle import Lifecycle, obeying_signals; import signal, time\n"
    host += "with obeying_signals(Lifecycle()):\n    while True:\n        signal.raise_signal(signal.SIGINT)\n"
    done = subprocess.run([sys.executable, "-c", host], cwd=ROOT, check=False, timeout=PATIENCE_S)
    assert done.returncode == 128 + signal.SIGINT
