"""What waits for a channel: pure, with a clock of its own."""

from hypothesis import given
from hypothesis import strategies as st

from service.messages.texts import Kind
from service.notify.notice import Notice, Severity, severity_of
from service.notify.waiting import Counts, Pace, Waiting

PACE = Pace(deadline_s=600.0, most_waiting=5, burst=2, refill_s=30.0)
KINDS: list[Kind] = ["started", "reason", "escalated", "acknowledged", "ended", "not_hearing", "hearing_again"]


def _notice(kind: Kind, tag: str = "one", title: str = "") -> Notice:
    return Notice(kind, "nursery", tag, title or kind, "", severity_of(kind), 0.0)


def _kinds(waiting: Waiting, now: float) -> list[Kind]:
    """Takes and delivers all that may go."""
    gone: list[Kind] = []
    while (entry := waiting.take(now)) is not None:
        gone.append(entry.notice.kind)
        waiting.delivered()
    return gone


def test_the_newest_of_an_episode_goes() -> None:
    """Three reasons while the service was busy are one message."""
    waiting = Waiting(PACE)
    for title in ("first", "second", "third"):
        waiting.put(_notice("reason", title=title), 0.0)
    entry = waiting.take(0.0)
    assert entry is not None
    assert entry.notice.title == "third"
    waiting.delivered()
    assert waiting.counts == Counts(told=3, delivered=1, replaced=2)


def test_a_reason_does_not_take_the_place_of_its_alarm() -> None:
    """The alarm goes first, with its own urgency; the reason follows."""
    waiting = Waiting(PACE)
    waiting.put(_notice("started"), 0.0)
    waiting.put(_notice("reason"), 1.0)
    assert _kinds(waiting, 2.0) == ["started", "reason"]


def test_the_end_takes_the_place_of_the_alarm() -> None:
    """A service that was away tells of a cry that is over as over."""
    waiting = Waiting(PACE)
    for kind in ("started", "reason", "escalated", "ended"):
        waiting.put(_notice(kind), 0.0)
    assert _kinds(waiting, 1.0) == ["ended"]


def test_another_episode_is_another_matter() -> None:
    """Only the same tag replaces."""
    waiting = Waiting(PACE)
    waiting.put(_notice("started", "one"), 0.0)
    waiting.put(_notice("started", "two"), 0.0)
    assert _kinds(waiting, 1.0) == ["started", "started"]


def test_alarms_pass_the_limit() -> None:
    """Good to know waits for its turn; an alarm never does, and goes before it."""
    waiting = Waiting(PACE)
    for tag in "abc":
        waiting.put(_notice("reason", tag), 0.0)
    assert _kinds(waiting, 0.0) == ["reason", "reason"]  # the burst
    assert waiting.pause_s(0.0) == 30.0
    waiting.put(_notice("started", "d"), 10.0)
    waiting.put(_notice("not_hearing", "e"), 10.0)
    assert _kinds(waiting, 10.0) == ["started", "not_hearing"]
    # They cost what had been gained by then, so that the next turn is a whole one later.
    assert waiting.pause_s(10.0) == 30.0
    assert _kinds(waiting, 40.0) == ["reason"]
    assert waiting.pause_s(40.0) is None


def test_an_old_alarm_is_no_news() -> None:
    """After ten minutes it is dropped, and counted."""
    waiting = Waiting(PACE)
    waiting.put(_notice("started"), 100.0)
    entry = waiting.take(699.9)
    assert entry is not None
    waiting.failed(entry)
    assert waiting.counts.waiting == 1
    assert waiting.take(700.0) is None
    assert waiting.counts == Counts(told=1, dropped=1)


def test_when_full_alarms_go_last() -> None:
    """Of six, the oldest that is no alarm makes room."""
    waiting = Waiting(PACE)
    waiting.put(_notice("started", "alarm"), 0.0)
    for number in range(5):
        waiting.put(_notice("reason", f"{number}"), 0.0)
    assert waiting.counts == Counts(told=6, dropped=1, waiting=5)
    gone = [entry.notice.tag for _ in range(5) if (entry := waiting.take(0.0, unlimited=True))]
    assert gone == ["alarm", "1", "2", "3", "4"]


def test_what_failed_gives_way_to_what_is_newer() -> None:
    """The next attempt is for the newest of the episode."""
    waiting = Waiting(PACE)
    waiting.put(_notice("started"), 0.0)
    entry = waiting.take(0.0)
    assert entry is not None
    waiting.put(_notice("escalated"), 1.0)
    waiting.failed(entry)
    assert _kinds(waiting, 2.0) == ["escalated"]
    assert waiting.counts == Counts(told=2, delivered=1, replaced=1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "take", "fail", "give up"]),
            st.sampled_from(KINDS),
            st.sampled_from("abcdefgh"),
            st.sampled_from([0.0, 1.0, 30.0, 400.0]),
        )
    )
)
def test_nothing_vanishes(steps: list[tuple[str, Kind, str, float]]) -> None:
    """Whatever comes and fails: told is delivered, replaced, dropped or waiting."""
    waiting, now, told = Waiting(PACE), 0.0, 0
    for step, kind, tag, pause_s in steps:
        now += pause_s
        if step == "put":
            waiting.put(_notice(kind, tag), now)
            told += 1
        elif (entry := waiting.take(now)) is not None:
            match step:
                case "take":
                    waiting.delivered()
                case "fail":
                    waiting.failed(entry)
                case _:
                    waiting.given_up()
        counts = waiting.counts
        assert counts.told == told == counts.delivered + counts.replaced + counts.dropped + counts.waiting
        assert counts.waiting <= PACE.most_waiting


def test_severities() -> None:
    """A cry is a warning, nobody's answer and a deaf room are critical, and a silent room keeps its cries quiet."""
    assert {kind: severity_of(kind).name for kind in KINDS} == {
        "started": "WARNING",
        "reason": "INFO",
        "escalated": "CRITICAL",
        "acknowledged": "INFO",
        "ended": "INFO",
        "not_hearing": "CRITICAL",
        "hearing_again": "INFO",
    }
    assert (severity_of("not_saving"), severity_of("saving_again")) == (Severity.WARNING, Severity.INFO)
    assert severity_of("test") == Severity.WARNING
    assert severity_of("started", alert=False) == severity_of("escalated", alert=False) == Severity.INFO
    assert severity_of("not_hearing", alert=False) == severity_of("heard_badly", alert=False) == Severity.CRITICAL
