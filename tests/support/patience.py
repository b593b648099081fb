"""How long a test waits for what must happen, however slow the machine is."""

PATIENCE_S = 300.0
"""Longest wait for anything (seconds): more than ten times the longest on two idle cores, which is some 20 s. Only a
failure takes so long. What the product promises in seconds is measured by `tests/bench`; tests look at the order."""
