"""How hard it cries is told with the episode, again where it gets harder, and hurries the reminder if asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.classifier import Classifier
from model.distress.features import N_FEATURES
from model.distress.head import DistressHead
from service.config import Config
from service.settings.profiles import ProfileConfig, ProfilesConfig
from tests.support.daemon.household_daemon import CRY, HOLD, NEAR, QUIET, Clock, House

CALM = DistressHead((0.0,) * N_FEATURES, -2.0)
HARD = DistressHead((0.0,) * N_FEATURES, 3.0)
"""Every cry is as hard: a probability of .12, and of .95."""
HURRY = ProfilesConfig(day=ProfileConfig(remind_after_min=3, escalate_when_hard=True))


def house_of(classifier: Classifier, folder: Path, head: DistressHead | None, profiles: ProfilesConfig | None) -> House:
    bundle = replace(classifier.bundle, manifest=replace(classifier.bundle.manifest, distress=head))
    config = Config() if profiles is None else Config(profiles=profiles)
    return House(Classifier(bundle, classifier.runtime), folder, config=config)


def test_every_telling_of_a_hard_cry_says_so(classifier: Classifier, tmp_path: Path) -> None:
    """Events, segments, state and attributes; in words to people; and the end remembers it."""
    house = house_of(classifier, tmp_path, HARD, None)
    house.hear(QUIET, CRY, QUIET)
    told = house.told("room")
    assert [event["distress"] for event in told] == [0.9526] * len(told)
    assert all("Crying hard." in event["text"]["message"] for event in told)
    assert house.last("room/segment")["distress"] == house.last("room/state")["distress"] == 0.9526
    house.hear(HOLD)
    assert house.told("room")[-1]["distress"] == house.last("room/episode")["distress"] == 0.9526
    assert house.last("room/state")["distress"] is None


@pytest.mark.parametrize("head", [None, CALM])
def test_a_calm_cry_or_an_unknown_one_is_no_hard_one(
    classifier: Classifier, tmp_path: Path, head: DistressHead | None
) -> None:
    """It is told as before."""
    house = house_of(classifier, tmp_path, head, None)
    house.hear(QUIET, CRY, QUIET)
    assert {event["distress"] for event in house.told("room")} == {None if head is None else 0.1192}
    assert not any("hard" in event["text"]["message"] for event in house.told("room"))


@pytest.mark.parametrize(("head", "due_s"), [(HARD, 90), (CALM, 180), (None, 180)])
def test_a_hard_cry_is_reminded_of_in_half_the_time_where_that_is_asked(
    classifier: Classifier, tmp_path: Path, clock: Clock, head: DistressHead | None, due_s: int
) -> None:
    """Not a moment before; and only what is hard."""
    house = house_of(classifier, tmp_path, head, HURRY)
    house.hear(QUIET, NEAR, QUIET)
    clock.pass_by(due_s - 10)
    house.worker.round()
    assert "escalated" not in house.events("room")
    clock.pass_by(11)
    house.worker.round()
    assert house.events("room")[-1] == "escalated"


def test_a_state_is_told_again_when_it_gets_harder(classifier: Classifier, tmp_path: Path, clock: Clock) -> None:
    """Between two events, too, so that a page and Home Assistant follow; not for less than a step."""
    house = house_of(classifier, tmp_path, CALM, None)
    house.hear(QUIET, CRY)
    (episode,) = house.household.episodes
    before = len(house.of("room/state"))
    for distress, more in ((0.13, 0), (0.5, 1), (0.55, 1)):
        house.channels["room"].tracker._intensity._highest = distress
        clock.pass_by(1)
        house.worker.round()
        assert len(house.of("room/state")) == before + more
    assert house.last("room/state")["distress"] == 0.5
    assert episode.distress == 0.55
