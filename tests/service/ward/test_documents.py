"""What moves with a shard: written down where it is newer than what the disk has."""

import json
from pathlib import Path

import pytest

from service.storage.documents import DocumentStore
from service.ward.documents import document_message, restore
from service.ward.place import Place


def kept(name: str, epoch: int, document: dict[str, object]) -> dict[str, bytes]:
    """As the broker has it."""
    message = document_message("north_1", epoch, name, document)
    return {message.topic: str(message.payload).encode()}


@pytest.mark.parametrize(("own", "there"), [(0, "kept"), (3, "kept"), (4, "disk"), (5, "disk")])
def test_the_newer_one_is_in_force(tmp_path: Path, own: int, there: str) -> None:
    """A disk that was written to in the epoch of what the broker keeps, or later, has it all."""
    store = DocumentStore(tmp_path)
    store.save("settings", {"from": "disk"})
    assert restore(store, "north_1", kept("settings", 4, {"from": "kept"}), own) == ["settings"] * (there == "kept")
    assert json.loads((tmp_path / "settings.json").read_text()) == {"from": there}


@pytest.mark.parametrize(
    "payload", [b"", b"no JSON", b"[]", b'{"epoch": "4", "document": {}}', b'{"epoch": 4, "document": 5}', b"[" * 9999]
)
def test_what_is_none_of_ours_is_left(tmp_path: Path, payload: bytes) -> None:
    """Also a name that would be a file somewhere else."""
    store, root = DocumentStore(tmp_path / "state"), "monitord_ward/north_1/document"
    right = kept("settings", 4, {})[f"{root}/settings"]
    assert restore(store, "north_1", {f"{root}/settings": payload, f"{root}/../../passwd": right}, 0) == []
    assert list(tmp_path.rglob("*.json")) == []


def test_every_document_is_mirrored(tmp_path: Path) -> None:
    """What is there at first, and what is saved from then on."""
    told: dict[str, object] = {}
    DocumentStore(tmp_path).save("today", {"rooms": 1})
    store = DocumentStore(tmp_path)
    store.mirror_to(told.__setitem__)
    assert told == {"today": {"rooms": 1}}
    store.save("settings", {"threshold": 0.5})
    assert told == {"today": {"rooms": 1}, "settings": {"threshold": 0.5}}


@pytest.mark.parametrize("left", [b"", b"\0" * 32, b"\xff\xfe", b"0" * 31])
def test_a_place_that_a_power_cut_left_without_a_name(tmp_path: Path, left: bytes) -> None:
    """It gets another one by itself: nobody need come at night."""
    (tmp_path / "place").write_bytes(left)
    assert len(Place(tmp_path).open()) == 32
    assert Place(tmp_path).open() == (tmp_path / "place").read_text()


def test_a_place_on_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its shard hears all the same."""
    (tmp_path / "place.new").symlink_to("/dev/full")
    assert len(Place(tmp_path).open()) == 32
    assert "No space left on device" in caplog.text


def test_a_place_is_known_again_and_locked_once(tmp_path: Path) -> None:
    """By its id, by its epoch; and the lock is free when the one that had it is closed."""
    one, other = Place(tmp_path), Place(tmp_path)
    assert one.open() == other.open() != Place(tmp_path / "elsewhere").open()
    assert one.lock()
    assert one.lock()
    assert not other.lock()
    one.begin(7)
    assert other.epoch == 7
    one.close()
    assert other.lock()
    other.close()
