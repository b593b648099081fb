"""The two commands: what they pass on, what they notice, and what they say when something is missing.

Each test runs the real scripts in a small copy of the checkout, with an environment of its own.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SCRIPTS = (
    "deploy/run",
    "deploy/monitord",
    "deploy/install",
    "deploy/uninstall",
    "deploy/lock",
    "deploy/install-lib.sh",
    "tests/run",
    ".ci/run",
)
TELLS = '#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n'
"""Stands where `monitord` is installed: says with which words it was called."""


def _run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **more}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the scripts need, in a path with a space."""
    root = tmp_path / "my checkout"
    root.mkdir()
    for folder in ("deploy", ".ci"):
        shutil.copytree(ROOT / folder, root / folder)
    (root / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "run", root / "tests" / "run")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.fixture
def lib(checkout: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs shell code with the functions of `deploy/install-lib.sh`."""

    def run(code: str, **more: str) -> subprocess.CompletedProcess[str]:
        return _run(["bash", "-euo", "pipefail", "-c", f'. "{checkout}/deploy/install-lib.sh"; {code}'], **more)

    return run


@pytest.fixture
def installed(checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """The checkout with a finished environment."""
    if not (shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") and shutil.which("mosquitto_sub")):
        pytest.skip("needs mosquitto and mosquitto-clients, which deploy/run would install")
    bin_folder = checkout / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "python").symlink_to(sys.executable)
    (bin_folder / "monitord").write_text(TELLS)
    (bin_folder / "monitord").chmod(0o755)
    assert lib('mark_installed run "$root/deploy/requirements.lock"').returncode == 0
    return checkout


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_valid_shell(script: str) -> None:
    """Bash parses each, and those that are commands may be run."""
    assert _run(["bash", "-n", str(ROOT / script)]).stderr == ""
    assert script.endswith(".sh") or os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", [script for script in SCRIPTS if not script.endswith(".sh")])
def test_shellcheck_finds_nothing(script: str) -> None:
    """Each script with the libraries that it sources."""
    if shutil.which("shellcheck") is None:
        pytest.skip("needs the Debian package shellcheck")
    done = _run(["shellcheck", "--external-sources", str(ROOT / script)])
    assert (done.returncode, done.stdout) == (0, "")


def test_every_word_reaches_monitord_run(installed: Path) -> None:
    """Spaces, quotes and stars as typed; the two options of deploy/run itself stay behind; nothing else on stdout."""
    words = ["a file.wav", "mic:Bob's *", "--json", "rtsp://x/?a=1&b=2"]
    done = _run([str(installed / "deploy" / "run"), words[0], "--no-gpu", *words[1:]])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["<run>", *(f"<{word}>" for word in words)]


def test_it_works_through_a_link_and_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """A link in ~/bin finds the checkout."""
    (tmp_path / "babyphone").symlink_to(installed / "deploy" / "run")
    done = subprocess.run([tmp_path / "babyphone", "mic"], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["<run>", "<mic>"]


def test_help_shows_both_commands(installed: Path) -> None:
    """Its own options first, then those of monitord run."""
    done = _run([str(installed / "deploy" / "run"), "--help"])
    assert done.returncode == 0
    assert done.stdout.startswith("usage: deploy/run [--gpu | --no-gpu]")
    assert done.stdout.endswith("<run>\n<--help>\n")


def test_help_installs_nothing(checkout: Path) -> None:
    """Before the first installation it is the same help, from the checkout's own files."""
    for room in ("service", "monitord"):
        (checkout / room).symlink_to(ROOT / room)
    done = _run([str(checkout / "deploy" / "run"), "--help"])
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
    done = _run([str(checkout / "deploy" / "monitord"), "devices"])
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
    done = _run([str(checkout / "deploy" / "run"), "--no-gpu"], PATH=f"{fakes}:{os.environ['PATH']}")
    assert done.returncode == 1
    for words in ("Debian packages, with sudo: mosquitto", "is switched off (masked)", "MB of disk", "MB of memory"):
        assert words in done.stderr
    assert "only 20 MB of disk are free" in done.stderr.splitlines()[-1]
    assert not (checkout / ".venv").exists()


def test_the_exit_status_is_monitords(installed: Path) -> None:
    """A wrong configuration stays 78 through the script."""
    (installed / ".venv" / "bin" / "monitord").write_text("#!/bin/sh\nexit 78\n")
    assert _run([str(installed / "deploy" / "run")]).returncode == 78


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
    assert _run(["bash", "-c", code]).returncode == 1


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


def test_the_test_command_explains_itself() -> None:
    """--help installs nothing."""
    done = _run([str(ROOT / "tests" / "run"), "--help"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: tests/run [--fast | --quick")


@pytest.mark.parametrize("words", [[], ["-k", "a name"]])
def test_the_test_command_runs_from_anywhere_and_says_how_long(
    checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]], words: list[str]
) -> None:
    """Without a terminal, from another folder: the time first, then each check in the checkout; four processes."""
    tools = checkout / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool in ("ruff", "mypy", "lint-imports", "python"):
        (tools / tool).write_text('#!/bin/sh\necho "${0##*/} $* ($PWD)"\n')
        (tools / tool).chmod(0o755)
    assert lib('mark_installed test "$root/deploy/requirements-test.lock"').returncode == 0
    done = subprocess.run(
        [checkout / "tests" / "run", "--quick", *words],
        cwd="/",
        env={**os.environ, "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    left_out = "-m pytest -m not e2e and not homeassistant"
    asked = "-k a name" if words else "-n 4 --dist loadfile"
    expected = ["ruff format --check", "ruff check", "mypy ", "lint-imports ", f"python {left_out} {asked}"]
    assert done.stdout.splitlines() == [f"{line} ({checkout})" for line in expected]
    first = done.stderr.splitlines()[0]
    assert first.startswith("==> what pytest is asked for takes" if words else "==> --quick takes 7 minutes")


def test_without_arguments_all_but_home_assistant_runs(
    checkout: Path, lib: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """The quick tests in four processes, then those that need the machine for themselves; a failure is the status."""
    tools = checkout / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool, does in (("ruff", ":"), ("mypy", ":"), ("lint-imports", ":"), ("python", 'echo "$*"; exit 1')):
        (tools / tool).write_text(f"#!/bin/sh\n{does}\n")
        (tools / tool).chmod(0o755)
    assert lib('mark_installed test "$root/deploy/requirements-test.lock"').returncode == 0
    done = _run([str(checkout / "tests" / "run"), "--yes"], CI="true")
    assert done.returncode == 1
    quick = "-m pytest -m not e2e and not homeassistant -n 4 --dist loadfile"
    assert done.stdout.splitlines()[:1] == [quick]
    if "WITHOUT the end-to-end tests" not in done.stderr:  # their Debian packages are there
        assert done.stdout.splitlines()[1:] == ["-m pytest -m e2e and not homeassistant"]


@pytest.mark.parametrize("holds", [True, False])
def test_the_fast_loop_runs_what_belongs_to_a_change(checkout: Path, *, holds: bool) -> None:
    """The checks, and the one test of the one file that is new; what fails is told, and is the exit status."""
    tools = checkout / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool in ("ruff", "mypy", "lint-imports", "pytest"):
        (tools / tool).write_text("#!/bin/sh\n")
        (tools / tool).chmod(0o755)
    (tools / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (tools / "python").chmod(0o755)
    shutil.copy(ROOT / "tests" / "changed.py", checkout / "tests")
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    for path, text in (
        ("service/new.py", ""),
        ("tests/service/test_new.py", f"def test_new() -> None:\n    assert {holds}\n"),
        ("tests/service/test_old.py", "def test_old() -> None:\n    assert False\n"),
        (".git/info/exclude", "tests/service/test_old.py\n.venv\n"),
    ):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text)
    subprocess.run(["git", "-C", checkout, "add", "deploy", ".ci", "pyproject.toml"], check=True)
    subprocess.run(
        ["git", "-C", checkout, "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "Begin"], check=True
    )
    done = _run([str(checkout / "tests" / "run"), "--fast"])
    assert done.returncode == (0 if holds else 1), done.stderr
    assert ("1 passed" if holds else "1 failed") in done.stdout
    assert f"1 test files: {'passed' if holds else 'FAILED'}" in done.stderr
