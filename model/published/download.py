"""A large file over HTTP: with progress, taken up again where it broke off, verified before it counts as there."""

import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tqdm import tqdm

from monitord.errors import BundleError

TIMEOUT_S: Final = 30.0
"""Seconds without a byte after which a connection counts as broken; a slow line still sends some."""
TRIES: Final = 5
"""Connections in one run; each goes on where the last one broke off."""
_CHUNK_BYTES: Final = 1 << 18
"""Bytes per read: a quarter of a megabyte, so the bar moves on a slow line too."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A published file."""

    url: str
    sha256: str
    """Its first hexadecimal digits, as many as the publisher gives; empty where none are published."""

    @property
    def name(self) -> str:
        """File name."""
        return self.url.rsplit("/", 1)[-1]


def download(remote: Remote, directory: Path) -> Path:
    """Returns the verified file in `directory`; one that is there already is verified and kept.

    What has come so far lies in `<name>.part` until it is whole, so a broken download costs only what is missing.

    Raises:
        BundleError: The server cannot be reached or does not deliver, or the file is not the published one.
    """
    whole = directory / remote.name
    if not whole.exists():
        directory.mkdir(parents=True, exist_ok=True)
        part = directory / f"{remote.name}.part"
        _fill(remote.url, part)
        _verify(part, remote)
        part.rename(whole)
        _tag_file(part).unlink(missing_ok=True)
        return whole
    _verify(whole, remote)
    return whole


def _fill(url: str, part: Path) -> None:
    """Appends to the part until it is whole."""
    trouble = ""
    for _ in range(TRIES):
        have = part.stat().st_size if part.exists() else 0
        try:
            missing = _fetch_rest(url, part, have)
        except (OSError, http.client.HTTPException) as error:
            # urllib's errors are OSErrors. No route, a refusal by the server and a broken line look alike from here.
            trouble = f"{error}{_through(url)}"
            if (
                isinstance(error, urllib.error.HTTPError)
                and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            ):
                part.unlink(missing_ok=True)  # longer than what is published now: begin anew
            continue
        if not missing:
            return
        trouble = f"the connection ended {missing} bytes early"
    raise BundleError(f"{url}: {trouble} ({TRIES} tries); what has come is kept, the same command goes on from there")


def _through(url: str) -> str:
    """Names the proxy of the environment that the way to a server leads through, without its password; empty: none."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    where = proxy.rpartition("@")[2].rpartition("//")[2].rstrip("/")
    return f", through the proxy {where} of {parts.scheme}_proxy"


def _fetch_rest(url: str, part: Path, have: int) -> int:
    """Reads from the server until it ends; returns how many bytes are missing still."""
    request = urllib.request.Request(url, headers={"User-Agent": "monitord"})  # noqa: S310 - URLs are constants
    tag_file = _tag_file(part)
    if have and tag_file.exists():
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag_file.read_text())  # else the whole of a file that has changed
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - as above
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        start = have if resumed else 0
        total = start + int(response.headers["Content-Length"] or 0)
        tag = response.headers["ETag"]
        if tag:
            tag_file.write_text(tag)
        with part.open("ab" if resumed else "wb") as file:
            _copy(response, file, part.name.removesuffix(".part"), start, total)
            return max(0, total - file.tell())


def _copy(response: IO[bytes], file: IO[bytes], name: str, start: int, total: int) -> None:
    with tqdm(desc=name, initial=start, total=total or None, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            bar.update(len(chunk))


def _verify(path: Path, remote: Remote) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(remote.sha256):
        wrong = path.with_name(f"{path.name}.wrong")
        path.rename(wrong)
        raise BundleError(
            f"{wrong}: its SHA-256 is {found[: max(8, len(remote.sha256))]}..., {remote.url} is published with "
            f"{remote.sha256}...: damaged or another file; it was put aside under this name"
        )


def _tag_file(part: Path) -> Path:
    """Where the server's name for this version of the file is kept, so that halves of two versions never meet."""
    return part.with_name(f"{part.name}.etag")
