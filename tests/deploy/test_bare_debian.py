"""Each way of installing, word by word from the documents, on a bare Debian, to a heard cry; and the way back.

What is typed stands in README.md and docs/install.md; here stands only what a reader would look at afterwards.
"""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian.bare_debian import CHECKOUT, HOME, RELEASE, BareDebian, bare_root
from tests.support.documents import README, blocks
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import until
from tests.support.sound.sounds import cry_in_room, write_wav

pytestmark = pytest.mark.install

INSTALL = ROOT / "docs" / "install.md"
CONFIGURATION = "/etc/monitord/monitord.yaml"
STATE = f"{HOME}/.local/state/monitord"


def commands(document: Path, section: str) -> list[str]:
    """Returns what a section has its reader type, in order."""
    found = [block for block in blocks(document) if block.section == section and block.language == ""]
    assert found, f"{document.name} has no commands under {section}"
    return [command for block in found for command in block.commands]


@pytest.fixture
def bare(request: pytest.FixtureRequest, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[BareDebian]:
    """A bare Debian with a checkout; the newest, where the test does not say another one."""
    if os.geteuid() != 0:
        pytest.skip("a Debian of its own needs root")
    assert pytestconfig.cache is not None
    root = bare_root(pytestconfig.cache.mkdir("bare-debian"), getattr(request, "param", RELEASE))
    with BareDebian(tmp_path / "bare", root) as debian:
        assert debian.types("command -v gcc python3 mosquitto pip").stdout == ""
        assert debian.types("sudo apt-get update").returncode == 0
        yield debian


def hears_a_cry(debian: BareDebian, said: Path) -> None:
    """The line that the first screen gives, in a second terminal: it shows the beginning of a cry."""

    def watch() -> str:
        lines = [line.split("watch it", 1)[1].strip() for line in said.read_text().splitlines() if "watch it" in line]
        return lines[0] if lines else ""

    until(lambda: bool(watch()), timeout_s=INSTALL_S)
    until(lambda: '"started"' in debian.types(f"timeout 30 {watch()}").stdout)


def packages_mb(debian: BareDebian) -> float:
    """What its Debian packages take, by their own word."""
    sizes_kib = types(debian, "dpkg-query --show --showformat '${Installed-Size}\\n'").split()
    return sum(int(size) for size in sizes_kib) * 1024 / 1e6


def types(debian: BareDebian, command: str) -> str:
    """Types a command of a document; it works, and what it said is returned."""
    done = debian.types(command)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


INSTALL_S = 1200.0
"""Longest wait for an installation (seconds): ten times what it takes on two idle cores with a quick mirror."""


def test_deploy_run(bare: BareDebian, tmp_path: Path) -> None:
    """The README's first command says what it takes and hears the cry of the demo; two deletions are the way back."""
    command = commands(README, "Try it")[0]
    said = tmp_path / "said"
    before_mb = packages_mb(bare)
    running = bare.starts(command, said)
    hears_a_cry(bare, said)
    words = said.read_text()
    for announced in ("Debian packages, with sudo: ", "MB of disk", "MB of memory", "switched off (masked)", "DEMO"):
        assert announced in words
    assert "home: online" in types(bare, "deploy/monitord status")
    (announced_apt,) = re.findall(r"packages, (\d+) MB\)", words)
    (announced_environment,) = re.findall(r"(\d+) MB of disk", words)
    taken = packages_mb(bare) - before_mb, float(types(bare, "du -s --block-size=MB .venv").partition("MB")[0])
    assert taken[0] <= int(announced_apt)
    assert taken[1] <= int(announced_environment)
    os.killpg(running.pid, signal.SIGINT)
    running.wait()
    # docs/install.md: three things are left, and the first two are deleted.
    types(bare, f"test -d {CHECKOUT}/.venv && test -d {STATE}")
    left = types(
        bare, f"cd && rm -r {CHECKOUT} {STATE} && find {HOME} -newer /etc/hosts -type f -not -path '*/.cache/*'"
    )
    assert left == ""


@pytest.mark.parametrize("bare", ["bookworm", RELEASE], indirect=True)
def test_deploy_install(bare: BareDebian) -> None:
    """A service that hears a cry after a reload; `deploy/uninstall` keeps the configuration, `--purge` nothing."""
    said = "".join(types(bare, command) for command in commands(INSTALL, "Install it as a service"))
    for announced in ("This is installed first, once:", "MB of disk", "MB of memory", "It says: "):
        assert announced in said
    write_wav(bare.file("/srv/cry.wav"), cry_in_room())
    configured = "sources:\n  nursery: {file: /srv/cry.wav, loop: true}\n"
    bare.file(CONFIGURATION).write_text(configured)
    types(bare, "sudo systemctl reload monitord")
    # As docs/install.md says to list the cries.
    until(lambda: bool(bare.types("sudo journalctl -u monitord MONITORD_EVENT=started --output json -q").stdout))
    (first, *_) = types(bare, "sudo journalctl -u monitord MONITORD_EVENT=started --output json -q").splitlines()
    assert json.loads(first)["MONITORD_SOURCE"] == "nursery"
    assert "1 of 1 room heard" in types(bare, "systemctl status --no-pager monitord")
    types(bare, "sudo deploy/uninstall")
    assert bare.types("test -e /opt/monitord").returncode == 1
    assert bare.file(CONFIGURATION).read_text() == configured
    types(bare, "sudo deploy/uninstall --purge")
    left = types(
        bare, "sudo find / -xdev -iname '*monitord*' -not -path '/home/*' -not -path '/proc/*' -not -path '/var/tmp/*'"
    )
    assert left == ""


def test_uv_tool(bare: BareDebian, tmp_path: Path) -> None:
    """The command of one's own user hears the cry of the demo; uv takes it away again."""
    *installs, runs = commands(INSTALL, "Install it as a tool, with uv")
    for command in installs:
        types(bare, command)
    said = tmp_path / "said"
    running = bare.starts(runs, said)
    hears_a_cry(bare, said)
    os.killpg(running.pid, signal.SIGINT)
    running.wait()
    types(bare, "uv tool uninstall monitord")
    assert bare.types("command -v monitord").returncode == 1
    assert types(bare, f"find {HOME}/.local/share/uv/tools -name '*monitord*'") == ""
