"""The fault matrix of cameras, and of a stream whose codec changes."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tests.bench.faults.house import WAIT_S, house, mended, online, until_told
from tests.bench.faults.table import Line
from tests.support.faults.fault_feed import SOUNDS, Feeds
from tests.support.faults.fault_matrix import ROOT, Row, wait
from tests.support.servers import rtsp_server
from tests.support.servers.rtsp_server import camera
from tests.support.servers.sockets import free_port
from tests.support.sound.sounds import write_wav

RTSP: Final = (
    Row("r_gone", "RTSP camera", "switched off, and on again", "", ("reconnecting",)),
    Row("r_stall", "RTSP camera", "hangs (SIGSTOP), and goes on", "", ("stalled", "reconnecting")),
    Row("r_dead", "RTSP camera", "off since the daemon's start", "", ("reconnecting",)),
    Row("r_zeros", "RTSP camera", "sends zeros, in A-law", "", ("flat", "digital_silence")),
)


def cameras(folder: Path) -> list[Line]:
    """RTSP, through GStreamer's server."""
    wav = write_wav(folder / "room.wav", np.tile(SOUNDS["room"], 12))
    zeros = write_wav(folder / "zeros.wav", np.tile(SOUNDS["zeros"], 12))
    ports = {row.source: free_port() for row in RTSP}
    sources = {source: {"stream": f"rtsp://127.0.0.1:{port}/live"} for source, port in ports.items()}
    gone, stall, dead, silent = RTSP
    with (
        contextlib.ExitStack() as first,
        contextlib.ExitStack() as stack,
        house(folder, sources) as (daemon, subscriber, began_s),
    ):
        first.enter_context(camera(wav, "aac", ports["r_gone"]))
        stopped = stack.enter_context(_stoppable(wav, ports["r_stall"]))
        stack.enter_context(camera(zeros, "alaw", ports["r_zeros"]))
        wait(lambda: subscriber.last(f"{ROOT}/r_zeros/status") == "online", WAIT_S)
        zeros_s = time.monotonic()
        online(daemon, subscriber, "r_gone", "r_stall")
        broken_s = time.monotonic()
        first.close()
        os.kill(stopped, signal.SIGSTOP)
        found = until_told(subscriber, [gone, stall], broken_s)
        found = {**found, **until_told(subscriber, [silent], zeros_s), **until_told(subscriber, [dead], began_s)}
        mended_s = time.monotonic()
        os.kill(stopped, signal.SIGCONT)
        for row in (gone, dead):
            stack.enter_context(camera(wav, "opus", ports[row.source]))
        lines = mended(subscriber, [gone, stall, dead], found, mended_s)
        return [*lines, Line(silent.kind, silent.provoked, *found[silent.source], None)]


@contextlib.contextmanager
def _stoppable(wav: Path, port: int) -> Iterator[int]:
    """A camera, and its process id."""
    command = [rtsp_server.SYSTEM_PYTHON, rtsp_server.__file__, str(wav), "l16", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            yield server.pid
        finally:
            server.kill()


def codec(folder: Path) -> list[Line]:
    """A stream whose codec and rate change in the middle of a connection."""
    row = Row("change", "stream", "MPEG-TS changes from AAC at 16 kHz to MP2 at 48 kHz", "codec", ("ok",))
    streams = Feeds(row.source)
    sources = {row.source: {"stream": streams.url(row.source, ".ts")}}
    with streams.running(), house(folder, sources) as (daemon, subscriber, _):
        online(daemon, subscriber, row.source)
        broken_s = time.monotonic()
        streams.feeds[row.source].does = "codec"
        found = until_told(subscriber, [row], broken_s)
        told_s = found[row.source][1]
        return mended(subscriber, [row], found, broken_s if told_s is None else broken_s + told_s)
