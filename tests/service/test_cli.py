"""The command line: usage, help, `check`, `bundle`; what is said where, and with which exit status."""

import shutil
from pathlib import Path

import pytest

from model.bundle import CARD, default_bundle_path, load_bundle
from service.cli import CONFIG_EXIT, main
from tests.support.daemon.daemon import configure, monitord, quiet_room

SHIPPED = default_bundle_path()
"""The model that comes with the project."""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["listen"],
        ["replay"],
        ["run", "--loud"],
        ["run", "--config"],
        ["bundle"],
        ["bundle", "paint"],
        ["bundle", "fetch", "yamnet"],
        ["replay", "--runtime", "abacus", "x.wav"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """What cannot be meant is exit 2, with the usage on standard error."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: monitord" in said.err


@pytest.mark.parametrize(
    "arguments", [["--help"], *([name, "--help"] for name in ("run", "check", "replay", "devices", "bundle", "status"))]
)
def test_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Help is on standard output, exit 0."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "usage: monitord" in capsys.readouterr().out


def test_help_names_the_exit_statuses_and_the_sources(capsys: pytest.CaptureFixture[str]) -> None:
    """A script's author finds the exit statuses, a parent every kind of source."""
    for arguments, words in (
        (["--help"], ["0 done", "1 not all is well", "2 wrong usage", "78 configuration"]),
        (["run", "--help"], ["mic:NAME", "rtsp://", "listen+rtmp://", "recording.m4a", "127.0.0.1:1883"]),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        said = capsys.readouterr().out
        assert [word for word in words if word not in said] == []


def test_version() -> None:
    """`monitord --version` is one line."""
    done = monitord("--version")
    assert done.returncode == 0
    assert len(done.stdout.split(".")) == 3


@pytest.mark.parametrize(
    ("source", "warns"),
    [
        ("rtsp://user:hush@127.0.0.1/live", True),
        ("http://127.0.0.1/live?token=hush", True),
        ("http://127.0.0.1/live", False),
        ("mic:hush", False),
    ],
)
def test_a_typed_password_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, *, warns: bool
) -> None:
    """Others see it in the list of processes: the warning names the remedy, and not the password."""
    assert main(["run", "--config", str(tmp_path / "gone.yaml"), source]) == CONFIG_EXIT
    said = capsys.readouterr().err
    assert ("--config FILE" in said) is warns
    assert "hush" not in said


def test_a_source_that_is_typed_twice_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rooms at one microphone; two recordings may be the same."""
    assert main(["run", "--config", str(tmp_path / "gone.yaml"), "mic", "x.wav", "x.wav", "mic:default"]) == CONFIG_EXIT
    assert capsys.readouterr().err.count("the same microphone is given twice") == 1


def test_check_says_all_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A right configuration is said to be so with its sources and the bundle; nothing is opened or written."""
    sources = {
        "nursery": {"microphone": "No Such Microphone"},
        "bedroom": {"stream": "rtsp://127.0.0.1:1/live"},
        "attic": {"file": str(quiet_room(tmp_path / "quiet.wav", 0.5))},
    }
    configuration = configure(tmp_path, None, sources, mqtt={"host": "127.0.0.1", "port": 1})
    assert main(["check", "--config", str(configuration)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{configuration}: all right; sources nursery, bedroom, attic; bundle ")
    assert said.err == ""
    assert not (tmp_path / "state").exists()


def test_check_looks_names_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that nobody knows may be known tomorrow: no mistake of the file, and said, with the remedy for .local."""
    sources = {"bedroom": {"stream": "rtsp://no-such-camera.invalid/live"}}
    configuration = configure(tmp_path, None, sources, mqtt={"host": "no-such-broker.local"})
    assert main(["check", "--config", str(configuration)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"monitord: {configuration}: mqtt.host: this machine cannot look up no-such-broker.local")
    assert "apt install avahi-daemon libnss-mdns" in said[0]
    assert "sources.bedroom: this machine cannot look up no-such-camera.invalid: check its spelling" in said[1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"nodes": "home"}, "did you mean 'node'"),
        ({"node": "My Home"}, "my_home"),
        ({"mqtt": {"host": "h", "port": 0}}, "1 to 65535"),
        ({"mqtt": {"host": "h", "password": "hush"}}, "password_file"),
        ({"mqtt": {"embedded": True, "host": "h"}}, "embedded stands alone"),
        ({"sources": {}}, "sources"),
        ({"sources": {"Nursery": {"microphone": "default"}}}, "nursery"),
        ({"sources": {"nursery": {"microphone": "default", "stream": "rtsp://h/x"}}}, "exactly one"),
        ({"bundle": "/none/such"}, "/none/such"),
    ],
)
def test_check_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, object], words: str) -> None:
    """A mistake is exit 78, said in one place with what is allowed."""
    sources = {"nursery": {"microphone": "default"}}
    configuration = configure(tmp_path, None, **{"sources": sources, **more})  # type: ignore[arg-type]
    assert main(["check", "--config", str(configuration)]) == CONFIG_EXIT
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err


def test_check_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """`check` without a configuration says what is missing."""
    assert main(["check"]) == CONFIG_EXIT
    assert "check needs --config" in capsys.readouterr().err


def test_bundle_show_and_verify(capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints the model card, `verify` names the bundle that it found whole."""
    assert main(["bundle", "show", str(SHIPPED)]) == 0
    assert capsys.readouterr().out.strip() == (SHIPPED / CARD).read_text(encoding="utf-8").strip()
    assert main(["bundle", "verify", str(SHIPPED)]) == 0
    said = capsys.readouterr().out
    assert load_bundle(SHIPPED).id in said
    assert "every file is what the manifest says" in said


@pytest.mark.parametrize("command", ["show", "verify"])
@pytest.mark.parametrize("damage", ["changed", "missing", "manifest"])
def test_bundle_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, damage: str) -> None:
    """A file that was changed or is gone is named; exit 78."""
    bundle = shutil.copytree(SHIPPED, tmp_path / "bundle")
    match damage:
        case "changed":
            (bundle / CARD).write_text("better than it is\n")
        case "missing":
            (bundle / CARD).unlink()
        case "manifest":
            (bundle / "manifest.json").write_text("{}")
    code = main(["bundle", command, str(bundle)])
    said = capsys.readouterr()
    assert code == CONFIG_EXIT
    assert said.out == ""
    assert str(bundle) in said.err
