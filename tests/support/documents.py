"""The documents as a reader takes them: their blocks of commands and of configuration, in order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "deploy").glob("*/README.md")),
    *sorted((ROOT / "deploy" / "homeassistant-app").glob("*/*.md")),
)
"""What tells people what to type."""
README = ROOT / "README.md"
MOSQUITTO = ROOT / "deploy" / "mosquitto" / "README.md"

ELSEWHERE = {
    "sudo deploy/install": "tests/deploy/test_systemd_install.py",
    "deploy/container/build": "tests/container/test_image.py",
    "cd deploy/container": "tests/container/test_image.py",
    "sudo install -d -o 568 -g 568 data": "tests/container/test_image.py",
    "docker compose up -d": "tests/container/test_image.py",
    "docker compose logs -f": "tests/container/test_image.py",
    **dict.fromkeys(
        (
            "sudo apt-get install pipx gcc libc6-dev pkg-config portaudio19-dev python3-dev",
            "sudo apt-get install mosquitto mosquitto-clients openssl",
            "pipx install uv",
            "uv tool install --python /usr/bin/python3 --constraints deploy/requirements.lock .",
            "monitord run",
        ),
        "tests/deploy/test_bare_debian.py",
    ),
    **dict.fromkeys(
        (
            "sudo systemctl disable --now monitord",
            "sudo install -m 644 /opt/monitord/current/systemd/monitord-{shard@,station}.service /etc/systemd/system/",
            "sudo install -m 640 -g monitord ward.yaml /etc/monitord/",
            "sudo install -m 600 mqtt-password /etc/monitord/credentials/",
            "sudo systemctl daemon-reload",
            "sudo systemctl enable --now monitord-shard@north_1",
        ),
        "tests/service/ward/test_units.py",
    ),
    "tests/run": "tests/deploy/test_test_command.py",
    "tests/run --quick": "tests/deploy/test_test_command.py",
    "tests/run --fast": "tests/deploy/test_test_command.py",
    "tests/run --homeassistant": "tests/deploy/test_test_command.py",
    "tests/run --browser": "tests/deploy/test_test_command.py",
    "tests/run --install": "tests/deploy/test_test_command.py",
    "tests/run --arm": "tests/deploy/test_test_command.py",
    "tests/run --container": "tests/deploy/test_test_command.py",
    "tests/run --ward": "tests/deploy/test_test_command.py",
    "monitord replay --trace faint.wav": "tests/service/test_why_did_it_not_ring.py",
    "monitord replay --trace deep.wav": "tests/service/test_why_did_it_not_ring.py",
    "monitord replay --trace brief.wav": "tests/service/test_why_did_it_not_ring.py",
    "monitord replay --trace click.wav": "tests/service/test_why_did_it_not_ring.py",
    "monitord archive recordings --out heard.jsonl": "tests/service/archive/test_archive.py",
    "monitord archive recordings --out heard.jsonl --engine ray": "tests/service/archive/test_ray.py",
    "monitord run --config monitord.yaml --trace trace.jsonl": "tests/end_to_end/test_run_trace.py",
}
"""Commands that are not run where the documents are tried: the test that does."""

NOT_RUN = {
    "jq": "a tool of its own, which the tests do not install",
    "ray": "on several machines; tests/run --ward starts it on four simulated ones",
}
"""Programs whose commands no test runs: why not."""

TYPED = ("", "sh")
"""The languages of a block that is typed."""
SYNOPSIS = "text"
"""The language of a block that shows how commands are put together: that of docs/commands.md alone."""
COMMANDS = ROOT / "docs" / "commands.md"
SHOWN = (SYNOPSIS, "yaml", "json", "python", "mermaid")
"""The languages of a block that is not typed."""


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    document: Path
    line: int
    """Of its first fence, from 1."""
    section: str
    """The heading above it."""
    before: str
    """The line of prose above it, which says what to do with it."""
    language: str
    """Empty: commands."""
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines without comments, as one types them."""
        bare = [re.sub(r"(^|\s+)#.*$", "", line).strip() for line in self.text.splitlines()]
        return [line for line in bare if line]

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> Iterator[Block]:
    """Every fenced block, in order."""
    section = before = ""
    lines = iter(enumerate(document.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if line.startswith("```"):
            inside: list[str] = []
            for _, text in lines:
                if text == "```":
                    break
                inside.append(text)
            yield Block(document, number, section, before, line[3:].strip(), "\n".join(inside) + "\n")
        elif line.startswith("#"):
            section = line.lstrip("# ")
        elif line:
            before = line


def inline(document: Path) -> list[str]:
    """Everything between two backquotes in the prose."""
    prose = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+", " ", found) for found in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose)]
