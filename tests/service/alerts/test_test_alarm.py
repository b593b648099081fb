"""Test alarms, from a cry laid over what a room captures to the phones: heard, told, timed, kept, or failed."""

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from model.classifier import Classifier
from monitord.listening.gate import frame_dbfs
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Pcm
from service.alerts.test_alarm import PATIENCE_S
from service.messages import commands
from service.messages.tuning import Tune
from tests.support.daemon.household_daemon import CRY, HOLD, QUIET, Clock, House
from tests.support.sound.sounds import noise

TEST = commands.TestAlarm("room")


@pytest.fixture
def house(classifier: Classifier, tmp_path: Path, clock: Clock) -> House:
    """One room that has been quiet for a while, in real time."""
    house = House(classifier, tmp_path, round_s=0.1, passing=clock)
    house.clock = time.time()
    house.hear(QUIET)
    return house


def quiet(duration_s: float) -> Pcm:
    return noise(duration_s, rms_dbfs=-80)


def states(house: House, source: str = "room") -> list[str]:
    return [proof["state"] for proof in house.of(f"{source}/proof")]


def proven(house: House) -> str:
    """Runs a test to the broker's echo; returns its id."""
    house.command(TEST)
    house.hear(quiet(3.0))
    house.echo()
    assert house.last("room/proof")["state"] == "proven"
    return str(house.last("room/proof")["test"])


@pytest.mark.parametrize("gain_db", [0.0, 20.0])
def test_a_test_is_as_loud_as_it_was_asked_for(house: House, gain_db: float) -> None:
    """Over the room's own noise, as what is heard of it is amplified; the proof says how loud that was."""
    house.command(Tune("room", gain_db))
    house.hear(quiet(20.0))  # the floor rises slowly
    house.command(commands.TestAlarm("room", 24.0))
    injection = house.channels["room"].injection
    assert injection is not None
    sound = injection._sound
    windows = sound[: len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    noise_dbfs = max(-80.0 + gain_db, -70.0)  # below lies the noise of devices, which is none to compare with
    assert frame_dbfs(windows).max() + gain_db == pytest.approx(noise_dbfs + 24.0, abs=2.5)
    assert house.last("room/proof")["over_db"] == 24.0


def test_a_quiet_room_hears_the_test(house: House) -> None:
    """One event of type `test` that says so, with an episode of its own, and the words of a test; the room is calm."""
    house.command(TEST)
    running = house.last("room/proof")
    assert (running["state"], running["heard_ms"], running["published_ms"]) == ("running", None, None)
    house.hear(quiet(3.0))
    (event,) = house.told()
    assert (event["event_type"], event["test"], event["alert"]) == ("test", True, True)
    assert event["episode"] == running["test"]
    assert event["text"]["title"] == "TEST: Room"
    assert [notice.kind for notice in house.notices] == ["test"]
    assert house.of("room/state") == house.of("room/episode") == house.of("room/segment") == []
    heard = house.last("room/proof")
    assert (heard["state"], heard["published_ms"], heard["proven"]) == ("running", None, None)
    assert heard["started"] == event["since"]


def test_the_rooms_own_tracker_hears_nothing_of_it(house: House) -> None:
    """No episode begins, is counted, or is left over, although the whole sound lies in the room's stream."""
    house.reporter.begin()
    proven(house)
    house.hear(quiet(8.0))
    assert house.channels["room"].tracker.episode == 0
    assert house.events() == ["test"]
    assert not any(state["crying"] for state in house.of("room/state"))
    assert house.last("room/today")["episodes"] == 0


def test_the_echo_of_the_broker_proves_it(house: House) -> None:
    """Timed from the first sample in the room, and the moment of success is kept."""
    proven(house)
    assert states(house) == ["running", "running", "proven"]
    proof = house.last("room/proof")
    assert proof["proven"] == proof["started"]
    assert proof["published_ms"] >= proof["heard_ms"]
    assert list(proof["proven_by"]) == ["broker"]
    house.echo()  # once more
    assert states(house) == ["running", "running", "proven", "proven"]
    assert house.last("room/proof") == proof


def test_receivers_are_timed_and_kept(house: House, clock: Clock) -> None:
    """Each by its name and once; who answers an older test, or before anything was told, proves nothing."""
    house.command(commands.Received("room", "room-20200101T000000Z-0", "phone"))
    house.command(TEST)
    test = str(house.last("room/proof")["test"])
    house.command(commands.Received("room", test, "phone"))
    assert house.last("room/proof")["receivers"] == {}
    house.hear(quiet(3.0))
    house.echo()
    clock.pass_by(2.0)
    house.command(commands.Received("room", test, "home_assistant"))
    clock.pass_by(3.0)
    house.command(commands.Received("room", test, "phone_1"), commands.Received("room", test, "home_assistant"))
    house.command(commands.Received("room", "room-20200101T000000Z-0", "phone_2"))
    receivers = house.last("room/proof")["receivers"]
    assert list(receivers) == ["home_assistant", "phone_1"]
    assert list(house.last("room/proof")["proven_by"]) == ["broker", "home_assistant", "phone_1"]
    assert receivers["phone_1"] - receivers["home_assistant"] == pytest.approx(3_000, abs=500)
    assert receivers["home_assistant"] - house.last("room/proof")["published_ms"] == pytest.approx(2_000, abs=500)


def test_a_channel_that_cannot_be_told_says_why(house: House) -> None:
    """Its reason stands in the proof until it has the test; of an older test, or once it has it, it is no news."""
    test = proven(house)
    house.command(commands.NotReceived("room", "room-20200101T000000Z-0", "father", "old"))
    house.command(commands.NotReceived("room", test, "mother", "it answers 301"))
    house.command(commands.NotReceived("room", test, "mother", "it answers 301"))
    house.command(commands.NotReceived("room", test, "father", "it cannot be reached"))
    assert house.last("room/proof")["not_told"] == {"mother": "it answers 301", "father": "it cannot be reached"}
    assert len(states(house)) == 5  # running, heard, proven, and one for each of the two
    house.command(commands.Received("room", test, "mother"))
    house.command(commands.NotReceived("room", test, "mother", "late"))
    proof = house.last("room/proof")
    assert (list(proof["receivers"]), proof["not_told"]) == (["mother"], {"father": "it cannot be reached"})
    house.command(TEST)
    assert house.last("room/proof")["not_told"] == {}


@pytest.mark.parametrize("after_s", [0.0, 0.25, 0.5])
def test_a_real_cry_in_the_test_is_told_right_after_it(house: House, after_s: float) -> None:
    """A baby that begins while the test runs is heard within 2 s of the end of the test's sound."""
    house.command(TEST)
    house.hear(quiet(after_s), CRY, CRY, CRY)
    assert house.events()[:2] == ["test", "started"]
    injection, started = house.channels["room"].injection, house.told()[1]
    assert injection is not None
    assert injection.end is not None
    told_s = datetime.fromisoformat(started["ts"]).timestamp() - house.clock
    assert told_s <= injection.end / RATE_HZ + 2.0
    assert "test" not in started


def test_a_second_test_right_after_the_first_alarms_nobody(house: House, clock: Clock) -> None:
    """A finger that presses twice: what is left of the first sound is no cry, nor does it prove the second test."""
    house.command(TEST)
    for second in range(1, 5):  # a stream that comes in lumps
        house.channels["room"].inbox.write(quiet(1.0), RATE_HZ, house.clock + second)
    clock.pass_by(4.0)
    while not house.told():
        house.worker.round()
    house.echo()
    assert house.channels["room"].inbox.held > RATE_HZ  # of the first sound
    house.command(TEST)
    while house.channels["room"].inbox.held:
        house.worker.round()
    assert house.events() == ["test"]
    assert house.channels["room"].tracker.episode == 0
    house.hear(quiet(8.0))
    assert house.events() == ["test", "test"]
    assert house.channels["room"].tracker.episode == 0
    assert house.last("room/proof")["heard_ms"] > 0


def test_a_dead_source_fails_in_words(house: House, clock: Clock) -> None:
    """After the patience, with what the monitor knows; nothing is told, and a success of before is kept."""
    before = proven(house)
    house.faults["room"] = "No sound arrives."
    house.command(TEST)
    clock.pass_by(PATIENCE_S - 1.0)
    house.worker.round()
    assert house.last("room/proof")["state"] == "running"
    clock.pass_by(2.0)
    house.worker.round()
    failed = house.last("room/proof")
    assert (failed["state"], failed["detail"], failed["heard_ms"]) == ("failed", "No sound arrives.", None)
    assert failed["why"] == "unheard"
    assert failed["proven"] is not None
    assert failed["test"] != before
    assert house.events() == ["test"]
    house.hear(quiet(8.0))  # it comes back: the sound is not played any more
    assert house.events() == ["test"]
    assert house.last("room/proof") == failed


def test_a_room_too_loud_to_hear_it_fails(house: House, clock: Clock) -> None:
    """No fault is known, so it says what is the case."""
    house.command(commands.SetThreshold("room", 0.99999))  # which nothing reaches
    house.command(TEST)
    house.hear(quiet(6.0))
    clock.pass_by(PATIENCE_S)
    house.worker.round()
    assert house.last("room/proof")["state"] == "failed"
    assert "not heard over" in house.last("room/proof")["detail"]
    assert house.last("room/proof")["why"] == "not_heard"


def test_a_broker_that_does_not_pass_it_on_fails(house: House, clock: Clock) -> None:
    """Heard and told, and still no proof; an echo that comes after that is too late."""
    house.command(TEST)
    house.hear(quiet(3.0))
    clock.pass_by(PATIENCE_S)
    house.worker.round()
    failed = house.last("room/proof")
    assert (failed["state"], failed["published_ms"], failed["proven"]) == ("failed", None, None)
    assert "the broker did not pass" in failed["detail"]
    assert failed["why"] == "not_passed_on"
    house.echo()
    assert house.last("room/proof")["state"] == "failed"


def test_a_crying_room_refuses(house: House) -> None:
    """The real alarm is the proof; its episode goes on untouched."""
    house.hear(CRY)
    house.command(TEST)
    assert house.last("room/proof")["state"] == "failed"
    assert "crying now" in house.last("room/proof")["detail"]
    assert house.last("room/proof")["why"] == "crying"
    house.hear(CRY, HOLD)
    assert house.events() == ["started", "reason", "ended"]


def test_a_room_that_is_switched_off_refuses(house: House) -> None:
    """Nothing would hear it."""
    house.command(commands.SetEnabled("room", enabled=False), TEST)
    assert (house.last("room/proof")["state"], house.events()) == ("failed", [])
    assert "switched off" in house.last("room/proof")["detail"]
    assert house.last("room/proof")["why"] == "off"


def test_one_that_runs_already_goes_on(house: House) -> None:
    """A second press starts nothing over."""
    house.command(TEST)
    house.command(TEST, TEST)
    assert states(house) == ["running"]
    house.hear(quiet(3.0))
    assert house.events() == ["test"]


def test_all_rooms_at_once(classifier: Classifier, tmp_path: Path) -> None:
    """Without a room in the command, each has a test and a proof of its own."""
    house = House(classifier, tmp_path, sources=("nursery", "bedroom"), round_s=0.1)
    house.command(commands.TestAlarm(None))
    house.hear_all({room: quiet(3.0) for room in house.sources})
    assert house.events("nursery") == house.events("bedroom") == ["test"]
    assert len({house.last(f"{room}/proof")["test"] for room in house.sources}) == 2


def test_a_proof_outlives_the_daemon(house: House) -> None:
    """It is told again as it was; one that ran has failed, for its process is gone, and the last success is kept."""
    proven(house)
    proof = house.last("room/proof")
    again = House(house.classifier, house.state_dir)
    again.reporter.begin()
    assert again.last("room/proof") == proof
    again.command(TEST)
    third = House(house.classifier, house.state_dir)
    third.reporter.begin()
    lost = third.last("room/proof")
    assert (lost["state"], lost["detail"], lost["proven"]) == ("failed", "the monitor was restarted", proof["proven"])
    assert lost["why"] == "restarted"
    assert lost["test"] == again.last("room/proof")["test"]


def test_a_test_says_how_late_it_is(house: House) -> None:
    """Like any event; the decision takes more than half a second of sound."""
    began = time.monotonic()
    house.command(TEST)
    house.hear(quiet(3.0))
    took_ms = (time.monotonic() - began) * 1000.0
    event = house.told()[0]
    assert event["latency_ms"] - event["latency_end_ms"] > 500
    assert house.last("room/proof")["heard_ms"] == pytest.approx(event["latency_ms"], abs=100 + took_ms)


def test_a_test_in_noise_is_laid_over_it(house: House) -> None:
    """The room goes on in the stream: what is captured while the test runs is neither replaced nor lost."""
    house.command(TEST)
    house.hear(np.asarray(quiet(3.0) + noise(3.0, rms_dbfs=-60)))
    assert house.events() == ["test"]
    assert house.channels["room"].tally().conserved
