"""Clips whose reason the family told become a manifest that training reads."""

import csv
import time
from pathlib import Path

import pytest

from monitord.types import RATE_HZ
from service.cli import CONFIG_EXIT, main
from service.messages.message import Keep, Node, iso_utc, json_message
from service.storage.history import HISTORY, History
from service.web.past.clip_recorder import encoded
from service.web.past.clip_store import CLIPS, ClipStore
from service.web.past.settings import ClipSettings
from tests.support.sound.sounds import tone
from training.data.manifest_csv import read_manifest
from training.data.recordings import load_audio

NODE = Node("home")
EPISODE = "room-20261129T210000Z-{}"
SAID = [("cry", "hunger"), ("cry", "tiredness"), ("cry", "hunger"), ("cat", None), ("cry", None)]
"""Of episodes 0 to 4; there is a clip of all but the third."""


class Home:
    """A state directory as the page leaves it, and its configuration."""

    def __init__(self, folder: Path) -> None:
        self.state, self.out, self.file = folder / "state", folder / "ours", folder / "monitord.yaml"
        self.file.write_text(f"state_dir: {self.state}\nsources: {{}}\nweb: {{clips: {{}}}}\n")
        self.store = ClipStore(self.state / CLIPS, ClipSettings())
        since = time.time() - 3600.0
        with History(self.state / HISTORY, NODE) as history:
            for number, (was, reason) in enumerate(SAID):
                at = since + 60 * number
                told = {
                    "episode": EPISODE.format(number),
                    "since": iso_utc(at),
                    "ended": iso_utc(at + 30),
                    "p_cry": 0.9,
                }
                told |= {"reason": "unsure", "rooms": ["room"]}
                history.tell(json_message(NODE, f"{NODE.root}/room/episode", told, Keep.LATEST))
                history.corrected("room", episode=EPISODE.format(number), missed_at=None, was="cry", reason="boredom")
                history.corrected("room", episode=EPISODE.format(number), missed_at=None, was=was, reason=reason)
            history.corrected("room", episode=None, missed_at=since, was="cry", reason=None)
        clip = encoded(tone(440, 2.0), since)
        for number in (0, 1, 3, 4):
            self.store.add(EPISODE.format(number), *clip)

    def copy(self) -> int:
        """Runs the command."""
        return main(["clips", "--config", str(self.file), "--out", str(self.out)])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_told_cries_are_a_manifest_that_training_reads(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """By the family's newest word; what is left out is said with the reason; the sound is all there."""
    assert home.copy() == 0
    told = capsys.readouterr()
    assert told.out == f"{home.out / 'manifest.csv'}\n"
    for line in (
        "2 clips with a reason",
        "left out: 1: missed by the monitor, so there is no clip",
        "left out: 1: not kept, deleted, or too old",
        "left out: 1: no cry",
        "left out: 1: a cry without a reason",
    ):
        assert line in told.err.splitlines()
    entries = read_manifest(home.out / "manifest.csv", least_labels=2)
    assert [(one.path.stem, one.label) for one in entries] == [
        (EPISODE.format(0), "hunger"),
        (EPISODE.format(1), "tiredness"),
    ]
    for entry in entries:
        assert len(load_audio(entry.path)) == pytest.approx(2 * RATE_HZ, abs=RATE_HZ // 10)
        assert entry.path.stat().st_mode & 0o077 == 0


def test_the_folder_grows(home: Home) -> None:
    """A clip that the page has deleted stays, with what somebody filled in; another word of the family counts."""
    assert home.copy() == 0
    manifest = home.out / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("hunger,,", "hunger,ana,"))
    home.store.delete(EPISODE.format(0))
    with History(home.state / HISTORY, NODE) as history:
        history.corrected("room", episode=EPISODE.format(1), missed_at=None, was="laughter", reason=None)
        history.corrected("room", episode=EPISODE.format(4), missed_at=None, was="cry", reason="discomfort")
        assert home.copy() == 0  # while the daemon has the file
    with manifest.open() as file:
        rows = [(row["path"], row["label"], row["baby"]) for row in csv.DictReader(file)]
    assert rows == [(f"{EPISODE.format(0)}.webm", "hunger", "ana"), (f"{EPISODE.format(4)}.webm", "discomfort", "")]
    read_manifest(manifest)


def test_nothing_to_copy(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign table is not overwritten, of nothing there is no manifest, and no history is the operator's to mend."""
    home.out.mkdir()
    (home.out / "manifest.csv").write_text("a;b\n1;2\n")
    assert home.copy() == CONFIG_EXIT
    assert "choose another --out" in capsys.readouterr().err
    (home.out / "manifest.csv").unlink()
    for number in (0, 1):
        home.store.delete(EPISODE.format(number))
    assert home.copy() == 1
    assert not (home.out / "manifest.csv").exists()
    home.file.write_text(f"state_dir: {tmp_path / 'none'}\nsources: {{}}\nweb: {{}}\n")
    assert home.copy() == CONFIG_EXIT
    assert "no history of the page can be read there" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
