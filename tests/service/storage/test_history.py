"""The history of nights: what the daemon tells of cries and faults, as rows that outlive it."""

import time
from pathlib import Path

import pytest

from model.classifier import Classifier
from monitord.faults import Fault
from service.messages import commands, node_messages
from service.messages.fault_messages import fault_event
from service.messages.message import Node
from service.storage.history import DOWN, OFF, Correction, Gap, History
from service.storage.history_file import KEEP_S, UNRECORDED
from tests.support.daemon.household_daemon import CRY, FAR, HOLD, NEAR, QUIET, Clock, House, both

NODE = Node("home")
T0 = round(time.time()) - 86_400.0
"""Yesterday (Unix seconds)."""
ALL = (0.0, 4e9)
"""Unix seconds: all that there is."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


def heartbeat(history: History, at: float) -> None:
    history.tell(node_messages.heartbeat(NODE, ts=at, uptime_s=1, sources_ok=1, sources_total=1, lag_ms=0))


def fault(history: History, word: Fault, *, at: float, since: float, room: str = "nursery") -> None:
    history.tell(fault_event(NODE, room, word, message_id="1", ts=at, since=since))


def gaps(history: History, room: str | None = None) -> list[Gap]:
    """All but what was before the history began."""
    return [gap for gap in history.between(*ALL, room=room).gaps if gap.why != UNRECORDED]


def tell_all(house: House, history: History) -> None:
    """Tells the history what the house has told since the last time."""
    for message in house.messages:
        history.tell(message)
    house.messages.clear()


def test_an_episode_becomes_one_row_that_agrees_with_today(classifier: Classifier, tmp_path: Path, path: Path) -> None:
    """Two rooms hear one cry: one row, in the room that told it, with the numbers that MQTT tells of today."""
    house = House(classifier, tmp_path, sources=("nursery", "bedroom"))
    with History(path, NODE) as history:
        house.hear_all(both(QUIET, QUIET))
        house.hear_all(both(NEAR, FAR))
        tell_all(house, history)
        (open_one,) = history.between(*ALL).episodes
        assert open_one.until is None
        assert open_one.answered is None
        house.command(commands.Acknowledge("bedroom", None, by="Android, Chrome"))
        house.hear_all(both(HOLD, HOLD))
        (told,) = house.of("nursery/today")[-1:]
        begin = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
        tell_all(house, history)
        span = history.between(*ALL)
        (row,) = span.episodes
    assert (row.room, set(row.rooms)) == ("nursery", {"nursery", "bedroom"})
    assert row.until is not None
    assert row.until > row.since
    assert row.answered is not None
    assert row.answered_by == "Android, Chrome"
    assert row.p_cry > 0.5
    assert row.told_up_to is not None
    assert row.told_up_to >= 0.6
    assert row.loudness_db is not None
    assert row.loudness_db > 20.0
    now = time.time()
    assert span.cried("nursery", begin, begin + 86_400, now) == (told["episodes"], told["crying_min"])
    assert span.cried("bedroom", *ALL, now)[0] == 0
    assert span.cried("nursery", *ALL, now) == (1, round((row.until - row.since) / 60, 1))


def test_a_snooze_is_no_answer(classifier: Classifier, tmp_path: Path, path: Path) -> None:
    """Who puts an alarm off is not on the way; who comes later is."""
    house = House(classifier, tmp_path)
    with History(path, NODE) as history:
        house.hear(QUIET, CRY)
        house.command(commands.Snooze("room", 10))
        tell_all(house, history)
        assert history.between(*ALL).episodes[0].answered is None
        house.command(commands.Acknowledge("room", None))
        house.command(commands.Acknowledge("room", None, by="too late"))
        tell_all(house, history)
        assert history.between(*ALL).episodes[0].answered is not None
        assert history.between(*ALL).episodes[0].answered_by == ""


def test_a_fault_begins_where_sound_was_heard_last(path: Path) -> None:
    """Each word of one outage is a row; they follow each other without a hole, and another room has none of it."""
    with History(path, NODE) as history:
        fault(history, "reconnecting", at=T0 + 3.5, since=T0)
        fault(history, "auth_failed", at=T0 + 10.0, since=T0 + 3.5)
        assert [gap.until for gap in gaps(history)] == [T0 + 10.0, None]
        fault(history, "ok", at=T0 + 60.0, since=T0 + 10.0)
        fault(history, "stalled", at=T0 + 1007.0, since=T0 + 1000.0)
        assert gaps(history, "bedroom") == []
        assert gaps(history, "nursery") == [
            Gap("nursery", "reconnecting", T0, T0 + 10.0),
            Gap("nursery", "auth_failed", T0 + 10.0, T0 + 60.0),
            Gap("nursery", "stalled", T0 + 1000.0, None),
        ]
        assert [gap.why for gap in history.between(T0 + 20.0, T0 + 30.0).gaps] == [UNRECORDED, "auth_failed"]


def test_a_room_that_is_switched_off_is_a_gap(classifier: Classifier, tmp_path: Path, path: Path) -> None:
    """From the switch to the switch, and no fault ends it."""
    house = House(classifier, tmp_path)
    with History(path, NODE) as history:
        for enabled in (False, True):
            house.command(commands.SetEnabled("room", enabled=enabled), commands.SetThreshold("room", 0.6))
            tell_all(house, history)
            (gap,) = gaps(history)
            fault(history, "ok", at=time.time(), since=1.0, room="room")
            assert (gap.room, gap.why) == ("room", OFF)
            assert (gap.until is None) is not enabled


def test_a_kill_ends_what_was_open_and_is_a_gap_of_all_rooms(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the last sign of life it was so; from there to the next start nobody listened."""
    clock, killed = Clock(monkeypatch), History(path, NODE)
    killed.__enter__()
    clock.pass_by(60)
    alive_at = round(clock.now(), 3)
    fault(killed, "stalled", at=alive_at - 3, since=alive_at - 10)
    heartbeat(killed, alive_at)
    heartbeat(killed, alive_at + 20)  # so soon after another it is not written
    clock.pass_by(100)
    with History(path, NODE) as history:
        stalled, down = gaps(history, "nursery")
    assert stalled == Gap(
        "nursery", "stalled", pytest.approx(alive_at - 10, abs=1e-3), pytest.approx(alive_at, abs=1e-3)
    )
    assert (down.room, down.why, down.since) == ("", DOWN, stalled.until)
    killed._file.close()  # what a kill leaves to the kernel
    assert down.until == pytest.approx(alive_at + 100, abs=60)


def test_the_time_between_two_runs_is_a_gap(path: Path) -> None:
    """Whoever looks at the night sees when the daemon did not run, in every room."""
    with History(path, NODE):
        stopped = time.time()
    with History(path, NODE) as history:
        (gap,) = gaps(history, "nursery")
    assert (gap.room, gap.why) == ("", DOWN)
    assert gap.since >= stopped
    assert gap.until is not None
    assert gap.until >= gap.since


def test_a_correction_stands_beside_the_models_word(classifier: Classifier, tmp_path: Path, path: Path) -> None:
    """By id, of the newest episode of a room, and of a cry that was missed; each word is kept, in its order."""
    house = House(classifier, tmp_path)
    with History(path, NODE) as history:
        house.hear(QUIET, CRY, HOLD)
        house.hear(QUIET, CRY, HOLD)
        tell_all(house, history)
        first, second = history.between(*ALL).episodes
        history.corrected("room", episode=first.id, missed_at=None, was="cat", reason=None)
        history.corrected("room", episode=None, missed_at=None, was="cry", reason="hunger")
        history.corrected("room", episode="room-20200101T000000Z-1", missed_at=None, was="cat", reason=None)
        history.corrected("room", episode=None, missed_at=T0, was="cry", reason=None)
        span = history.between(*ALL)
        assert list(span.episodes) == [first, second]
        assert list(span.corrections) == [
            Correction("room", first.id, first.since, "cat", None),
            Correction("room", second.id, second.since, "cry", "hunger"),
            Correction("room", None, T0, "cry", None),
        ]
        assert history.between(*ALL, room="bedroom").corrections == []


def test_a_room_is_corrected_as_it_heard(classifier: Classifier, tmp_path: Path, path: Path) -> None:
    """`That was no cry` of a room means what it heard last, though another room told it; each room's days show it."""
    house = House(classifier, tmp_path, sources=("nursery", "bedroom"))
    with History(path, NODE) as history:
        house.hear_all(both(QUIET, QUIET))
        house.hear_all(both(NEAR, FAR))
        house.hear_all(both(HOLD, HOLD))
        tell_all(house, history)
        (episode,) = history.between(*ALL).episodes
        assert episode.room == "nursery"
        history.corrected("bedroom", episode=None, missed_at=None, was="cat", reason=None)
        said = [Correction("bedroom", episode.id, episode.since, "cat", None)]
        for room in (None, "nursery", "bedroom"):
            assert history.between(*ALL, room=room).corrections == said
        # A day that begins in the middle of it shows the episode, and so what it was.
        assert episode.until is not None
        assert history.between(episode.until - 0.1, episode.until + 60.0).corrections == said
        assert history.between(episode.until + 0.1, episode.until + 60.0).corrections == []


def test_what_was_before_it_began_is_not_quiet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of the time before the first start, and nothing of what had to make room: one gap says both."""
    clock = Clock(monkeypatch)
    before = clock.now()
    with History(path, NODE) as history:
        (gap,) = history.between(*ALL, room="nursery").gaps
        assert (gap.room, gap.why, gap.since) == ("", UNRECORDED, 0.0)
        assert gap.until == pytest.approx(before, abs=60)
        assert history.between(before + 60, before + 120).gaps == []
    clock.pass_by(KEEP_S + 1000)
    with History(path, NODE) as history:
        unrecorded, down = history.between(*ALL).gaps
    assert unrecorded.until == pytest.approx(before + 1000, abs=60)
    assert (down.why, down.since) == (DOWN, pytest.approx(before, abs=60))
