"""`monitord status --alive`: whether a daemon of this machine lives and its worker moves, for health checks."""

import socket
import sys
from pathlib import Path
from typing import Final

from service.health.sign_of_life import address_of
from service.health.verdict import STUCK_S

ANSWER_S: Final = 5.0
"""Longest wait for the answer (seconds): the main thread looks twice a second, on a busy machine more seldom."""

_ANSWER_BYTES: Final = 32
"""More than the longest answer."""


def print_alive(config_path: Path | None) -> int:
    """Asks, and prints what came of it. Returns 0 where it lives, else 1.

    Args:
        config_path: The configuration file with which it was started, which is not read; None: it has none.

    Raises:
        ConfigError: This user has no state directory.
    """
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(ANSWER_S)
            sock.connect(address_of(config_path))
            still_s = float(sock.recv(_ANSWER_BYTES))
    except PermissionError as error:
        what = error.filename or "its socket"
        print(f"monitord: cannot look at {what} ({error.strerror}); ask as root or as its own user", file=sys.stderr)
        return 1
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        whose = "without a configuration" if config_path is None else f"with --config {config_path}"
        print(f"monitord: none that was started {whose} runs here, or it is still starting", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:  # also a time that ran out, or an end without an answer
        print(f"monitord: it runs, and does not answer within {ANSWER_S:g} s ({error})", file=sys.stderr)
        return 1
    if still_s > STUCK_S:
        print(f"monitord: it runs, but its worker has not moved for {still_s:.0f} s", file=sys.stderr)
        return 1
    print(f"alive; the worker moved {still_s:.1f} s ago")
    return 0
