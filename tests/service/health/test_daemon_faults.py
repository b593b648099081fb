"""What is wrong with the daemon itself: said once wherever somebody looks, and said again when it is over."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.health import daemon_faults
from service.health.daemon_faults import DaemonFaults, Disk
from service.health.outage_notice import PATIENCE_S, OutageNotice
from service.messages.message import Keep, Message, Node
from service.messages.texts import Texts
from service.notify.notice import Notice
from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox
from tests.support.daemon.household_daemon import Clock


class House:
    """Real disk, outbox and store; what is told is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = SimpleNamespace(fault="")
        self.outbox, self.store = Outbox(folder / "outbox.db"), DocumentStore(folder)
        self.outbox.open()
        self.infos: list[str] = []
        self.problems: list[Sequence[str]] = []
        self.notes: list[str] = []
        disk = Disk(folder, self.outbox, self.store)
        self.notices: list[Notice] = []
        notice = OutageNotice.of_disk(Node("home"), Texts.load("en"), self.notices.append)
        self.daemon_faults = DaemonFaults(
            self.network, disk, info=self.info, tell=self.tell, screen=self, notice=notice
        )

    def info(self, *, fault: str, problems: Sequence[str]) -> Message:
        """As `node_messages.info`."""
        self.problems.append(problems)
        return Message("monitord/home/info", fault, retain=True, qos=1, keep=Keep.LATEST)

    def tell(self, message: Message) -> bool:
        """As `MqttClient.tell`."""
        self.infos.append(str(message.payload))
        return True

    def note(self, text: str) -> None:
        """As the console's."""
        self.notes.append(text)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """On a disk that refuses an event and a document; it is tried again at each look."""
    monkeypatch.setattr(daemon_faults, "RETRY_S", 0.0)
    (tmp_path / "outbox.db").mkdir()
    (tmp_path / "settings.json.new").mkdir()
    house = House(tmp_path)
    house.store.save("settings", {"a": 1})
    yield house
    house.outbox.close()


def test_a_disk_that_refuses_is_told_once_and_its_end_too(house: House) -> None:
    """With both that it refuses, until it takes both, whether or not anybody has something to write."""
    first = house.daemon_faults.poll()
    assert str(house.folder / "outbox.db") in first
    assert str(house.folder / "settings.json") in first
    assert "rooms are heard" in first
    assert house.daemon_faults.poll() == first
    (house.folder / "outbox.db").rmdir()
    second = house.daemon_faults.poll()
    assert str(house.folder / "outbox.db") not in second
    assert "settings.json" in second
    (house.folder / "settings.json.new").rmdir()
    assert house.daemon_faults.poll() == ""
    assert house.infos == [first, second, ""]
    assert house.notes == [first, second, "the disk takes everything again"]
    assert DocumentStore(house.folder).load("settings") == {"a": 1}


def test_phones_are_told_after_a_minute_and_when_it_is_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, of the whole house, under one tag; of what passes within the minute nothing."""
    clock = Clock(monkeypatch)
    house.daemon_faults.poll()
    clock.pass_by(PATIENCE_S - 1)
    house.daemon_faults.poll()
    assert house.notices == []
    clock.pass_by(1)
    for _ in range(2):
        fault = house.daemon_faults.poll()
    clock.pass_by(120)
    (house.folder / "outbox.db").rmdir()
    (house.folder / "settings.json.new").rmdir()
    for _ in range(2):
        house.daemon_faults.poll()
    told, over = house.notices
    assert [notice.kind for notice in house.notices] == ["not_saving", "saving_again"]
    assert (told.title, told.rooms, told.tag) == ("Baby monitor: DISK PROBLEM", frozenset({""}), over.tag)
    assert told.payload["fault"] == fault
    assert over.message.startswith("Nothing could be saved for 3 min")
    assert over.closes


def test_network_and_disk_are_told_together(house: House) -> None:
    """In one sentence each."""
    house.network.fault = "litert failed"
    disk = house.daemon_faults.poll().removeprefix("litert failed; ")
    assert house.infos == [f"litert failed; {disk}"]
    assert list(house.problems[-1]) == ["network", "disk"]
    assert house.notes == [disk]


def test_a_disk_that_is_gone_is_named(house: House) -> None:
    """Its folder too, and nothing is raised."""
    (house.folder / "outbox.db").rmdir()
    (house.folder / "settings.json.new").rmdir()
    house.folder.rmdir()
    house.folder.write_text("in the way")
    assert f"under {house.folder}" in house.daemon_faults.poll()
