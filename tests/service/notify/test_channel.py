"""Channels and the notifier against a real web server: it refuses, hangs, is slow, is away, and recovers."""

import logging
import queue
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.notify import webhook
from service.notify.channel import Audience, Channel
from service.notify.notice import Notice, Severity
from service.notify.notifier import Notifier
from service.notify.settings import NotifyConfig
from service.notify.waiting import Counts, Pace
from service.notify.webhook import Webhook
from tests.support.patience import PATIENCE_S
from tests.support.servers.post_server import PostServer, serve_posts
from tests.support.servers.sockets import free_port
from tests.support.servers.told_house import QUICK, House, notice, running


class Lines(logging.Handler):
    """Log lines as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the text."""
        self.lines.put(record.getMessage())

    def next(self) -> str:
        """Returns the next line."""
        return self.lines.get(timeout=PATIENCE_S)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the channels log."""
    handler, log = Lines(), logging.getLogger("service.notify")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


@pytest.fixture
def server() -> Iterator[PostServer]:
    """A web server of the family."""
    with serve_posts() as site:
        yield site


def test_a_webhook_gets_the_event_and_the_texts(server: PostServer) -> None:
    """The values of the MQTT event, with title, message, tag and severity."""
    with running(House(f"http://{server.host}/cry")) as house:
        house.notifier.tell(notice(episode="nursery-1", p_cry=0.98, rooms=["nursery"]))
        post = server.next()
        assert house.next() == ("house", "started")
    assert post.path == "/cry"
    assert post.headers["Content-Type"] == "application/json"
    assert post.values == {
        "episode": "nursery-1",
        "p_cry": 0.98,
        "rooms": ["nursery"],
        "kind": "started",
        "source": "nursery",
        "title": "Nursery: started",
        "message": "Since 19:02.",
        "tag": "nursery-1",
        "severity": "warning",
    }


def test_a_server_that_refuses_is_asked_again(server: PostServer, lines: Lines) -> None:
    """Until it takes the notice, with one line for the fault and one for its end, none for each attempt."""
    server.answers = [500, 503, 302, 500]
    with running(House(f"http://{server.host}/cry?token=secret")) as house:
        house.notifier.tell(notice())
        assert house.next() == ("house", "started")
        assert house.counts == Counts(told=1, delivered=1)
    assert server.posts.qsize() == 5
    assert lines.next() == "notify.channels.house: cannot be told: it answers 500 Internal Server Error; trying again"
    assert lines.next() == "notify.channels.house: can be told again; notices dropped meanwhile: 0"
    assert lines.lines.empty()


def test_a_server_that_is_away_is_told_when_it_is_back(lines: Lines) -> None:
    """What waits while nobody listens at the address goes when somebody does; nobody sees the address in the log."""
    port = free_port()
    with running(House(f"http://user:word@127.0.0.1:{port}/secret?token=secret")) as house:
        house.notifier.tell(notice("started"))
        house.notifier.tell(notice("not_hearing", "bedroom-silent"))
        assert lines.next() == "notify.channels.house: cannot be told: it cannot be reached; trying again"
        with serve_posts(port):
            assert {house.next(), house.next()} == {("house", "started"), ("house", "not_hearing")}
    assert "can be told again" in lines.next()


def test_a_server_that_hangs_is_given_up_at_the_deadline(
    server: PostServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice is dropped and counted; the next one goes when the server answers again."""
    monkeypatch.setattr(webhook, "READ_S", 0.1)
    server.answering.clear()
    with running(House(f"http://{server.host}/", pace=replace(QUICK, deadline_s=0.5))) as house:
        house.notifier.tell(notice("started"))
        assert "it does not answer in time" in lines.next()
        assert "a notice was dropped" in lines.next()
        assert house.counts == Counts(told=1, dropped=1)
        monkeypatch.setattr(webhook, "READ_S", PATIENCE_S)
        server.answering.set()
        house.notifier.tell(notice("not_hearing", "nursery-silent"))
        assert house.next() == ("house", "not_hearing")
        assert lines.next() == "notify.channels.house: can be told again; notices dropped meanwhile: 1"
    assert lines.next() == "notify.channels.house: 1 of 2 notices were never told"


def test_a_slow_server_holds_up_nobody(server: PostServer) -> None:
    """While one channel waits for its answer, `tell` returns and another channel is told."""
    delivered: queue.Queue[tuple[str, str]] = queue.Queue()
    with serve_posts() as other:
        channels = [
            Channel(
                Audience(name, Severity.INFO),
                Webhook(f"http://{site.host}/"),
                lambda name, notice: delivered.put((name, notice.kind)),
            )
            for name, site in (("slow", server), ("quick", other))
        ]
        notifier = Notifier(channels)
        notifier.start()
        server.answering.clear()
        notifier.tell(notice("started"))
        server.next()  # it is in hand, without an answer
        notifier.tell(notice("reason"))
        notifier.tell(notice("ended"))
        kinds = [delivered.get(timeout=PATIENCE_S)]
        while kinds[-1][1] != "ended":
            kinds.append(delivered.get(timeout=PATIENCE_S))
        assert {name for name, _ in kinds} == {"quick"}
        assert channels[0].counts() == Counts(told=3, replaced=1, waiting=2)
        server.answering.set()
        assert delivered.get(timeout=PATIENCE_S) == ("slow", "started")
        assert delivered.get(timeout=PATIENCE_S) == ("slow", "ended")
        notifier.stop(PATIENCE_S)


def test_an_urgent_notice_ends_a_pause(server: PostServer, lines: Lines) -> None:
    """After a failure the next attempt may be an hour away: not for an escalation."""
    server.answers = [500]
    slow = Pace(first_retry_s=3600.0, longest_retry_s=3600.0)
    with running(House(f"http://{server.host}/", pace=slow)) as house:
        house.notifier.tell(notice("started"))
        assert "cannot be told" in lines.next()
        house.notifier.tell(notice("escalated"))
        assert house.next() == ("house", "escalated")
        assert house.counts == Counts(told=2, delivered=1, replaced=1)


def test_the_end_tries_what_waits_once_more(server: PostServer, lines: Lines) -> None:
    """A clean stop does not wait for a pause, hands over what it can, and says what it could not."""
    server.answers = [500]
    house = House(f"http://{server.host}/", pace=Pace(first_retry_s=3600.0, longest_retry_s=3600.0))
    house.notifier.start()
    house.notifier.tell(notice("started"))
    assert "cannot be told" in lines.next()
    server.answers = [500]
    house.notifier.tell(notice("reason", "other"))
    house.notifier.stop(PATIENCE_S)
    assert house.counts == Counts(told=2, delivered=1, dropped=1)
    house.notifier.tell(notice("ended"))
    assert house.counts == Counts(told=3, delivered=1, dropped=2)
    assert "can be told again" in lines.next()
    assert lines.next() == "notify.channels.house: 1 of 2 notices were never told"


def test_a_stop_does_not_wait_for_a_server_that_hangs(server: PostServer, lines: Lines) -> None:
    """It gives up after its time and says so."""
    server.answering.clear()
    house = House(f"http://{server.host}/")
    house.notifier.start()
    house.notifier.tell(notice("started"))
    server.next()
    house.notifier.stop(0.05)
    assert lines.next() == "notify.channels.house: 1 of 1 notices were never told"


def test_a_mistake_in_a_way_out_does_not_silence_it(lines: Lines) -> None:
    """Other people's code may raise anything: it is logged, and tried again."""
    told: queue.Queue[str] = queue.Queue()

    class Broken:
        """Breaks once."""

        def __init__(self) -> None:
            self.broken = True

        def send(self, notice: Notice) -> None:
            """Takes the second one."""
            if self.broken:
                self.broken = False
                raise KeyError("theirs")
            assert notice.kind == "started"

    channel = Channel(Audience("odd"), Broken(), lambda name, _: told.put(name), QUICK)
    channel.start()
    channel.tell(notice("started"))
    assert told.get(timeout=PATIENCE_S) == "odd"
    channel.end()
    channel.join(PATIENCE_S)
    assert "a mistake in the program" in lines.next()
    assert "cannot be told: KeyError" in lines.next()


def test_the_configuration_becomes_channels(server: PostServer) -> None:
    """Every entry of the section is a channel of its name."""
    config = NotifyConfig.model_validate(
        {"channels": {"house": {"webhook": f"http://{server.host}/", "severity": "info", "rooms": ["nursery"]}}}
    )
    delivered: queue.Queue[str] = queue.Queue()
    notifier = Notifier.build(config, lambda name, notice: delivered.put(f"{name} {notice.kind}"))
    notifier.start()
    notifier.tell(notice("reason"))
    assert delivered.get(timeout=PATIENCE_S) == "house reason"
    notifier.stop(PATIENCE_S)
