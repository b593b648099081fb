"""`tests/bench/run container`: how large the image is, how soon a container is healthy, and how soon it is gone.

The image is built first, where its sources have changed since the last time: some minutes. The container is a family's
first start, which plays the demo sound, so that what it needs for that is loaded as well.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench import process
from tests.bench.markdown import markdown, number
from tests.support.container.containers import Container, Network, data_folder
from tests.support.container.image import Image, monitord_image

LOOK_S: Final = 0.1
"""Between two health checks while it starts (seconds)."""


def main(argv: Sequence[str]) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="tests/bench/run container", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="containers, one after the other (default: %(default)s)")
    arguments = parser.parse_args(argv)
    before = process.machine()
    image = monitord_image()
    lives = [_life(image) for _ in range(arguments.rounds)]
    load = f"load {before['load_before']} before and {os.getloadavg()[0]:.2f} after"
    sys.stdout.write(f"{before['cpu']}, {before['cores']} cores, {load}\n\n")
    unpacked = sum(path.lstat().st_size for path in (image.folder / "rootfs").rglob("*") if not path.is_dir())
    healthy, checked, gone = (statistics.median(values) for values in zip(*lives, strict=True))
    rows = [
        ("image", "", "at most"),
        ("compressed, MB", number(image.compressed_bytes / 1e6), "180"),
        ("unpacked, MB", number(unpacked / 1e6), ""),
        ("from the start until healthy, s", number(healthy), ""),
        ("a health check, s", number(checked), "15"),
        ("from TERM to its end, s", number(gone), "10"),
    ]
    sys.stdout.write(markdown(rows))


def _life(image: Image) -> tuple[float, float, float]:
    """One container; returns when it was healthy, how long a health check took, and how long its end (seconds)."""
    with tempfile.TemporaryDirectory() as name, Network() as network, data_folder(Path(name)) as data:
        began = time.monotonic()
        with Container(image, network, data, Path(name)) as container:
            while not container.healthy():
                time.sleep(LOOK_S)
            healthy_at = time.monotonic()
            assert container.healthy()
            checked_at = time.monotonic()
            assert container.stop() == 0
            return healthy_at - began, checked_at - healthy_at, time.monotonic() - checked_at


if __name__ == "__main__":
    main(sys.argv[1:])
