"""`monitord ward`: what is printed, and the exit status."""

import json
import sys
from pathlib import Path

import pytest

from service.cli import main
from tests.service.ward.test_settings import values
from tests.support.servers.sockets import free_port


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """The file of a ward whose broker is not there."""
    path = tmp_path / "ward.yaml"
    path.write_text(json.dumps(values(mqtt={"host": "127.0.0.1", "port": free_port()}, state_dir="state")))
    return path


def test_check_says_what_it_comes_to(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 where the machines do, also without the largest."""
    assert main(["ward", "check", str(ward)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 shards, 3 rooms: 0.0 of 4 cores, 0.2 of 8 GB"


def test_check_says_what_is_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 where one machine is all there is."""
    path = tmp_path / "ward.yaml"
    path.write_text(json.dumps(values(machines={"alpha": {"cores": 2, "memory_gb": 4}})))
    assert main(["ward", "check", str(path)]) == 1
    assert "one machine: while it is away no room is heard" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shard", "west_9"], "no shard 'west_9'; there are north_1, north_2"),
        (["drain", "west_9"], "no shard 'west_9'; there are north_1, north_2"),
    ],
)
def test_a_shard_that_is_not_there(ward: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """Status 78: somebody has to mend the command or the file."""
    assert main(["ward", *words, "--ward", str(ward)]) == 78
    assert said in capsys.readouterr().err


def test_status_without_a_broker(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1: nobody knows how the rooms are."""
    assert main(["ward", "status", "--ward", str(ward)]) == 1
    assert "no broker to be reached" in capsys.readouterr().err


def test_drain_without_anything_to_tell(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No shard was ever heard here."""
    assert main(["ward", "drain", "--ward", str(ward)]) == 0
    assert capsys.readouterr().out == ""


def test_drain_where_it_cannot_look(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 78: an outbox that it cannot reach is not one that is empty."""
    folder = ward.parent / "state" / "north_1"
    folder.parent.mkdir()
    folder.symlink_to(folder)
    assert main(["ward", "drain", "--ward", str(ward)]) == 78
    assert f"{folder}/outbox.db: cannot be read" in capsys.readouterr().err


def test_pair_prints_a_link_for_a_guest(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also before the station has ever run."""
    assert main(["ward", "pair", "--ward", str(ward)]) == 0
    assert capsys.readouterr().out.startswith("https://")


@pytest.mark.parametrize("installed", [True, False])
def test_ray_without_its_token_is_refused(
    ward: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, installed: bool
) -> None:
    """Whoever reaches it could run programs; and where it is not installed that is said."""
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setitem(sys.modules, "ray", sys if installed else None)
    assert main(["ward", "up", "--ward", str(ward)]) == 78
    assert ("RAY_AUTH_MODE=token" if installed else "extra `ward`") in capsys.readouterr().err
