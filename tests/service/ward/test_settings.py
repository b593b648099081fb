"""`ward.yaml`: what is read, what is refused, and what it comes to."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitord.errors import ConfigError
from service.capture.spec import StreamSpec
from service.ward.check import check_lines, shortages
from service.ward.settings import WardConfig, load_ward
from tests.support.paths import ROOT


def values(**more: object) -> dict[str, Any]:
    """A ward of two shards."""
    shards = {
        "1": {"rooms": {"bed1": {"stream": "rtsp://10.0.0.1/a"}, "bed2": {"stream": "rtsp://10.0.0.2/a"}}},
        "2": {"rooms": {"bed3": {"stream": "rtsp://10.0.0.3/a"}}},
    }
    return {
        "sites": {"north": {"shards": shards}},
        "machines": {"alpha": {"cores": 2, "memory_gb": 4}, "beta": {"cores": 2, "memory_gb": 4}},
        "mqtt": {"host": "localhost"},
        **more,
    }


def loaded(folder: Path, what: dict[str, Any]) -> WardConfig:
    """Writes it, and reads it."""
    (folder / "ward.yaml").write_text(json.dumps(what, indent=1))
    return load_ward(folder / "ward.yaml")


def test_the_example_is_read(tmp_path: Path) -> None:
    """With the files that it names; every key stands in it."""
    text = (ROOT / "deploy" / "ward.example.yaml").read_text().replace("/etc/monitord/", f"{tmp_path}/")
    for name in ("ca.crt", "credentials/mqtt-password"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("word\n")
    (tmp_path / "ward.yaml").write_text(text)
    assert list(load_ward(tmp_path / "ward.yaml").shards) == ["north_1", "north_2"]
    assert [key for key in WardConfig.model_fields if not re.search(rf"\b{key}\b", text)] == []


def test_a_shard_is_a_daemon_of_its_own(tmp_path: Path) -> None:
    """Its node, its rooms, its folder."""
    config = loaded(tmp_path, values(state_dir="state")).config("north_1")
    assert config.node == "north_1"
    assert [room.id for room in config.rooms] == ["bed1", "bed2"]
    assert config.rooms[0].spec == StreamSpec("rtsp://10.0.0.1/a", how=config.rooms[0].spec.how)  # type: ignore[union-attr]
    assert config.state_dir == tmp_path / "state" / "north_1"
    with pytest.raises(ConfigError, match="no shard 'west_1'; there are north_1, north_2"):
        loaded(tmp_path, values()).config("west_1")


def _with(change: dict[str, Any]) -> dict[str, Any]:
    """The ward, with these rooms in its second shard."""
    what = values()
    what["sites"]["north"]["shards"]["2"]["rooms"] |= change
    return what


MANY = {f"bed{number}": {"stream": f"rtsp://10.1.0.{number}/a"} for number in range(10, 50)}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (_with({"bed4": {"microphone": "default"}}), "bed4: belongs to one machine"),
        (_with({"bed4": {"page": True}}), "bed4: belongs to one machine"),
        (_with({"bed1": {"stream": "rtsp://10.0.0.9/a"}}), "bed1: stands in shard 1 too"),
        (_with({"bed4": {"stream": "rtsp://me:word@10.0.0.1/a"}}), "bed4: is the stream of north_1/bed1 too"),
        (_with(MANY), "shards.2: has 41 rooms; allowed are 40"),
        (values(mqtt={"embedded": True}), "a ward needs a broker of its own"),
        (values(lease_s=1), "lease_s: 1 is out of bounds"),
        (values(sites={"north": {"shards": {"one": {"rooms": {}}}}}), "no number of a shard"),
        (values(sites={"north": {"shards": {"\u0663": {"rooms": {}}}}}), "no number of a shard"),
        (values(sites={}), "sites: must hold at least one entry"),
        (values(sites={"n" * 63: values()["sites"]["north"]}), "of over 64 characters; shorten the site's id"),
        (values(station={"clips": {}}), "station: has no clips; remove"),
    ],
)
def test_what_is_refused(tmp_path: Path, what: dict[str, Any], words: str) -> None:
    """With the place, and what is allowed; and no password in it."""
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, what)
    assert words in str(refused.value)
    assert "word" not in str(refused.value)


def test_one_stream_may_be_shared_on_purpose(tmp_path: Path) -> None:
    """As in the daemon's configuration."""
    loaded(tmp_path, _with({"bed4": {"stream": "rtsp://10.0.0.1/a", "share": True}}))


def test_what_it_comes_to(tmp_path: Path) -> None:
    """A line for each shard, and one for all: 3 of 125 rooms a core; 2 shards of 99 MB, 3 rooms of 15 MB."""
    assert list(check_lines(loaded(tmp_path, values()))) == [
        "north_1: 2 rooms of North, 0.02 cores; up to 20 cost the same memory",
        "north_2: 1 rooms of North, 0.01 cores; up to 20 cost the same memory",
        "2 shards, 3 rooms: 0.0 of 4 cores, 0.2 of 8 GB",
    ]


@pytest.mark.parametrize(
    ("machines", "words"),
    [
        ({"alpha": (2, 4), "beta": (2, 4)}, None),
        ({"alpha": (2, 4)}, "one machine"),
        ({"alpha": (2, 4), "beta": (0.01, 4)}, "with alpha lost the others are too small: nobody would hear north_1;"),
        ({"alpha": (2, 0.2), "beta": (2, 0.01)}, "too small for these rooms: nobody would hear north_2;"),
        # In sum they would do: 0.26 GB.
        ({"alpha": (2, 0.13), "beta": (2, 0.11), "gamma": (2, 0.02)}, "nobody would hear north_2;"),
    ],
)
def test_whether_the_machines_do(tmp_path: Path, machines: dict[str, tuple[float, float]], words: str | None) -> None:
    """2 rooms and 1 take 0.016 and 0.008 cores, 0.129 and 0.114 GB."""
    given = {name: {"cores": cores, "memory_gb": memory} for name, (cores, memory) in machines.items()}
    said = list(shortages(loaded(tmp_path, values(machines=given))))
    assert len(said) == (0 if words is None else 1)
    assert words is None or words in said[0]


def test_what_a_shard_runs_with_has_a_digest(tmp_path: Path) -> None:
    """It changes with the shard's own rooms and with what all have in common, and with nothing else."""
    before = loaded(tmp_path, values())
    other = _with({"bed4": {"stream": "rtsp://10.0.0.4/a"}})
    assert loaded(tmp_path, other).digest("north_1") == before.digest("north_1")
    assert loaded(tmp_path, other).digest("north_2") != before.digest("north_2")
    assert loaded(tmp_path, values(lease_s=9)).digest("north_1") != before.digest("north_1")
    assert loaded(tmp_path, values(machines={"alpha": {"cores": 9, "memory_gb": 9}})).digest(
        "north_1"
    ) == before.digest("north_1")
