"""A network too slow for its stream: sound that is minutes old is given up for what is now, a burst is heard whole."""

from monitord.types import RATE_HZ
from service.capture.inbox import Inbox
from service.capture.source import SourceState
from service.capture.streams.lateness import FOR_S, LATE_S, Lateness
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.paced_http import ENDLESS_WAV, PacedHttp
from tests.support.sound.matching import drain, wait_for
from tests.support.sound.sounds import noise


def test_sound_that_falls_behind() -> None:
    """A second of sound every four seconds is heard, until it is too late; then it is connected anew, and heard on."""
    a_second = noise(1.0).tobytes()
    pieces = [(0.0, ENDLESS_WAV), *((4.0 * number, 2 * a_second if number == 0 else a_second) for number in range(60))]
    heard = []
    with PacedHttp(pieces, "audio/wav").running() as server:
        source = StreamSource("cam", server.url, Inbox("cam"))
        source.start()

        def late() -> bool:
            heard.extend(drain(source.inbox))
            return "late" in source.status().detail

        wait_for(late, "words", 600.0)
        assert "more slowly than it is recorded" in source.status().detail
        wait_for(lambda: source.status().state is SourceState.LIVE, "a new connection", 300.0)
        assert source.stop(PATIENCE_S)
    assert len(server.asked) == 2
    assert sum(len(chunk.samples) for chunk in heard) > 4 * RATE_HZ


def test_lateness() -> None:
    """What is old for a moment is caught up with; what stays old is not; and it begins anew after a good moment."""
    lateness = Lateness()
    assert not lateness.too_late(LATE_S + 50, 0.0)
    assert not lateness.too_late(LATE_S + 10, FOR_S - 0.1)
    assert not lateness.too_late(LATE_S - 0.1, FOR_S)
    assert not lateness.too_late(LATE_S, FOR_S + 0.1)
    assert not lateness.too_late(LATE_S, 2 * FOR_S)
    assert lateness.too_late(LATE_S, 2 * FOR_S + 0.2)
