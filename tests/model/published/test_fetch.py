"""Downloads that break and go on, and the published weights made into a bundle."""

import hashlib
import mmap
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.bundle import load_bundle
from model.npz import read_npz
from model.published.checkpoint import SHAPES
from model.published.download import Remote, download
from model.published.fetch import REMOTES, fetch_vggish
from monitord.errors import BundleError
from tests.support.models.published_weights import passing_weights, write_npz
from tests.support.servers.http_files import Site, serve

CONTENT = np.random.default_rng(0).bytes(1_000_003)
PIN = hashlib.sha256(CONTENT).hexdigest()[:8]
NOWHERE = "http://127.0.0.1:9/vggish_model.ckpt"
"""Port 9 (discard) of loopback: nobody listens."""


@pytest.fixture
def site() -> Iterator[Site]:
    """Serves a megabyte of noise."""
    with serve(CONTENT, "weights.bin") as site:
        yield site


def test_whole_file_in_one_go(site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Pins the file, its name, the bar on stderr, nothing left beside it, and no second download."""
    remote = Remote(site.url, PIN)
    path = download(remote, tmp_path / "new" / "place")
    assert path == tmp_path / "new" / "place" / "weights.bin"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    out, err = capfd.readouterr()
    assert out == ""
    assert "weights.bin: 100%" in err
    assert download(remote, path.parent) == path
    assert site.asked == [""]


def test_a_proxy_of_the_environment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pins that a proxy that is away is not taken for the publisher, and that its password stays unsaid."""
    monkeypatch.setattr(urllib.request, "_opener", None)  # made once in a process, from the environment of that moment
    monkeypatch.setenv("http_proxy", "http://user:word@127.0.0.1:9/")
    with pytest.raises(BundleError, match=r"refused.*, through the proxy 127\.0\.0\.1:9 of http_proxy") as caught:
        download(Remote("http://weights.example.org/weights.bin", ""), tmp_path)
    assert "word" not in str(caught.value)


def test_broken_line_goes_on_where_it_broke(site: Site, tmp_path: Path) -> None:
    """Pins that each connection fetches only what is missing."""
    site.cut_after = 300_000
    path = download(Remote(site.url, PIN), tmp_path)
    assert path.read_bytes() == CONTENT
    assert site.asked == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_next_run_goes_on_too(site: Site, tmp_path: Path) -> None:
    """Pins that a download given up is kept, says so, and costs only the rest the next time."""
    site.cut_after = 100_000
    with pytest.raises(BundleError, match=r"ended 500003 bytes early \(5 tries\); what has come is kept"):
        download(Remote(site.url, PIN), tmp_path)
    assert (tmp_path / "weights.bin.part").stat().st_size == 500_000
    site.cut_after = None
    site.asked.clear()
    assert download(Remote(site.url, PIN), tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=500000-"]


def test_halves_of_two_versions_never_meet(site: Site, tmp_path: Path) -> None:
    """Pins that a file that changed on the server in between is fetched anew."""
    site.cut_after = 100_000
    with pytest.raises(BundleError):
        download(Remote(site.url, ""), tmp_path)
    site.cut_after, site.tag, site.content = None, '"two"', CONTENT[::-1]
    assert download(Remote(site.url, ""), tmp_path).read_bytes() == CONTENT[::-1]


def test_server_without_ranges_starts_anew(site: Site, tmp_path: Path) -> None:
    """Pins that a whole answer to a question for the rest is not appended."""
    site.cut_after = 100_000
    with pytest.raises(BundleError):
        download(Remote(site.url, PIN), tmp_path)
    site.cut_after, site.ranges = None, False
    assert download(Remote(site.url, PIN), tmp_path).read_bytes() == CONTENT


def test_part_longer_than_the_file_starts_anew(site: Site, tmp_path: Path) -> None:
    """Pins the answer 416: the part belongs to another file."""
    (tmp_path / "weights.bin.part").write_bytes(bytes(2_000_000))
    (tmp_path / "weights.bin.part.etag").write_text(site.tag)
    assert download(Remote(site.url, PIN), tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=2000000-", ""]


def test_other_content_is_put_aside(site: Site, tmp_path: Path) -> None:
    """Pins that a file with another checksum never gets the published name, downloaded or put there by hand."""
    with pytest.raises(BundleError, match=r"weights.bin.part.wrong: its SHA-256 is .*is published with 10086976"):
        download(Remote(site.url, "10086976"), tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"weights.bin.wrong: its SHA-256 is"):
        download(Remote(site.url, PIN), tmp_path)
    assert download(Remote(site.url, PIN), tmp_path).read_bytes() == CONTENT


def test_missing_page_is_told(site: Site, tmp_path: Path) -> None:
    """Pins the server's own words."""
    with pytest.raises(BundleError, match=r"elsewhere: HTTP Error 404"):
        download(Remote(f"{site.url}/elsewhere", ""), tmp_path)


def test_offline_says_what_to_do_by_hand(tmp_path: Path) -> None:
    """Pins that without a connection the addresses, the places for the files and the command are told."""
    pytest.importorskip("tensorflow")
    with pytest.raises(BundleError) as caught:
        fetch_vggish(tmp_path / "vggish", tmp_path / "downloads", (Remote(NOWHERE, ""),))
    text = str(caught.value)
    assert "Connection refused" in text
    assert NOWHERE in text
    assert f"to {tmp_path / 'downloads' / 'vggish_model.ckpt'}" in text
    assert "monitord bundle fetch vggish" in text
    assert not (tmp_path / "vggish").exists()


def test_published_places() -> None:
    """Pins both addresses, and the port's checksum being the one in its name."""
    port, google = REMOTES
    assert google == Remote("https://storage.googleapis.com/audioset/vggish_model.ckpt", "")
    assert port.url.endswith(f"/torchvggish/releases/download/v0.1/vggish-{port.sha256}.pth")


def test_error_page_of_a_server_is_no_network(tmp_path: Path) -> None:
    """Pins that what is no checkpoint leaves no bundle behind."""
    pytest.importorskip("tensorflow")
    with serve(b"<html>moved</html>", "vggish_model.ckpt") as site, pytest.raises(BundleError, match="expected"):
        fetch_vggish(tmp_path / "vggish", tmp_path / "downloads", (Remote(site.url, ""),))
    assert not (tmp_path / "vggish").exists()


def test_fetch_makes_a_base_for_training(tmp_path: Path) -> None:
    """Pins the whole way in full size: broken download, second address, conversion, self-test, bundle for training."""
    pytest.importorskip("tensorflow")
    published = write_npz(tmp_path / "published.npz", passing_weights())
    with (
        published.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as content,
        serve(content, "vggish.npz") as site,
    ):
        site.cut_after = len(content) * 2 // 3
        remotes = (Remote(NOWHERE, ""), Remote(site.url, hashlib.sha256(content).hexdigest()[:8]))
        bundle = fetch_vggish(tmp_path / "vggish", tmp_path / "downloads", remotes)
        assert len(site.asked) == 2
    assert load_bundle(tmp_path / "vggish") == bundle
    assert bundle.manifest.heads == "untrained"
    found, expected = bundle.weights(), read_npz(published, SHAPES)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    assert not found["cry/kernel"].any()
    assert not found["reasons/bias"].any()
    assert bundle.tflite.stat().st_size < 80_000_000  # a byte a weight
    with pytest.raises(BundleError, match="untrained"):
        bundle.require_trained()
    shutil.rmtree(tmp_path)
