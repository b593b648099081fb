"""The fault matrix: breaks sources and the daemon on purpose, and takes the time until MQTT says so and all is well.

One daemon hears all the sources of a phase, and they break in the same moment: that is the hardest case.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import rtsp_server
from broken_daemon import BrokenDaemon
from daemon import configure
from fault_feed import SOUNDS, Feed, Feeds
from fault_matrix import MICROPHONES, ROOT, STREAMS, UNPLUGGED, Row, TimedEar, provoked, wait, well
from fault_microphones import Microphones, alsa_environment
from mosquitto import Mosquitto, free_port
from rtsp_server import camera
from sounds import write_wav

from service.wording import FAULTS_IN_WORDS

WAIT_S: Final = 20.0
"""How long a fault has to be told (seconds); the promise is 10."""
MEND_S: Final = 45.0
"""How long a source has to be heard again (seconds)."""
BEFORE_S: Final = 5.0
"""Good sound at the start of a recording that breaks (seconds)."""

RTSP: Final = (
    Row("r_gone", "RTSP camera", "switched off, and on again", "", ("reconnecting",)),
    Row("r_stall", "RTSP camera", "hangs (SIGSTOP), and goes on", "", ("stalled", "reconnecting")),
    Row("r_dead", "RTSP camera", "off since the daemon's start", "", ("reconnecting",)),
    Row("r_zeros", "RTSP camera", "sends zeros, in A-law", "", ("flat", "digital_silence")),
)
FILES: Final = tuple(
    Row(f"f_{name}", "recording", words, name, faults)
    for name, words, faults in (
        ("zeros", "exact zeros", ("digital_silence",)),
        ("stuck", "one value", ("flat",)),
        ("floor", "only the last bit moves", ("flat",)),
        ("clipped", "clipping without a pause", ("clipping",)),
        ("pushed", "offset of a quarter of full scale", ("dc_offset",)),
    )
)
DEAD: Final = (
    Row("d_gone", "stream", "answers 503 since the daemon's start", "gone", ("reconnecting",)),
    Row("d_mute", "stream", "accepts and says nothing since the daemon's start", "mute", ("stalled", "reconnecting")),
    Row("d_zeros", "stream", "zeros since the daemon's start", "zeros", ("digital_silence",)),
    Row("d_microphone", "microphone", "not plugged in at the daemon's start", "", ("reconnecting",)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; times in seconds, None where it never came."""

    kind: str
    provoked: str
    fault: str
    fault_s: float | None
    offline_s: float | None
    well_s: float | None

    @property
    def times(self) -> tuple[float | None, ...]:
        """In the order of the table."""
        return self.fault_s, self.offline_s, self.well_s


Found = Mapping[str, tuple[str, float | None, float | None]]
"""What `provoked` returns."""


def measure(folder: Path) -> list[Line]:
    """Takes all phases, one after the other."""
    lines: list[Line] = []
    for phase in (_sources, _unplugged, _dead, _recordings, _cameras, _codec, _daemon):
        sys.stderr.write(f"bench: faults, {phase.__name__.strip('_')}\n")
        place = folder / phase.__name__
        place.mkdir()
        lines += phase(place)
    return lines


def table(lines: Sequence[Line]) -> str:
    """Writes them as Markdown."""
    head = (
        "source",
        "how it is broken",
        "fault",
        "seen (s)",
        "offline (s)",
        "heard again (s)",
        "a parent reads",
    )
    rows = [
        (
            line.kind,
            line.provoked,
            line.fault or "none",
            *map(_number, (line.fault_s, line.offline_s, line.well_s)),
            _words(line.fault),
        )
        for line in lines
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows)) + "\n"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _words(fault: str) -> str:
    words: Mapping[str, str] = dict(FAULTS_IN_WORDS)
    return words.get(fault, "the whole monitor is unavailable" if fault else "nothing: it is heard")


@contextlib.contextmanager
def _house(folder: Path, sources: Mapping[str, object]) -> Iterator[tuple[BrokenDaemon, TimedEar, float]]:
    """A daemon with these sources; also when it was started (monotonic seconds)."""
    with Mosquitto(folder / "broker") as broker, TimedEar(broker) as ear:
        began_s = time.monotonic()
        with BrokenDaemon(folder, "--config", configure(folder, broker, sources)) as daemon:
            yield daemon, ear, began_s


def _online(daemon: BrokenDaemon, ear: TimedEar, *sources: str) -> None:
    for source in sources:
        daemon.wait_for(lambda: ear.last(f"{ROOT}/{source}/status") == "online", source)  # noqa: B023


def _until_told(
    ear: TimedEar, rows: Sequence[Row], broken_s: float
) -> dict[str, tuple[str, float | None, float | None]]:
    wait(lambda: all(offline for _, _, offline in provoked(ear, rows, broken_s).values()), WAIT_S)
    return provoked(ear, rows, broken_s)


def _lines(ear: TimedEar, rows: Sequence[Row], found: Found, mended_s: float) -> list[Line]:
    wait(lambda: all(well(ear, row, mended_s) is not None for row in rows), MEND_S)
    return [Line(row.kind, row.provoked, *found[row.source], well(ear, row, mended_s)) for row in rows]


def _break_and_mend(daemon: BrokenDaemon, ear: TimedEar, rows: Sequence[Row], feeds: Mapping[str, Feed]) -> list[Line]:
    _online(daemon, ear, *feeds)
    broken_s = time.monotonic()
    for row in rows:
        feeds[row.source].does = row.does
    found = _until_told(ear, rows, broken_s)
    mended_s = time.monotonic()
    for row in rows:
        feeds[row.source].does = "room"
    lines = _lines(ear, rows, found, mended_s)
    if daemon.ended:
        raise RuntimeError(f"the daemon has ended:\n{daemon.words}")
    for source in set(feeds) - {row.source for row in rows}:
        if ear.faults(source) != ["ok"]:
            raise RuntimeError(f"{source} beside them was harmed: {ear.faults(source)}")
    return lines


def _sources(folder: Path) -> list[Line]:
    """Streams and microphones."""
    streams = Feeds("s_well", *(row.source for row in STREAMS))
    many = Microphones(folder / "many", "m_well", *(row.source for row in MICROPHONES))
    os.environ.update(alsa_environment(folder, many))
    sources: dict[str, object] = {name: {"stream": streams.url(name)} for name in streams.feeds}
    sources |= {name: {"microphone": name} for name in many.feeds}
    with streams.running(), many.running(), _house(folder, sources) as (daemon, ear, _):
        return _break_and_mend(daemon, ear, (*STREAMS, *MICROPHONES), streams.feeds | many.feeds)


def _unplugged(folder: Path) -> list[Line]:
    """A microphone alone at its server: with others there, the server would give us one of those instead."""
    alone = Microphones(folder / "alone", UNPLUGGED.source)
    os.environ.update(alsa_environment(folder, alone))
    with alone.running(), _house(folder, {UNPLUGGED.source: {"microphone": UNPLUGGED.source}}) as (daemon, ear, _):
        _online(daemon, ear, UNPLUGGED.source)
        hung = replace(UNPLUGGED, provoked="the sound server hangs (SIGSTOP), and goes on")
        broken_s = time.monotonic()
        alone.hang()
        found = _until_told_after(ear, hung, broken_s)
        mended_s = time.monotonic()
        alone.resume()
        lines = _lines(ear, [hung], found, mended_s)
        return [*lines, *_break_and_mend(daemon, ear, [UNPLUGGED], alone.feeds)]


def _until_told_after(ear: TimedEar, row: Row, broken_s: float) -> Found:
    """As `_until_told`, of a source that was broken before: its newest fault counts."""
    found = _until_told(ear, [row], broken_s)[row.source]
    told = [fault for fault in ear.faults(row.source) if fault != "ok"]
    return {row.source: (told[-1] if found[1] is not None else "", *found[1:])}


def _dead(folder: Path) -> list[Line]:
    """Sources that are dead since the daemon's start, and come to life."""
    streams = Feeds(*(row.source for row in DEAD if row.kind == "stream"))
    later = Microphones(folder / "later", "d_microphone")
    os.environ.update(alsa_environment(folder, later))
    sources: dict[str, object] = {name: {"stream": streams.url(name)} for name in streams.feeds}
    sources["d_microphone"] = {"microphone": "d_microphone"}
    for row in DEAD[:-1]:
        streams.feeds[row.source].does = row.does
    with streams.running(), _house(folder, sources) as (_, ear, began_s):
        found = _until_told(ear, DEAD, began_s)
        wait(lambda: all(ear.faults(row.source)[-1:] not in ([], ["ok"]) for row in DEAD), WAIT_S)
        found = provoked(ear, DEAD, began_s)
        mended_s = time.monotonic()
        for feed in streams.feeds.values():
            feed.does = "room"
        with later.running():
            return _lines(ear, DEAD, found, mended_s)


def _recordings(folder: Path) -> list[Line]:
    """Recordings in real time that break and recover."""
    n = round(BEFORE_S * 16_000)
    sources = {}
    for row in FILES:
        sound = np.concatenate([SOUNDS["room"][:n], SOUNDS[row.does], SOUNDS["room"], SOUNDS["room"]])
        sources[row.source] = {"file": str(write_wav(folder / f"{row.does}.wav", sound))}
    with _house(folder, sources) as (daemon, ear, _):
        daemon.wait_for(lambda: all(f"{row.source}: live" in daemon.words for row in FILES), "the recordings")
        broken_s = time.monotonic() + BEFORE_S
        wait(lambda: time.monotonic() >= broken_s, BEFORE_S)
        found = _until_told(ear, FILES, broken_s)
        mended_s = broken_s + len(SOUNDS["room"]) / 16_000
        return _lines(ear, FILES, found, mended_s)


def _cameras(folder: Path) -> list[Line]:
    """RTSP, through GStreamer's server."""
    wav = write_wav(folder / "room.wav", np.tile(SOUNDS["room"], 12))
    zeros = write_wav(folder / "zeros.wav", np.tile(SOUNDS["zeros"], 12))
    ports = {row.source: free_port() for row in RTSP}
    sources = {source: {"stream": f"rtsp://127.0.0.1:{port}/live"} for source, port in ports.items()}
    gone, stall, dead, silent = RTSP
    with (
        contextlib.ExitStack() as first,
        contextlib.ExitStack() as stack,
        _house(folder, sources) as (daemon, ear, began_s),
    ):
        first.enter_context(camera(wav, "aac", ports["r_gone"]))
        stopped = stack.enter_context(_stoppable(wav, ports["r_stall"]))
        stack.enter_context(camera(zeros, "alaw", ports["r_zeros"]))
        wait(lambda: ear.last(f"{ROOT}/r_zeros/status") == "online", WAIT_S)
        zeros_s = time.monotonic()
        _online(daemon, ear, "r_gone", "r_stall")
        broken_s = time.monotonic()
        first.close()
        os.kill(stopped, signal.SIGSTOP)
        found = _until_told(ear, [gone, stall], broken_s)
        found = {**found, **_until_told(ear, [silent], zeros_s), **_until_told(ear, [dead], began_s)}
        mended_s = time.monotonic()
        os.kill(stopped, signal.SIGCONT)
        for row in (gone, dead):
            stack.enter_context(camera(wav, "opus", ports[row.source]))
        lines = _lines(ear, [gone, stall, dead], found, mended_s)
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


def _codec(folder: Path) -> list[Line]:
    """A stream whose codec and rate change in the middle of a connection."""
    row = Row("change", "stream", "MPEG-TS changes from AAC at 16 kHz to MP2 at 48 kHz", "codec", ("ok",))
    streams = Feeds(row.source)
    sources = {row.source: {"stream": streams.url(row.source, ".ts")}}
    with streams.running(), _house(folder, sources) as (daemon, ear, _):
        _online(daemon, ear, row.source)
        broken_s = time.monotonic()
        streams.feeds[row.source].does = "codec"
        found = _until_told(ear, [row], broken_s)
        told_s = found[row.source][1]
        return _lines(ear, [row], found, broken_s if told_s is None else broken_s + told_s)


def _daemon(folder: Path) -> list[Line]:
    """The daemon itself: stuck, frozen, killed."""
    streams = Feeds("phone")
    source = {"phone": {"stream": streams.url("phone")}}
    frozen = Row("phone", "daemon", "frozen (SIGSTOP), and goes on", "", ("offline",))
    with streams.running(), Mosquitto(folder / "broker") as broker, TimedEar(broker) as ear:
        configuration = configure(folder, broker, source)
        with BrokenDaemon(folder, "--config", configuration) as daemon:
            _online(daemon, ear, "phone")
            broken_s = time.monotonic()
            os.kill(daemon.pid, signal.SIGSTOP)
            lines = [_will(ear, frozen, broken_s, lambda: os.kill(daemon.pid, signal.SIGCONT))]
            _online(daemon, ear, "phone")
            wait(lambda: ear.faults("phone")[-1:] == ["ok"], WAIT_S)
            stuck = Row("phone", "daemon", "its worker is stuck, and goes on", "", ("stuck",))
            broken_s = time.monotonic()
            daemon.breaks("stuck")
            found = _until_told_after(ear, stuck, broken_s)
            mended_s = time.monotonic()
            daemon.mends("stuck")
            lines += _lines(ear, [stuck], found, mended_s)
            killed = Row("phone", "daemon", "killed, and started anew", "", ("offline",))
            broken_s = time.monotonic()
            daemon.kill()
        (folder / "broken").rmdir()
        with contextlib.ExitStack() as stack:
            again = BrokenDaemon(folder, "--config", configuration)
            return [*lines, _will(ear, killed, broken_s, lambda: stack.enter_context(again))]


def _will(ear: TimedEar, row: Row, broken_s: float, mend: Callable[[], object]) -> Line:
    """Waits for the broker's word that the daemon is gone, mends it, and waits for it."""
    wait(lambda: ear.first(f"{ROOT}/status", lambda said: said == "offline", broken_s) is not None, WAIT_S)
    offline_at = ear.first(f"{ROOT}/status", lambda said: said == "offline", broken_s)
    mended_s = time.monotonic()
    mend()
    wait(lambda: ear.first(f"{ROOT}/status", lambda said: said == "online", mended_s) is not None, MEND_S)
    online_at = ear.first(f"{ROOT}/status", lambda said: said == "online", mended_s)
    offline_s = None if offline_at is None else offline_at - broken_s
    return Line(
        row.kind, row.provoked, "last will", offline_s, offline_s, None if online_at is None else online_at - mended_s
    )
