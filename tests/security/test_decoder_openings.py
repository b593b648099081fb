"""What a decoder may open: nothing that a stranger's file or server names."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import SourceError
from service.capture.inbox import Inbox
from service.capture.recording import check_file, file_chunks
from service.capture.source import SourceState
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_serving import Quiet, serving
from tests.support.sound.matching import wait_for
from tests.support.sound.sounds import chirp, write_wav

SOUND = chirp(200, 3000, 20.0)


class _Site(Quiet, SimpleHTTPRequestHandler):
    asked: list[str]
    """Paths that somebody asked for."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


@contextmanager
def site(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A web server over a folder: (its address, what was asked for)."""
    asked: list[str] = []
    handler = partial(type("Site", (_Site,), {"asked": asked}), directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}", asked


def playlists(sound: str) -> dict[str, str]:
    """Texts by file name that send FFmpeg on to another address."""
    return {
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\n{sound}\n#EXT-X-ENDLIST\n",
        "a.ffconcat": f"ffconcat version 1.0\nfile '{sound}'\n",
        "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    }


@pytest.mark.parametrize("name", ["a.m3u8", "a.ffconcat"])
def test_a_playlist_on_the_network_opens_no_file_of_ours(tmp_path: Path, name: str) -> None:
    """A server cannot have this machine's own files played to the family."""
    folder = tmp_path / "web"
    folder.mkdir()
    secret = write_wav(tmp_path / "secret.wav", SOUND)
    (folder / name).write_text(playlists(f"file://{secret}")[name])
    with site(folder) as (address, asked):
        source = StreamSource("phone", f"{address}/{name}", Inbox("phone"))
        source.start()
        wait_for(lambda: source.status().state not in {SourceState.STARTING, SourceState.LIVE}, "the refusal")
        assert source.stop(PATIENCE_S)
    assert asked[0] == f"/{name}"
    assert source.inbox.tally().captured == 0


@pytest.mark.parametrize("name", ["a.m3u8", "a.ffconcat", "a.sdp"])
def test_a_file_opens_nothing_on_the_network(tmp_path: Path, name: str) -> None:
    """A recording that somebody sent cannot call anybody."""
    folder = tmp_path / "web"
    folder.mkdir()
    write_wav(folder / "a.wav", SOUND)
    with site(folder) as (address, asked):
        path = tmp_path / name
        path.write_text(playlists(f"{address}/a.wav")[name])
        with pytest.raises(SourceError, match=name):
            check_file(path)
    assert asked == []


@pytest.mark.parametrize("name", ["concat:a.wav|b.wav", "http:x", "-i", "subfile,,start,0,end,9,,:a.wav", "a b's.wav"])
def test_a_files_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever a recording is called, it is played and nothing else."""
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / name, SOUND)
    chunks = [chunk for chunk, _ in file_chunks(Path(name))]
    assert np.array_equal(np.concatenate(chunks), SOUND)
