"""`tests/bench/fuzz`: bytes that coverage guides (atheris, libFuzzer), for a while, into each parser that is ours.

The tests throw random inputs at the same parsers (`tests/fuzz`, hypothesis); this finds what lies deeper, and takes
longer. Each parser has a process of its own. What it finds is written beside where it was called, and stays there.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["service", "monitord", "model"]):
    from model.manifest import parse_manifest
    from model.npz import read_npz
    from model.published.torch_file import read_torch
    from monitord.errors import BundleError, ConfigError
    from service.capture.spec import parse_source
    from service.config import load_config
    from service.messages import commands
    from service.messages.message import Node

import numpy as np

from tests.support.models.model_bundles import make_dead_bundle
from tests.support.models.torch_files import write_torch
from tests.support.paths import ROOT

NODE, SOURCES = Node("home"), ("nursery", "attic")
SHAPES = {"a": (3, 4), "b": (7,)}


def _command(data: bytes) -> None:
    topic, _, payload = data.partition(b"\0")
    found = commands.parse(NODE, SOURCES, topic.decode(errors="replace"), payload)
    assert getattr(found, "source", None) in (*SOURCES, None)


def _address(data: bytes) -> None:
    with suppress(ConfigError):
        parse_source(data.decode(errors="replace"))


def _manifest(data: bytes) -> None:
    with suppress(BundleError):
        parse_manifest(data.decode(errors="replace"), "here")


def _in_file(read: Callable[[Path], object], *refusals: type[Exception]) -> Callable[[bytes], None]:
    path = Path(tempfile.mkdtemp()) / "x.yaml"

    def test(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(*refusals):
            read(path)

    return test


def _arrays(folder: Path) -> None:
    np.savez_compressed(folder / "x.npz", a=np.ones((3, 4), np.float32), b=np.zeros(7, np.float16))


def _torch(folder: Path) -> None:
    for legacy in (False, True):
        write_torch(folder / f"{legacy}.pth", {"a.weight": np.ones((3, 4), np.float32)}, legacy=legacy)


def _manifests(folder: Path) -> None:
    make_dead_bundle(folder / "tiny")
    (folder / "seed").write_bytes((folder / "tiny" / "manifest.json").read_bytes())


def _text(*lines: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for number, line in enumerate(lines):
            (folder / str(number)).write_text(line)

    return write


EXAMPLE = (ROOT / "deploy" / "monitord.example.yaml").read_text(encoding="utf-8")
PARSERS: dict[str, tuple[Callable[[bytes], None], Callable[[Path], None]]] = {
    "commands": (
        _command,
        _text("monitord/home/nursery/threshold/set\0.5", 'monitord/home/attic/event\0{"event_type":"test"}'),
    ),
    "addresses": (_address, _text("rtsp://u:p@h:554/x", "listen+rtmp://0.0.0.0:1935/live", "mic:USB", "/a/b.wav")),
    "configuration": (_in_file(load_config, ConfigError), _text(EXAMPLE)),
    "manifest": (_manifest, _manifests),
    "arrays": (_in_file(lambda path: read_npz(path, SHAPES), BundleError), _arrays),
    "torch": (_in_file(read_torch, BundleError), _torch),
}
"""By name: what is fed, and what writes a good input to begin with into a folder."""


def _fuzz(name: str, seconds: int) -> None:
    """Feeds one parser; does not return."""
    feed, seeds = PARSERS[name]
    corpus = Path(tempfile.mkdtemp())
    seeds(corpus)
    # Too much memory shows as time: it is counted for all processes together in some sandboxes.
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=0", "-detect_leaks=0"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={name}-", str(corpus)], feed)
    atheris.Fuzz()


def main() -> int:
    """Feeds each in turn; 1 where one broke."""
    parser = argparse.ArgumentParser(prog="tests/bench/fuzz", description=__doc__)
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"of {', '.join(PARSERS)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: 60)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if wrong := set(arguments.parsers) - set(PARSERS):
        parser.error(f"no such parser: {', '.join(sorted(wrong))}")
    if arguments.here:
        _fuzz(arguments.parsers[0], arguments.seconds)
    broken = 0
    for name in arguments.parsers or PARSERS:
        options = ["--here", f"--seconds={arguments.seconds}", name]
        command = [sys.executable, "-m", "tests.bench.endurance.fuzz", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = [line for line in done.stderr.splitlines() if re.match(r"#\d", line)][-1:]
        sys.stdout.write(f"{name}: {'good' if done.returncode == 0 else 'BROKEN'}; {''.join(last)}\n")
        sys.stdout.flush()
        if done.returncode:
            broken += 1
            sys.stderr.write(done.stdout[-3000:] + done.stderr[-6000:])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
