"""Debian packages under `deploy/run`: one question for the password, what was interrupted, a held lock, no network.

The functions are the real ones; sudo, apt-get and dpkg are programs on PATH that write down how they were called.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]

FAKES = {
    "id": "echo 1000",
    # It runs what it is asked to, but what would change this machine.
    "sudo": """
case $1 in
-n) exit "${SUDO_FREE:-0}" ;;
-v) echo "sudo: 3 incorrect password attempts" >&2; exit "${SUDO_ASKED:-0}" ;;
mkdir | ln) exit "${SUDO_LN:-0}" ;;
esac
exec "$@" """,
    "dpkg-query": 'echo "${PACKAGES:-installed}"',
    "dpkg": "exit 0",
    "apt-get": """
case "$*" in *--assume-no*) echo "0 upgraded, 12 newly installed, 0 to remove."; exit 1 ;; esac
tries=$(grep -c "^apt-get $1" "$CALLS")
if [ "$1" = install ] && [ "$tries" -le "${APT_FAILS:-0}" ]; then echo "$APT_SAYS"; exit 100; fi""",
}

LOCKED = (
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
)
OFFLINE = "E: Failed to fetch http://debian.example/gcc.deb  Temporary failure resolving 'debian.example'"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Where the programs write down how they were called."""
    path = tmp_path / "calls"
    path.touch()
    for name, does in FAKES.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/bash\necho "{name} $*" >>"$CALLS"\n{does}\n')
        program.chmod(0o755)
    return path


@pytest.fixture
def run(calls: Path) -> Run:
    """Runs shell code with the functions of `deploy/install-lib.sh`."""

    def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'. "{ROOT}/deploy/install-lib.sh"; {code}'],
            env={"PATH": f"{calls.parent / 'bin'}:/usr/bin:/bin", "CALLS": str(calls), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def said(calls: Path, words: str) -> list[str]:
    """The calls with these words, in order."""
    return [line for line in calls.read_text().splitlines() if words in line]


INSTALL = 'install_packages gcc mosquitto || die "$apt_words"'


def test_the_password_is_asked_for_once(run: Run, calls: Path) -> None:
    """Whoever may not: one question, then the sentence for somebody who may; and no word of what was not done."""
    done = run(INSTALL, SUDO_FREE="1", SUDO_ASKED="1")
    assert done.returncode == 1
    assert said(calls, "sudo") == ["sudo -n true", "sudo -v"]
    assert done.stderr.splitlines()[-1].endswith("Let an administrator run: apt-get install gcc mosquitto")
    assert "masked" not in done.stderr


def test_a_right_password_is_asked_for_once(run: Run, calls: Path) -> None:
    """All that follows is done with it; apt says how much comes before it comes."""
    done = run(INSTALL, SUDO_FREE="1", PACKAGES="not-installed")
    assert done.returncode == 0, done.stderr
    assert len(said(calls, "sudo -v")) == 1
    assert "12 newly installed" in done.stderr
    assert said(calls, "dpkg --configure") == []


def test_a_service_that_cannot_be_masked_is_not_said_to_be(run: Run) -> None:
    """The mask comes before the package, which would start the service."""
    done = run(INSTALL, SUDO_LN="1", PACKAGES="not-installed")
    if Path("/etc/systemd/system/mosquitto.service").is_symlink():
        pytest.skip("Debian's mosquitto is masked here already")
    assert done.returncode == 1
    assert "cannot switch Debian's service mosquitto off" in done.stderr
    assert "stays off" not in done.stderr


def test_an_interrupted_apt_goes_on_by_itself(run: Run, calls: Path) -> None:
    """What is unpacked and not set up is set up first, also where no package is missing."""
    done = run("lacking_packages() { true; }; choose_python", PACKAGES="half-configured")
    assert done.returncode == 0, done.stderr
    assert said(calls, "sudo env")[0].endswith("dpkg --configure -a")
    assert said(calls, "apt-get") == []
    assert "was interrupted; it goes on" in done.stderr
    calls.write_text("")
    run(INSTALL, PACKAGES="unpacked")
    done_by = [line.split()[0] for line in calls.read_text().splitlines()]
    assert done_by.index("dpkg") < done_by.index("apt-get")


def test_a_held_lock_is_waited_for(run: Run, calls: Path) -> None:
    """It says for whom and how long at most, once."""
    done = run(INSTALL, APT_FAILS="2", APT_SAYS=LOCKED)
    assert done.returncode == 0, done.stderr
    waits = [line for line in done.stderr.splitlines() if "waiting" in line]
    assert waits == ["    process 4711 (unattended-upgr) installs packages just now; waiting for it, 300 s at most"]
    tries = [line for line in said(calls, "apt-get install") if line.startswith("apt-get") and "--assume" not in line]
    assert len(tries) > 1


def test_a_lock_that_is_held_for_ever_is_told(run: Run) -> None:
    """In a sentence, and what to do."""
    done = run(INSTALL, APT_FAILS="999", APT_SAYS=LOCKED, MONITORD_APT_WAIT_S="1")
    assert done.returncode == 1
    assert "another program has installed packages for more than 1 s" in done.stderr.splitlines()[-1]


def test_no_network_is_asked_about(run: Run) -> None:
    """As it is where pip cannot download."""
    done = run(INSTALL, APT_FAILS="999", APT_SAYS=OFFLINE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "bash: could not download the Debian packages. Is this machine online? Run it again then: what was fetched is"
        " kept."
    )


def test_what_else_apt_says_is_shown(run: Run) -> None:
    """Its own last words."""
    done = run(INSTALL, APT_FAILS="999", APT_SAYS="E: Unable to locate package gcc")
    assert done.returncode == 1
    assert "E: Unable to locate package gcc" in done.stderr
    assert done.stderr.splitlines()[-1] == "bash: apt-get could not install gcc mosquitto (its words are above)"
