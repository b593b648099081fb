"""What strangers send is decoded in a process of its own: its limits, its crashes and hangs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import SourceError
from monitord.types import RATE_HZ
from service.capture.child import child_main
from service.capture.inbox import Inbox
from service.capture.recording import check_file
from service.capture.source import SourceState
from service.capture.streams.rate_limit import BURST_S, SPEED
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import PASSWORD, USER, HttpAudio, streaming
from tests.support.sound.matching import joined, listen, wait_for, wait_for_state
from tests.support.sound.sounds import chirp

SOUND = chirp(200, 3000, 20.0)


def decoders(parent: int | None = None) -> list[int]:
    """Process ids of the decoders of a process, by default of this one."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            above = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if b"service.capture.child.decoder_main" in words and above == (parent or os.getpid()):
            found.append(int(process.name))
    return found


@contextmanager
def heard(phone: HttpAudio, path: str = "/audio.wav", login: str = "", read_s: float = 8.0) -> Iterator[StreamSource]:
    """A source that is live."""
    with streaming(phone.url(path, login), read_s=read_s) as source:
        wait_for_state(source, SourceState.LIVE)
        yield source


@pytest.fixture
def phone() -> Iterator[HttpAudio]:
    """A phone app that serves `SOUND`."""
    with HttpAudio(SOUND).running() as audio:
        yield audio


def test_limits_hold(phone: HttpAudio) -> None:
    """The process that decodes has little memory, writes no file, dumps no core, and dies before the daemon does."""
    with heard(phone):
        (child,) = decoders()
        rows = Path(f"/proc/{child}/limits").read_text().splitlines()
        limits = {row[:26].strip(): row[26:].split()[0] for row in rows}
        assert limits["Max data size"] == str(256 * 2**20)
        assert (limits["Max file size"], limits["Max core file size"]) == ("0", "0")
        assert int(limits["Max open files"]) <= 64
        assert Path(f"/proc/{child}/oom_score_adj").read_text() == f"{child_main.FIRST_TO_DIE}\n"


def test_ffmpeg_is_in_the_child_and_numpy_is_not(phone: HttpAudio) -> None:
    """The daemon's own process never loads FFmpeg, and a child costs no more memory than decoding takes."""
    code = (
        "import sys, service.app, service.pipeline.replay, service.capture.streams.stream\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'av'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout == "[]\n"
    with heard(phone):
        (child,) = decoders()
        maps = Path(f"/proc/{child}/maps").read_text()
        rollup = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()
    assert "libavcodec" in maps
    assert "numpy" not in maps
    private_kb = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty:"))
    assert private_kb < 25_000  # 12,300 measured; with NumPy it would be 35,000


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A file whose index asks for most of a gigabyte, and FFmpeg would give it, ends as a file that cannot be read."""
    size = 900_000_000  # bytes

    def atom(name: bytes, content: bytes, length: int | None = None) -> bytes:
        return (length or 8 + len(content)).to_bytes(4, "big") + name + content

    entries = (size // 8 - 2).to_bytes(4, "big")
    table = atom(b"stts", bytes(4) + entries, size)
    nested = table
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        nested = atom(name, nested, size)
    path = tmp_path / "bomb.mp4"
    with path.open("wb") as file:
        file.write(atom(b"ftyp", b"isom\0\0\0\0isom") + nested)
        file.truncate(size + 1_000)  # sparse: a hole reads as zeros
    with pytest.raises(SourceError, match=r"bomb\.mp4.*Cannot allocate memory"):
        check_file(path)


def test_nothing_of_a_url_can_be_read_by_others(phone: HttpAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the command line nor the environment of the child holds a password, ours or another."""
    monkeypatch.setenv("SOME_TOKEN", "hush-little-baby")
    with heard(phone, "/locked.wav", f"{USER}:{PASSWORD}@"):
        (child,) = decoders()
        told = b"".join(Path(f"/proc/{child}/{name}").read_bytes() for name in ("cmdline", "environ"))
    assert PASSWORD.encode() not in told
    assert b"127.0.0.1" not in told
    assert b"hush-little-baby" not in told


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_a_fault_of_one_source(phone: HttpAudio, number: signal.Signals) -> None:
    """FFmpeg that crashes is told by its signal, and the source is heard again; the daemon never notices."""
    with heard(phone) as source:
        (child,) = decoders()
        with heard(phone, "/audio.opus") as other:
            os.kill(child, number)
            wait_for_state(source, SourceState.DECODE_ERROR)
            assert number.name in source.status().detail
            wait_for_state(source, SourceState.LIVE)
            assert (source.status().reconnects, other.status().reconnects) == (1, 0)


def test_a_hung_decoder_is_ended(phone: HttpAudio) -> None:
    """FFmpeg that hangs, its own timeouts with it, is killed, told as silence, and the source is heard again."""
    with heard(phone, read_s=2.0) as source:
        (child,) = decoders()
        os.kill(child, signal.SIGSTOP)
        wait_for_state(source, SourceState.RECONNECTING)
        assert "sends nothing" in source.status().detail
        wait_for_state(source, SourceState.LIVE)
        assert child not in decoders()


def test_stop_does_not_wait_for_a_hung_decoder(phone: HttpAudio) -> None:
    """A stop ends a child that hangs, and leaves none behind."""
    with heard(phone, read_s=2 * PATIENCE_S) as source:  # by then it would be killed for its silence
        os.kill(decoders()[0], signal.SIGSTOP)
        assert source.stop(PATIENCE_S)
        assert decoders() == []


def test_ctrl_c_and_the_service_managers_end_are_for_the_daemon(phone: HttpAudio) -> None:
    """SIGINT and SIGTERM, which come to all processes, leave the channels open until the daemon has said goodbye."""
    with heard(phone) as source:
        (child,) = decoders()
        os.kill(child, signal.SIGINT)
        os.kill(child, signal.SIGTERM)
        listen(source.inbox, 1.0)
        assert source.status().reconnects == 0


def test_no_child_outlives_the_daemon(phone: HttpAudio) -> None:
    """After a kill -9 of the daemon nothing goes on listening."""
    code = (
        "import sys, time; from service.capture.inbox import Inbox\n"
        "from service.capture.streams.stream import StreamSource\n"
        "source = StreamSource('phone', sys.argv[1], Inbox('phone')); source.start()\n"
        "while source.status().state != 'live': time.sleep(0.01)\n"
        "print('live', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, phone.url("/audio.wav")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "live\n"
        (child,) = decoders(daemon.pid)
        daemon.kill()
    wait_for(lambda: not Path(f"/proc/{child}/cmdline").exists(), "the end of the child")


def test_without_file_descriptors_it_is_said(phone: HttpAudio) -> None:
    """A process that cannot be started is a fault with words, tried again, and no traceback."""
    code = (
        "import resource, sys, time; from service.capture.inbox import Inbox\n"
        "from service.capture.streams.stream import StreamSource\n"
        "source = StreamSource('phone', sys.argv[1], Inbox('phone'))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 64)); source.start()\n"
        "while source.status().state == 'starting': time.sleep(0.01)\n"
        "print(source.status().detail, flush=True); resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "while source.status().state != 'live': time.sleep(0.01)\n"
        f"print(source.stop({PATIENCE_S}))\n"
    )
    command = [sys.executable, "-c", code, phone.url("/audio.wav")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    first, stopped = done.stdout.splitlines()
    assert "FFmpeg's process cannot be started: Too many open files" in first
    assert (stopped, "Traceback" in done.stderr) == ("True", False)


def test_a_flood_starves_nobody() -> None:
    """A stream that pours in its sound without end is taken at its own speed once the inbox could be full."""
    header = b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes.fromhex("10000000 0100 0100 803e0000 007d0000 0200 1000")

    def pour(server: socket.socket) -> None:
        with server.accept()[0] as sock:
            sock.recv(1_000)
            sock.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + header + b"data\xff\xff\xff\xff")
            try:
                while True:
                    sock.sendall(SOUND.tobytes()[: 2 * RATE_HZ])
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=pour, args=(server,))
        thread.start()
        source = StreamSource("phone", f"http://127.0.0.1:{server.getsockname()[1]}/x", Inbox("phone"))
        source.start()
        wait_for_state(source, SourceState.LIVE)
        began_s = time.monotonic()
        beyond_s = 2.5  # of sound beyond the burst
        wait_for(lambda: source.inbox.tally().captured >= (BURST_S + beyond_s) * RATE_HZ, "more than a burst")
        assert time.monotonic() - began_s > beyond_s / SPEED - 0.5  # unbounded it takes a tenth of a second
        assert source.stop(PATIENCE_S)
        thread.join()


def test_what_is_heard_stays_exact(phone: HttpAudio) -> None:
    """Through the pipe nothing is lost, doubled or moved."""
    with heard(phone, "/burst.wav") as source:
        samples = joined(listen(source.inbox, 7.0))
    assert np.array_equal(samples, SOUND[: len(samples)])
