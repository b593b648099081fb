"""How Ray is set in tests that have a cluster in their own process, which reads its settings once and for all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.paths import ROOT

TUNED: Final = {
    line.partition("=")[0]: line.partition("=")[2]
    for line in (ROOT / "deploy" / "ward.env").read_text().splitlines()
    if line.startswith("RAY_")
}
"""What `deploy/ward.env` says, as operators have it."""


@contextmanager
def ray_environment(folder: Path) -> Iterator[None]:
    """As operators have it, with a token, and what a head keeps in this folder; afterwards as it was before."""
    before = os.environ.copy()
    os.environ |= TUNED | {"RAY_AUTH_TOKEN": "0" * 64, "RAY_gcs_storage_path": str(folder / "gcs")}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
