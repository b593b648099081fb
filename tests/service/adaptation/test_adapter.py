"""Corrections in a house: kept, learnt from, in force within the same run and after the next start."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.adaptation.reference import reference_file
from model.bundle import with_reference
from model.classifier import Classifier
from model.forward import Outputs
from model.frontend import PLAIN
from monitord.types import Pcm
from service.adaptation import adapter, memory
from service.messages.commands import Adapt, UndoAdaptation
from service.messages.corrections import Correct
from tests.support.daemon.household_daemon import CRY, HOLD, QUIET, Clock, House
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.models.taught_sounds import CAT, reference, windows
from tests.support.models.taught_sounds import CRY as BABY
from tests.support.patience import PATIENCE_S
from tests.support.sound.loudness import Loudness
from tests.support.sound.sounds import tone

MEOW = tone(3000, 2.0)
"""What the network takes for a cry, and is none."""


class Confused(Loudness):
    """Loud is a cry, whatever it is; its embedding tells a baby's low voice from a cat's high one."""

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        heard = super().forward(patches)
        high = patches[:, :, 48:].max(axis=(1, 2)) > patches[:, :, :16].max(axis=(1, 2))  # [n]
        sounds = [windows(1, CAT if cat else BABY, seed) for seed, cat in enumerate(high.tolist())]
        return heard._replace(embedding=np.concatenate([one.embedding for one in sounds]), cry=heard.cry / 4)


def classifier(folder: Path, *, adapts: bool = True) -> Classifier:
    """Of a bundle with a reference, or without."""
    bundle = make_dead_bundle(folder, frontend=PLAIN)
    return Classifier(with_reference(bundle, reference_file(reference())) if adapts else bundle, Confused())


def learn(house: House, *said: Correct | Adapt) -> dict[str, object]:
    """Lets the house obey, and learn; returns what it tells of that."""
    before = house.adapter.told
    house.command(*said)
    deadline = time.monotonic() + PATIENCE_S
    while house.adapter.learning or house.adapter.told == before:
        assert time.monotonic() < deadline
        house.worker.round()
        time.sleep(0.01)
    return dict(house.adapter.told)


def alarms(house: House, sound: Pcm) -> int:
    """How many episodes a sound begins."""
    before = house.events().count("started")
    house.hear(QUIET, sound, HOLD)
    return house.events().count("started") - before


@pytest.fixture(scope="module")
def confused(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return classifier(tmp_path_factory.mktemp("confused") / "bundle")


@pytest.fixture
def house(confused: Classifier, tmp_path: Path) -> House:
    return House(confused, tmp_path)


def test_that_was_the_cat(house: House) -> None:
    """One correction: the same cat alarms no more, a cry does, and the house says what it has learnt."""
    assert alarms(house, MEOW) == 1
    told = learn(house, Correct("room", was="cat"))
    assert told["in_force"] is True
    assert (told["corrections"], told["settled"], told["left_out"]) == (1, 1, 0)
    assert 0.0 <= float(str(told["cries_lost"])) <= 0.005  # one in two hundred, at most
    assert str(told["detail"]).startswith("1 of 1 corrections are heard as you say")
    assert told["outcome"] == "learnt"
    assert alarms(house, MEOW) == 0
    assert alarms(house, CRY) == 1


def test_corrected_as_soon_as_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word comes back before the round in which the episode was told is over."""
    with monkeypatch.context() as patched:
        patched.setattr(house.adapter, "tick", lambda: None)
        house.hear(QUIET, MEOW)
    assert house.events().count("started") == 1
    assert learn(house, Correct("room", was="cat"))["corrections"] == 1


def test_it_outlives_a_restart(house: House, confused: Classifier, tmp_path: Path) -> None:
    """What was learnt, what was said, and the episodes that may be corrected."""
    assert alarms(house, MEOW) == 1
    assert alarms(house, CRY) == 1
    cat, cry = (event["episode"] for event in house.told() if event["event_type"] == "started")
    learn(house, Correct("room", cat, was="cat"))
    told = dict(house.adapter.told)
    second = House(confused, tmp_path)
    assert second.adapter.told == told
    assert alarms(second, MEOW) == 0
    assert learn(second, Correct("room", cry, reason="hunger"))["corrections"] == 2


def test_it_is_said_while_it_still_sounds(house: House) -> None:
    """A parent need not wait for the end of an episode."""
    house.hear(QUIET, MEOW)
    assert learn(house, Correct("room", was="cat"))["in_force"] is True


def test_a_service_that_may_not_choose_its_priority(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit of systemd forbids it: it learns all the same."""

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    assert alarms(house, MEOW) == 1
    assert learn(house, Correct("room", was="cat"))["in_force"] is True


def test_an_episode_counts_once(house: House) -> None:
    """Said twice it is one correction; said otherwise, the last word counts."""
    assert alarms(house, MEOW) == 1
    assert learn(house, Correct("room", was="cat"))["corrections"] == 1
    assert learn(house, Correct("room", was="cat"))["corrections"] == 1
    told = learn(house, Correct("room", was="cry"))
    assert told["corrections"] == 1
    assert alarms(house, MEOW) == 1


def test_the_models_word_stays(house: House, tmp_path: Path) -> None:
    """A correction stands beside what the model said; nothing of it is sound."""
    assert alarms(house, MEOW) == 1
    learn(house, Correct("room", was="cat"))
    (kept,) = json.loads((tmp_path / "adaptation.json").read_text())["corrections"]
    assert kept["was"] == "cat"
    assert 0 < len(kept["sound"]["windows"]) <= 12
    assert {key for one in kept["sound"]["windows"] for key in one} == {"embedding", "log_odds", "p_cry"}
    assert all(one["p_cry"] > 0.5 for one in kept["sound"]["windows"])


def test_undone(house: House, tmp_path: Path) -> None:
    """It hears again as the bundle does; what was said is put aside, and the night brings nothing back."""
    assert alarms(house, MEOW) == 1
    learn(house, Correct("room", was="cat"))
    house.command(UndoAdaptation())
    assert house.adapter.told["in_force"] is False
    assert house.adapter.told["corrections"] == 0
    assert len(json.loads((tmp_path / "adaptation-undone.json").read_text())["corrections"]) == 1
    assert learn(house, Adapt())["in_force"] is False
    assert alarms(house, MEOW) == 1


def test_each_night_it_learns_anew(confused: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day later what it says is a day younger, without being asked."""
    house, clock = House(confused, tmp_path), Clock(monkeypatch)
    assert alarms(house, MEOW) == 1
    at = learn(house, Correct("room", was="cat"))["at"]
    clock.pass_by(24 * 3600)
    assert learn(house)["at"] != at
    assert house.adapter.told["in_force"] is True


def test_a_missed_cry(house: House) -> None:
    """What was heard around the time that a parent names; no sound like a cry is said, too."""
    house.channels["room"].on_p = 0.99  # a family that wants to hear less
    assert alarms(house, CRY) == 0
    told = learn(house, Correct("room", missed_at=house.clock + 2.0))
    assert told["corrections"] == 1
    told = learn(house, Correct("room", missed_at=house.clock + 3000.0))
    assert told["detail"] == "room: nothing learnt: no sound like a cry around then is kept that could be corrected"
    assert (told["outcome"], told["source"]) == ("no_sound", "room")
    assert told["corrections"] == 1


def test_an_unknown_episode(house: House) -> None:
    """Is answered, and changes nothing."""
    told = learn(house, Correct("room", "room-20261122T151200Z-3", was="cat"))
    assert "no episode room-20261122T151200Z-3 is kept" in str(told["detail"])
    assert (told["outcome"], told["source"]) == ("no_episode", "room")
    assert told["corrections"] == 0


def test_a_bundle_that_cannot_adapt_says_so(tmp_path: Path) -> None:
    """The correction is kept, and nothing is in force."""
    house = House(classifier(tmp_path / "bundle", adapts=False), tmp_path / "state")
    assert alarms(house, MEOW) == 1
    told = learn(house, Correct("room", was="cat"))
    assert told["in_force"] is False
    assert told["corrections"] == 1
    assert "cannot adapt to a home" in str(told["detail"])
    assert told["outcome"] == "failed"


def test_another_bundle_begins_anew_and_the_first_comes_back(
    house: House, confused: Classifier, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its numbers mean something else: what was taught is set aside, said so, and found again by the first bundle."""
    assert alarms(house, MEOW) == 1
    learn(house, Correct("room", was="cat"))
    folder = tmp_path_factory.mktemp("other") / "bundle"
    bundle = make_dead_bundle(folder, frontend=PLAIN, name="other")
    other = Classifier(with_reference(bundle, reference_file(reference())), Confused())
    second = House(other, tmp_path)
    assert other.adaptation is None
    assert second.adapter.told["corrections"] == 0
    assert "1 corrections were given to bundle" in str(second.adapter.told["detail"])
    assert second.adapter.told["outcome"] == "set_aside"
    assert alarms(second, MEOW) == 1
    learn(second, Correct("room", was="cat"))
    third = House(confused, tmp_path)
    assert third.adapter.told["corrections"] == 1
    assert third.adapter.told["in_force"] is True


def test_a_spoilt_document_is_set_aside(confused: Classifier, tmp_path: Path) -> None:
    """Numbers that are none keep nobody from hearing."""
    (tmp_path / "adaptation.json").write_text('{"bundle": "0123456789ab", "head": {"weights": "AAAA", "bias": 0}}')
    (tmp_path / "heard.json").write_text('{"bundle": "x", "sounds": [{"name": 3}]}')
    house = House(confused, tmp_path)
    assert house.adapter.told["in_force"] is False
    assert len(list(tmp_path.glob("*.broken-*"))) == 2


def test_what_is_kept_has_a_bound(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest two episodes may be corrected, and of corrections the newest counts."""
    monkeypatch.setattr(memory, "MOST_EPISODES", 2)
    monkeypatch.setattr(adapter, "MOST_CORRECTIONS", 1)
    assert [alarms(house, MEOW) for _ in range(3)] == [1, 1, 1]
    first, second, third = (event["episode"] for event in house.told() if event["event_type"] == "started")
    kept = [one["name"] for one in json.loads((tmp_path / "heard.json").read_text())["sounds"]]
    assert kept == [second, third]
    assert f"no episode {first} is kept" in str(learn(house, Correct("room", first, was="cat"))["detail"])
    learn(house, Correct("room", second, was="cat"))
    learn(house, Correct("room", third, was="cat"))
    (only,) = json.loads((tmp_path / "adaptation.json").read_text())["corrections"]
    assert only["sound"]["name"] == third


def test_learning_holds_up_no_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is to leave does not wait for what it learns: Python waits for every thread that is no daemon."""
    goes_on = threading.Event()
    monkeypatch.setattr(adapter, "learn", lambda *_: goes_on.wait())
    assert alarms(house, MEOW) == 1
    house.command(Correct("room", was="cat"))
    learning = [thread for thread in threading.enumerate() if thread.name.startswith("adapt")]
    goes_on.set()
    assert [thread.daemon for thread in learning] == [True]
