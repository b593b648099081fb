"""What the sources are made of: specs, hidden passwords, pauses, clocks, and the life of a capture thread."""

import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.errors import ConfigError
from service.backoff import CAP_S, FIRST_S, BackOff
from service.capture.captured_source import AttemptError, CapturedSource
from service.capture.clock import SLIP_S, LiveClock, Pace
from service.capture.inbox import Inbox
from service.capture.redact import redact
from service.capture.source import SourceState
from service.capture.spec import (
    STREAM_SCHEMES,
    FileSpec,
    MicrophoneSpec,
    StreamSpec,
    host_and_port,
    parse_source,
    stream_spec,
)
from service.capture.streams.options import ffmpeg_options
from service.capture.streams.rate_limit import BURST_S, SPEED, RateLimit
from service.pacing import POLL_S
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("mic", MicrophoneSpec("default")),
        ("mic:USB Audio", MicrophoneSpec("USB Audio")),
        ("mic:2", MicrophoneSpec(2)),
        ("cries/a.wav", FileSpec(Path("cries/a.wav"))),
        ("rtsp://u:p@cam:554/live", StreamSpec("rtsp://u:p@cam:554/live")),
        ("HTTP://phone:8080/audio.wav", StreamSpec("http://phone:8080/audio.wav")),
        ("udp://0.0.0.0:5000", StreamSpec("udp://0.0.0.0:5000")),
        ("listen+rtmp://0.0.0.0:1935/live", StreamSpec("rtmp://0.0.0.0:1935/live", listen=True)),
    ],
)
def test_sources_as_typed(text: str, spec: object) -> None:
    """Each form of SOURCE means what the manual says."""
    assert parse_source(text) == spec


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("mic:", "monitord devices"),
        ("ftp://host/a.wav", "allowed are rtsp://"),
        ("rtsp://", "names no host"),
        ("rtsp://u:secret@/live", "names no host"),
        ("listen+udp://0.0.0.0:5000", "allowed are rtsp://, rtmp://, http://"),
        ("listen+rtsp://0.0.0.0/live", "needs a port"),
        ("rtsp://u:sec/ret@cam/live", "cannot be read"),
        ("rtsp://u:sec'ret@cam/live", "as %27"),
        ("rtsp://u:sec ret@cam/live", "as %20"),
    ],
)
def test_wrong_sources(text: str, word: str) -> None:
    """A SOURCE that is none is refused with what is allowed, and without its password."""
    with pytest.raises(ConfigError, match=word) as refusal:
        parse_source(text)
    assert "sec" not in str(refusal.value)


def test_host_and_port() -> None:
    """Where a URL points to is found behind a password, and in IPv6."""
    assert host_and_port("rtsp://u:p@cam:554/live") == ("cam", 554)
    assert host_and_port("http://[::1]:80/") == ("::1", 80)
    assert host_and_port("rtsp://cam/live") == ("cam", None)


@given(
    user=st.text("abcXYZ019._-%", min_size=1),
    password=st.text("abcXYZ019._-%!$@:/&=", min_size=8).filter(lambda text: "***" not in text),
    scheme=st.sampled_from(["rtsp", "rtmp", "http", "https"]),
)
def test_no_password_survives(user: str, password: str, scheme: str) -> None:
    """Whatever the password is made of, it is gone from the URL and from any text around it; the host stays."""
    shown = redact(f"cannot open {scheme}://{user}:{password}@camera.local:554/live: refused, so '{scheme}://x'")
    assert shown == f"cannot open {scheme}://***@camera.local:554/live: refused, so '{scheme}://x'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/a?token=abc&x=1", "http://h/a?token=***&x=***"),
        ("rtsp://h/user=admin_password=abc_channel=1.sdp", "rtsp://h/user=***"),
        ("http://h:80/audio.wav: refused", "http://h:80/audio.wav: refused"),
        ("udp://@239.0.0.1:1234", "udp://***@239.0.0.1:1234"),
    ],
)
def test_redact_examples(text: str, shown: str) -> None:
    """Query values and passwords in paths are hidden too; a URL without secrets stays as it is."""
    assert redact(text) == shown


def test_streams_always_have_timeouts() -> None:
    """No URL is opened without a timeout of FFmpeg's own, and RTMP not with one that makes it listen."""
    for scheme in ("rtsp", "rtmp", "http", "https", "udp"):
        options = ffmpeg_options(stream_spec(f"{scheme}://cam:1/live", listen=False), 8.0)
        assert options["rw_timeout"] == "8000000"
        assert ("timeout" in options) == (scheme != "rtmp")


def test_streams_open_no_file() -> None:
    """FFmpeg gets a list of protocols for every scheme that can be configured, and no file or pipe is on it."""
    for scheme in STREAM_SCHEMES:
        options = ffmpeg_options(stream_spec(f"{scheme}://cam:1/live", listen=False), 8.0)
        allowed = options["protocol_whitelist"].split(",")
        assert scheme in allowed
        assert not {"file", "pipe", "fd", "unix", "concat", "subfile", "data"} & set(allowed)


def test_pauses_grow_to_the_cap() -> None:
    """Pauses double up to the cap, each at most half shorter, and start over after a reset."""
    back_off = BackOff()
    for expected_s in (FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S, 16 * FIRST_S, CAP_S, CAP_S):
        assert expected_s / 2 <= back_off.next_s() <= expected_s
    back_off.reset()
    assert back_off.next_s() <= FIRST_S


def test_burst_after_a_stall_is_old() -> None:
    """Sound that was on the way for 5 s says so; once the stream has caught up it is new again."""
    clock = LiveClock()
    ages_s = [clock.age_s(160, 16_000, now_s=100 + 0.01 * k) for k in range(100)]  # 1 s, in time
    assert max(ages_s) < 0.02
    burst_s = [clock.age_s(160, 16_000, now_s=106.0) for _ in range(500)]  # 5 s, all at once, 5 s late
    assert burst_s[0] == pytest.approx(5.0, abs=0.05)
    assert burst_s[-1] == pytest.approx(0.01, abs=0.05)


@pytest.mark.parametrize("drift", [-1e-4, 1e-4])
def test_drift_of_a_day(drift: float) -> None:
    """A sender whose crystal is off by 100 ppm is not taken for one that lags, not even after a day."""
    clock = LiveClock()
    ages_s = [clock.age_s(16_000, 16_000, now_s=k * (1 + drift)) for k in range(86_400)]
    assert max(ages_s) < 1.1
    assert min(ages_s) > 0.9


def test_flood_is_slowed_and_honest_sound_is_not() -> None:
    """Hours that come at once pass at little more than their own speed; a burst and a fast crystal never wait."""
    rate_limit, now_s = RateLimit(), 0.0
    for _ in range(3_600):  # an hour, poured in
        now_s += rate_limit.wait_s(1.0, now_s)
    assert now_s == pytest.approx((3_600 - BURST_S) / SPEED, rel=0.01)
    rate_limit = RateLimit()
    assert not any(rate_limit.wait_s(1.0, 0.0) for _ in range(25))  # what a stall of 25 s held back
    assert not any(rate_limit.wait_s(0.1, 1e3 + 0.0999 * k) for k in range(100_000))


def test_pace_does_not_drift() -> None:
    """Ten chunks of 50 ms take half a second, however the waits fall, and a stop ends the wait."""
    pace, stopping = Pace(), threading.Event()
    began_s = time.monotonic()
    assert all(pace.wait(800, 16_000, stopping) for _ in range(10))
    assert time.monotonic() - began_s >= 0.5 - 1e-3
    stopping.set()
    assert not pace.wait(16_000_000, 16_000, stopping)


def test_a_calm_pace_waits_for_the_next_look() -> None:
    """What is due between two looks comes at the second, all at once, and knows how late it is."""

    def as_it_should() -> bool:
        pace, stopping = Pace(), threading.Event()
        came = [(time.monotonic(), pace.late_s) for _ in range(12) if pace.wait(1_600, 16_000, stopping, calm=True)]
        at_s = np.array([now_s - late_s for now_s, late_s in came])
        looks = {round(now_s / POLL_S) for now_s, _ in came}
        latest_s = max(late_s for _, late_s in came)
        return bool(
            np.allclose(np.diff(at_s), 0.1, atol=0.05)
            and len(looks) in {3, 4}
            and 0.0 <= min(late_s for _, late_s in came) < latest_s < SLIP_S
        )

    wait_for(as_it_should, "a try in which the machine did not hold it up")


class Life(CapturedSource):
    """A source that does as it is told: each attempt takes the next step."""

    def __init__(self, *steps: str) -> None:
        super().__init__("x", Inbox("x"), back_off=BackOff(first_s=0.01, cap_s=0.02))
        self.attempts = 0
        self._steps = list(steps)

    def _attempt(self) -> None:
        self.attempts += 1
        match self._steps.pop(0) if self._steps else "refused":
            case "drop":
                self._live()
                raise AttemptError(SourceState.RECONNECTING, "dropped by rtsp://u:secret@cam")
            case "refused":
                raise AttemptError(SourceState.RECONNECTING, "refused")
            case "bug":
                raise ZeroDivisionError("rtsp://u:secret@cam")
            case "live":
                self._live()
                self._stopping.wait()


def test_one_log_line_per_change(caplog: pytest.LogCaptureFixture) -> None:
    """Many attempts that fail the same way are one line; each return to life counts as a reconnect."""
    life = Life("drop", *["refused"] * 5, "live")
    with caplog.at_level(logging.INFO):
        life.start()
        wait_for(lambda: life.attempts == 7 and life.status().state is SourceState.LIVE, "the end of the steps")
        assert life.stop(PATIENCE_S)
    assert [record.message.split(":")[1].strip() for record in caplog.records] == ["live", "reconnecting", "live"]
    assert life.status().reconnects == 1
    assert "secret" not in caplog.text


def test_a_bug_is_seen_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that nobody expected is logged with its traceback, shown, and tried again; without passwords."""
    life = Life("bug")
    life.start()
    wait_for(lambda: life.attempts > 2, "the next attempts")
    assert life.stop(PATIENCE_S)
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text
    assert "secret" not in caplog.text


def test_thread_name_and_stop_before_start() -> None:
    """The thread is named after what it carries; a source that never started stops at once."""
    assert Life().stop(0.0)
    life = Life("live")
    life.start()
    wait_for(lambda: life.status().state is SourceState.LIVE, "life")
    assert "capture:x" in {thread.name for thread in threading.enumerate()}
    assert life.stop(PATIENCE_S)
