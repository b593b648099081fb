"""deploy/container/build: which tool it takes, and what each must be told. Whether it builds: tests/container."""

import shutil
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scripts import run_script

BUILD = ROOT / "deploy" / "container" / "build"
NEEDS = ("bash", "env", "dirname", "readlink", "sed")


def _path(folder: Path, *tools: str) -> str:
    """A PATH with what the script needs, and look-alikes of these tools, which print what they are told."""
    for name in NEEDS:
        (folder / name).symlink_to(shutil.which(name) or name)
    for tool in tools:
        (folder / tool).write_text(f'#!{shutil.which("bash")}\necho {tool} "$@"\n')
        (folder / tool).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("tools", "chosen", "taken", "is_docker"),
    [
        (("docker", "podman"), "", "docker", True),
        (("podman", "buildah"), "", "podman", False),
        (("docker", "buildah"), "buildah", "buildah", False),
    ],
)
def test_takes_what_is_there_and_keeps_the_health_check(
    tmp_path: Path, tools: tuple[str, ...], chosen: str, taken: str, *, is_docker: bool
) -> None:
    """Docker knows one format and finds the list of files by itself, the others must be told both."""
    done = run_script([str(BUILD), "--build-arg", "BASE=x"], PATH=_path(tmp_path, *tools), CONTAINER_TOOL=chosen)
    assert done.returncode == 0, done.stderr
    told = done.stdout.split()
    assert told[:2] == [taken, "build"]
    assert ("--format" in told, "--ignorefile" in told) == (not is_docker, not is_docker)
    assert told[-3:] == ["--build-arg", "BASE=x", "."]


def test_says_what_is_missing(tmp_path: Path) -> None:
    """Where there is none of them, and where there is none of that name."""
    path = _path(tmp_path)
    for chosen in ("", "kaniko"):
        done = run_script([str(BUILD)], PATH=path, CONTAINER_TOOL=chosen)
        assert done.returncode == 1
        assert "needs docker, podman or buildah" in done.stderr
