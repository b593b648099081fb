"""The open episodes outlive the process, whatever becomes of their document."""

import json
from pathlib import Path

import pytest

from monitord.household import Household
from service.alerts.open_episodes import DOCUMENT, left_open, save_open
from service.storage.documents import DocumentStore

WALL, START = 1_800_000_000.0, 1_000.0


def test_episodes_outlive_the_process(tmp_path: Path) -> None:
    """On disk and back: who told what since when, in which rooms; reminders count from the load on."""
    household = Household()
    household.begin("one", "nursery", WALL, 30.0, START)
    household.join("bedroom", WALL, 20.0, START)
    household.begin("two", "parlour", WALL + 20, 40.0, START + 20)
    household.leave("bedroom")
    household.acknowledge("two")
    save_open(DocumentStore(tmp_path), household, WALL + 60)
    (one, two), at = left_open(DocumentStore(tmp_path))
    assert (one.id, one.told_by, one.since, one.rooms, one.crying) == (
        "one",
        "nursery",
        WALL,
        ["nursery", "bedroom"],
        ["nursery"],
    )
    assert (one.acknowledged, two.acknowledged, at) == (False, True, WALL + 60)
    assert one.told_at == one.reminded_at > 0
    assert [one.heard[room].peak_db for room in ("nursery", "bedroom")] == [30.0, 20.0]
    save_open(DocumentStore(tmp_path), Household(), WALL + 61)
    assert left_open(DocumentStore(tmp_path)) == ([], 0.0)


@pytest.mark.parametrize("document", [{"episodes": 3}, {"episodes": [{"id": "one"}]}, {"episodes": ["one"]}])
def test_a_foreign_document_is_set_aside(tmp_path: Path, document: dict[str, object]) -> None:
    """Whatever is wrong with it: it is kept for a person, and nothing was left open."""
    (tmp_path / f"{DOCUMENT}.json").write_text(json.dumps(document))
    assert left_open(DocumentStore(tmp_path)) == ([], 0.0)
    assert [path.name for path in tmp_path.glob("episodes.json.broken-*")]


def test_the_contract_of_the_document(tmp_path: Path) -> None:
    """Its keys stay: the version before must be read, and the next one reads this."""
    household = Household()
    household.begin("one", "nursery", WALL, 30.0, START)
    save_open(DocumentStore(tmp_path), household, WALL + 60)
    assert json.loads((tmp_path / f"{DOCUMENT}.json").read_text()) == {
        "episodes": [
            {
                "id": "one",
                "teller": "nursery",
                "since": WALL,
                "acknowledged": False,
                "rooms": {"nursery": {"peak_db": 30.0, "crying": True}},
            }
        ],
        "at": WALL + 60,
    }
