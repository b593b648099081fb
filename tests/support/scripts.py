"""The scripts of the checkout, run where nobody can answer, and programs that stand in for installed ones."""

import os
import subprocess
from pathlib import Path


def run_script(command: list[str], cwd: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end, with more in its environment."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def install_programs(checkout: Path, **programs: str) -> Path:
    """Puts shell scripts into a checkout's environment, by name (`_` for `-`); returns the folder."""
    folder = checkout / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name, text in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return folder
