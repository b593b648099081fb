"""A camera whose name cannot be looked up for a while: told as what it is, and heard once the name is back."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import HttpAudio
from tests.support.servers.sockets import free_port
from tests.support.sound.sounds import chirp

CODE = """
import sys, time, pathlib
from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.stream import StreamSource

hosts, url = pathlib.Path("/etc/hosts"), sys.argv[1]
source = StreamSource("cam", url, Inbox("cam"))

def wait(state):
    until = time.monotonic() + 300.0
    while source.status().state is not state:
        assert time.monotonic() < until, source.status()
        time.sleep(0.02)

hosts.write_text("127.0.0.1 cradle-camera.test\\n")
source.start()
wait(SourceState.LIVE)
hosts.write_text("")
print("heard", flush=True)
wait(SourceState.RECONNECTING)
until = time.monotonic() + 300.0
while "cannot look up" not in source.status().detail:
    assert time.monotonic() < until, source.status()
    time.sleep(0.02)
print(source.status().detail, flush=True)
sys.stdin.readline()
hosts.write_text("127.0.0.1 cradle-camera.test\\n")
wait(SourceState.LIVE)
print(source.status().reconnects, source.stop(300.0), flush=True)
"""
"""Runs where /etc/hosts is its own."""

UNSHARE = ["unshare", "--mount", "--user", "--map-root-user"]


def _may_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _may_unshare(), reason="this system lets nobody have an /etc/hosts of their own")
def test_a_name_that_goes_and_comes_back(tmp_path: Path) -> None:
    """The daemon asks for the name at each attempt: nothing old is kept, and no restart is needed."""
    hosts = tmp_path / "hosts"
    hosts.touch()
    site = HttpAudio(chirp(200, 3000, 20.0), free_port())
    url = f"http://cradle-camera.test:{site.port}/audio.wav"
    inside = f'mount --bind "{hosts}" /etc/hosts && exec "{sys.executable}" -c "$0" "{url}"'
    command = [*UNSHARE, "sh", "-c", inside, CODE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with site.running():
            assert child.stdout.readline() == "heard\n"
        with HttpAudio(site.sound, site.port).running():  # the connection is gone, and the name with it
            words = child.stdout.readline()
            assert "cannot look up cradle-camera.test" in words
            assert url in words
            child.stdin.write("back\n")
            child.stdin.flush()
            assert child.stdout.readline() == "1 True\n"
        assert child.wait(PATIENCE_S) == 0
