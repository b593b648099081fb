"""The ingress of a real Home Assistant, in front of whatever stands for its Supervisor."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.homeassistant.home_assistant import INSTALLED, skip_without_home_assistant
from tests.support.servers.sockets import free_port

TOKEN: Final = "3lZkq0T-token"
SUPERVISORS_PREFIX: Final = f"/ingress/{TOKEN}"
"""Under which it asks the Supervisor."""
_PROGRAM: Final = Path(__file__).with_name("core_ingress_program.py")


@contextmanager
def core_ingress(supervisor: str) -> Iterator[str]:
    """Starts it; yields the address of a page with the app in a frame.

    Args:
        supervisor: Host and port.
    """
    skip_without_home_assistant()
    if (INSTALLED / "mode").read_text().strip() == "chroot":
        python = ["/usr/sbin/chroot", str(INSTALLED / "forky"), "/opt/ha/bin/python"]
    else:
        python = [str(INSTALLED / "venv313" / "bin" / "python")]
    port = free_port()
    command = [*python, "-c", _PROGRAM.read_text(), supervisor, str(port), TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()
