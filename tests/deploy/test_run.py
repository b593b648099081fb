"""The two commands: what they pass on, what they notice, and what they say when something is missing.

Each test runs the real scripts in a small copy of the checkout, with an environment of its own.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scripts import run_script

SCRIPTS = (
    "deploy/run",
    "deploy/monitord",
    "deploy/install",
    "deploy/uninstall",
    "deploy/lock",
    "deploy/install-lib.sh",
    "deploy/needs-lib.sh",
    "tests/run",
    ".ci/run",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_valid_shell(script: str) -> None:
    """Bash parses each, and those that are commands may be run."""
    assert run_script(["bash", "-n", str(ROOT / script)]).stderr == ""
    assert script.endswith(".sh") or os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", [script for script in SCRIPTS if not script.endswith(".sh")])
def test_shellcheck_finds_nothing(script: str) -> None:
    """Each script with the libraries that it sources."""
    if shutil.which("shellcheck") is None:
        pytest.skip("needs the Debian package shellcheck")
    done = run_script(["shellcheck", "--external-sources", str(ROOT / script)])
    assert (done.returncode, done.stdout) == (0, "")


def test_every_word_reaches_monitord_run(installed: Path) -> None:
    """Spaces, quotes and stars as typed; the two options of deploy/run itself stay behind; nothing else on stdout."""
    words = ["a file.wav", "mic:Bob's *", "--json", "rtsp://x/?a=1&b=2"]
    done = run_script([str(installed / "deploy" / "run"), words[0], "--no-gpu", *words[1:]])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["<run>", *(f"<{word}>" for word in words)]


def test_it_works_through_a_link_and_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """A link in ~/bin finds the checkout."""
    (tmp_path / "babyphone").symlink_to(installed / "deploy" / "run")
    done = subprocess.run([tmp_path / "babyphone", "mic"], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["<run>", "<mic>"]


def test_help_shows_both_commands(installed: Path) -> None:
    """Its own options first, then those of monitord run."""
    done = run_script([str(installed / "deploy" / "run"), "--help"])
    assert done.returncode == 0
    assert done.stdout.startswith("usage: deploy/run [--gpu | --no-gpu]")
    assert done.stdout.endswith("<run>\n<--help>\n")


def test_help_installs_nothing(checkout: Path) -> None:
    """Before the first installation it is the same help, from the checkout's own files."""
    for room in ("service", "monitord"):
        (checkout / room).symlink_to(ROOT / room)
    done = run_script([str(checkout / "deploy" / "run"), "--help"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: monitord run" in done.stdout
    assert not (checkout / ".venv").exists()


def test_what_is_printed_can_be_pasted(installed: Path, tmp_path: Path) -> None:
    """deploy/monitord runs any command, and both name it as it was called, from wherever that was."""
    (installed / ".venv" / "bin" / "monitord").write_text('#!/bin/sh\necho "$MONITORD_COMMAND $*"\n')
    for folder, called, named in (
        (installed, "deploy/run", "deploy/monitord"),
        (installed, "deploy/monitord", "deploy/monitord"),
        (tmp_path, f"{installed}/deploy/run", f"{installed}/deploy/monitord"),
    ):
        done = subprocess.run([called, "mic"], cwd=folder, capture_output=True, text=True, check=True)
        line = done.stdout.replace("run mic", "mic")
        assert shlex.split(line) == [named, "mic"]
    (tmp_path / "babyphone").symlink_to(installed / "deploy" / "run")
    done = subprocess.run([tmp_path / "babyphone"], cwd="/", capture_output=True, text=True, check=True)
    assert shlex.split(done.stdout) == [f"{installed}/deploy/monitord", "run"]


def test_the_command_says_what_is_missing(checkout: Path) -> None:
    """Before the installation."""
    done = run_script([str(checkout / "deploy" / "monitord"), "devices"])
    assert done.returncode == 1
    assert "deploy/run does that" in done.stderr


def test_it_says_what_it_will_take(checkout: Path) -> None:
    """Before anything is changed: packages, the mask of a service, disk, memory; a disk that is too small ends it."""
    fakes = checkout / "fakes"
    fakes.mkdir()
    (fakes / "df").write_text("#!/bin/sh\necho Filesystem\necho / 900 880 20 98% /\n")
    (fakes / "df").chmod(0o755)
    run = (checkout / "deploy" / "run").read_text()
    (checkout / "deploy" / "run").write_text(run.replace("has mosquitto ||", "false ||"))
    done = run_script([str(checkout / "deploy" / "run"), "--no-gpu"], PATH=f"{fakes}:{os.environ['PATH']}")
    assert done.returncode == 1
    for words in ("Debian packages, with sudo: mosquitto", "is switched off (masked)", "MB of disk", "MB of memory"):
        assert words in done.stderr
    assert "only 20 MB of disk are free" in done.stderr.splitlines()[-1]
    assert not (checkout / ".venv").exists()


def test_the_exit_status_is_monitords(installed: Path) -> None:
    """A wrong configuration stays 78 through the script."""
    (installed / ".venv" / "bin" / "monitord").write_text("#!/bin/sh\nexit 78\n")
    assert run_script([str(installed / "deploy" / "run")]).returncode == 78


@pytest.mark.parametrize("file", ["pyproject.toml", "deploy/requirements.lock"])
def test_a_change_asks_for_a_new_installation(
    installed: Path, lib: Callable[..., subprocess.CompletedProcess[str]], file: str
) -> None:
    """New dependencies or new locked versions are not overlooked."""
    question = 'is_installed run "$root/deploy/requirements.lock"'
    assert lib(question).returncode == 0
    with (installed / file).open("a", encoding="utf-8") as changed:
        changed.write("\n# changed\n")
    assert lib(question).returncode == 1


def test_a_moved_checkout_asks_for_a_new_installation(installed: Path, tmp_path: Path) -> None:
    """The programs of an environment hold its path."""
    moved = installed.rename(tmp_path / "moved")
    code = f'. "{moved}/deploy/install-lib.sh"; is_installed run "$root/deploy/requirements.lock"'
    assert run_script(["bash", "-c", code]).returncode == 1


def test_an_interrupted_installation_is_made_anew(
    installed: Path, lib: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """What was half done is thrown away, not trusted."""
    (installed / ".venv" / ".install-unfinished").touch()
    half_done = installed / ".venv" / "half-done"
    half_done.touch()
    assert lib('is_installed run "$root/deploy/requirements.lock"').returncode == 1
    made = lib("python=$(find_python); make_environment; is_sound_environment")
    assert made.returncode == 0, made.stderr
    assert "interrupted; starting over" in made.stderr
    assert not half_done.exists()


def test_it_finds_a_supported_python(lib: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """3.11 to 3.13, whatever else there is."""
    found = lib('"$(find_python)" -c "import sys; print(sys.version_info[1])"')
    assert int(found.stdout) in (11, 12, 13)


def test_an_unsupported_python_is_told(lib: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """Which versions it takes, and which was found."""
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.12 && exit\nexit 1\n')
        (tmp_path / name).chmod(0o755)
    done = lib(
        "install_packages() { true; }; choose_python", MONITORD_PYTHON="", PATH=f"{tmp_path}:{os.environ['PATH']}"
    )
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13; found Python 3.10.12" in done.stderr


def test_without_sudo_it_says_what_an_administrator_must_do(
    lib: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """The line to run, with the packages."""
    code = 'has() { [ "$1" != sudo ]; }; id() { echo 1000; }; install_packages gcc portaudio19-dev'
    done = lib(code)
    assert done.returncode == 1
    assert "apt-get install gcc portaudio19-dev" in done.stderr


def test_without_apt_it_names_what_it_needs(lib: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Another system's owner can translate the names."""
    done = lib('has() { [ "$1" != apt-get ]; }; install_packages gcc portaudio19-dev')
    assert done.returncode == 1
    assert "gcc portaudio19-dev" in done.stderr


def test_nobody_is_asked_where_nobody_can_answer(lib: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Without a terminal the answer is no, at once."""
    assert lib('ask "Download 3.4 GB?"').returncode == 1


def test_a_dead_network_is_told(lib: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """No traceback of pip: is this machine online?"""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    done = lib(
        'python=$(find_python); make_environment; pip_install --no-deps "tqdm==4.66.0"',
        **nowhere,
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    assert "Is this machine online?" in done.stderr
    assert "Traceback" not in done.stderr
