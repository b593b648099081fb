"""The image as `deploy/container/build` makes it, on a Debian from packages; kept while its sources stay the same."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.paths import ROOT

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monitord-images"
"""Where the base and the newest image of each name are kept: some 1.5 GB."""
BASE: Final = "localhost/debian-trixie"
"""What stands for the base of a family's image."""
SOURCES: Final = (
    *("deploy/container", "deploy/requirements.lock", "pyproject.toml", "README.md", "LICENSE"),
    *("monitord", "model", "service", "training"),
)
"""All that the image of monitord is made of."""

_SLIM: Final = ("doc", "info", "locale", "man")
"""What Debian's own slim images leave out of /usr/share."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built and unpacked."""

    name: str
    """By which another can be built on it."""
    folder: Path
    """With `rootfs` and `config.json`, as umoci unpacks it, and `image.json`."""

    @property
    def config(self) -> dict[str, Any]:
        """What `docker inspect` calls Config: user, environment, health check. Any: values of JSON."""
        return dict(self._told["config"])

    @property
    def compressed_bytes(self) -> int:
        """What is downloaded: all layers, by gzip."""
        return int(self._told["compressed_bytes"])

    @property
    def _told(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "image.json").read_text()))


def monitord_image() -> Image:
    """Builds the image of this checkout, or returns the one of the same sources."""
    return built("monitord", [ROOT / "deploy/container/build", "--build-arg", f"BASE={_base()}"], SOURCES)


def built(name: str, command: list[str | Path], sources: tuple[str, ...], on: Image | None = None) -> Image:
    """Runs a command that builds an image; one of the same command, sources and base is not built again.

    Args:
        name: Under which the command tags it, `localhost/NAME:latest`.
        command: What builds it, run in the checkout with buildah set up for it.
        sources: All that it is made of, relative to the checkout.
        on: What it is built on, where that is an image of ours.
    """
    folder = CACHE / name
    fingerprint = _fingerprint(command, sources, on)
    if not (folder / "fingerprint").exists() or (folder / "fingerprint").read_text() != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _buildah(*command)
        _unpack(f"localhost/{name}:latest", folder)
        (folder / "fingerprint").write_text(fingerprint)
    return Image(f"localhost/{name}:latest", folder)


def _fingerprint(command: list[str | Path], sources: tuple[str, ...], on: Image | None) -> str:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *sources],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    found = hashlib.sha256(repr((command, on and (on.folder / "fingerprint").read_text())).encode())
    for path in sorted(ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name):
        if path.is_file():
            found.update(f"{path.relative_to(ROOT)}:{path.stat().st_mode}:".encode() + path.read_bytes())
    return found.hexdigest()


def _base() -> str:
    """Makes a Debian 13 like `debian:trixie-slim`, for no registry of images can be reached from a test."""
    found = subprocess.run(["buildah", "inspect", BASE], env=_environment(), capture_output=True, check=False)
    if found.returncode == 0:
        return BASE
    CACHE.mkdir(parents=True, exist_ok=True)
    tar = CACHE / "base.tar"
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _SLIM]
    # Behind a proxy with a certificate of its own, pip in the image needs it as well.
    trusted = os.environ.get("PIP_CERT")
    hooks = [] if trusted is None else [f"--customize-hook={_TRUST.format(certificate=trusted)}"]
    options = ["--variant=minbase", *left_out, "--dpkgopt=path-include=/usr/share/doc/*/copyright", *hooks]
    _run("mmdebstrap", "--quiet", *options, "trixie", tar)
    container = _run("buildah", "from", "scratch").strip()
    _run("buildah", "add", "--quiet", container, tar, "/")
    _run("buildah", "commit", "--quiet", "--rm", "--format", "docker", container, BASE)
    tar.unlink()
    return BASE


_TRUST: Final = (
    "cp {certificate} $1/etc/pip-certificates.crt;"
    " printf '[global]\\ncert = /etc/pip-certificates.crt\\n' > $1/etc/pip.conf"
)


def _unpack(name: str, folder: Path) -> None:
    told = json.loads(_run("buildah", "inspect", "--type", "image", name))
    layout = folder / "layout"
    _run("buildah", "push", "--quiet", name, f"oci:{layout}:latest")
    blobs = layout / "blobs" / "sha256"
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text())
    size = sum(layer["size"] for layer in manifest["layers"])
    _run("umoci", "unpack", "--image", f"{layout}:latest", folder / "bundle")
    shutil.rmtree(layout)
    for part in ("rootfs", "config.json"):
        (folder / "bundle" / part).rename(folder / part)
    (folder / "image.json").write_text(json.dumps({"config": told["Docker"]["config"], "compressed_bytes": size}))


def _environment() -> dict[str, str]:
    """Buildah with a storage of its own, without a daemon, a kernel's overlay or a namespace that root may lack."""
    CACHE.mkdir(parents=True, exist_ok=True)
    storage = CACHE / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{CACHE}/storage"\nrunroot = "{CACHE}/run"\n')
    chosen = {"BUILDAH_ISOLATION": "chroot", "CONTAINER_TOOL": "buildah"}
    return {**os.environ, **chosen, "CONTAINERS_STORAGE_CONF": str(storage)}


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} {command[1]}: {done.stderr[-3000:]}"
    return done.stdout


def _buildah(*command: str | Path) -> None:
    assert os.geteuid() == 0, "images are built and containers run by root here: sudo tests/run --container"
    _run(*command)
