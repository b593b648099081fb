"""`monitord-train` as a person runs it."""

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S

_CODE = "import sys; from training.cli import main; sys.exit(main())"


def monitord_train(*arguments: str | Path | int) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-c", _CODE, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
