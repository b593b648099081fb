"""A trace of the real worker: every sample lies in one stretch of the gate, every scored window is a line."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from model.classifier import Classifier
from monitord.types import RATE_HZ, CryEvent, Pcm, Scores, Segment
from service.capture.inbox import Inbox
from service.capture.injection import Injection
from service.messages.json_lines import Line
from service.pipeline.channel import SourceChannel
from service.pipeline.trace import Trace
from service.pipeline.worker import Worker
from tests.support.sound.chunks import SIZES, cut_up
from tests.support.sound.loudness import loudness_classifier
from tests.support.sound.sounds import cry_in_room, noise, silence, tone

QUIET = noise(1.0, rms_dbfs=-80)
SCENE = np.concatenate([np.tile(QUIET, 6), cry_in_room(0.0, 0.0)[: 3 * RATE_HZ], QUIET, tone(300, 0.1), QUIET])
"""Quiet, three seconds of a cry, and a sound that is too short."""
AT = 1.8e9
"""Wall time of the first sample (Unix seconds): 2027-01-15T08:00:00Z."""


class Nobody:
    """A reporter that tells nobody."""

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """As `Reporter.event`."""

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """As `Reporter.segment`."""

    def tick(self) -> None:
        """As `Reporter.tick`."""


class Traced:
    """A worker with one room, and the lines of its trace."""

    def __init__(self, classifier: Classifier, *, live: bool = False, behind: bool = False) -> None:
        manifest = classifier.bundle.manifest
        self.lines: list[dict[str, Any]] = []
        self.channel = SourceChannel.of(Inbox("room"), manifest.listener, manifest.tracker)
        trace = Trace(self._keep, live=live)
        self.worker = Worker([self.channel], classifier, Nobody(), threading.Event(), live=behind, trace=trace)
        self._written = 0

    def _keep(self, line: Line) -> None:
        self.lines.append(line)

    def hear(self, *sounds: Pcm) -> None:
        """Hears one sound after the other, half a second each round."""
        for sound in sounds:
            for start in range(0, len(sound), 8_000):
                self.write(sound[start : start + 8_000])
                self.worker.round()

    def write(self, samples: Pcm) -> None:
        """Lets it arrive."""
        self.channel.inbox.write(samples, RATE_HZ, AT + self._written / RATE_HZ)
        self._written += len(samples)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Its lines of a kind."""
        return [line for line in self.lines if line["kind"] == kind]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Real but for the weights: loud is a cry."""
    return loudness_classifier(tmp_path_factory.mktemp("loudness"))


def test_the_way_of_a_cry(classifier: Classifier) -> None:
    """The gate closed, then open; windows that gather evidence until it is enough; crying, and calm after the hold."""
    room = Traced(classifier)
    room.hear(QUIET, QUIET, tone(300, 1.2), *[QUIET] * 12)
    assert room.lines[0] == {
        "kind": "room",
        "source": "room",
        "t_s": 0.0,
        "enabled": True,
        "threshold": 0.5,
        "fault": "ok",
    }
    first, second, third = room.of("window")[:3]
    assert list(first) == [
        *[
            "kind",
            "source",
            "t_s",
            "dbfs",
            "floor",
            "gate",
            "p_cry",
            "distress",
            "threshold",
            "evidence",
            "on",
            "state",
        ],
    ]
    assert first["t_s"] == 2.16  # the ninth end of a window, each 0.24 s
    assert [line["evidence"] for line in (first, second, third)] == [1.0, 1.94, 2.5]  # less what fades
    assert [line["state"] for line in (first, second, third)] == ["calm", "calm", "crying"]
    assert (third["on"], third["gate"]) == (2.5, "sound")
    assert [(line["t_s"], line["state"], line["evidence"]) for line in room.of("state")] == [
        (third["t_s"], "crying", 2.5),
        (pytest.approx(13.2, abs=0.3), "calm", 0),
    ]
    opened = next(line for line in room.of("gate") if line["gate"] == "sound")
    assert (opened["from_s"], opened["t_s"]) == (2.0, 3.4)  # to the end of the hangover of 0.2 s
    assert opened["dbfs"] > opened["bound"]


@given(SIZES)
@settings(max_examples=6)
def test_the_gate_tiles_the_stream(classifier: Classifier, sizes: list[int]) -> None:
    """Each stretch begins where the last one ended, none is longer than 5 s; chunks and rounds change no line."""
    at_once, cut = Traced(classifier), Traced(classifier)
    at_once.write(SCENE)
    for number, part in enumerate(cut_up(SCENE, sizes)):
        cut.write(part)
        if number % 5 == 0:
            cut.worker.round()
    for room in (at_once, cut):
        room.worker.flush()
        stretches = room.of("gate")
        assert [line["from_s"] for line in stretches] == [0.0, *[line["t_s"] for line in stretches[:-1]]]
        assert stretches[-1]["t_s"] == pytest.approx(len(SCENE) / RATE_HZ, abs=0.02)
        assert max(line["t_s"] - line["from_s"] for line in stretches) <= 5.0
        assert len(room.of("too_short")) >= 1
    assert sorted(map(str, at_once.lines)) == sorted(map(str, cut.lines))


def test_what_is_closed_says_how_near_it_came(classifier: Classifier) -> None:
    """Of a quiet stretch the frame that came nearest to the bound is told, with the bound that it had to pass."""
    room = Traced(classifier)
    room.hear(*[noise(1.0, rms_dbfs=-72)] * 20)
    line = room.of("gate")[-1]
    assert line["gate"] == "closed"
    assert line["floor"] == pytest.approx(-72, abs=1)
    assert line["bound"] == pytest.approx(line["floor"] + 6, abs=0.11)
    assert line["floor"] < line["dbfs"] <= line["bound"]
    assert line["from_s"] < line["at_s"] <= line["t_s"]


def test_sound_that_never_came(classifier: Classifier) -> None:
    """A hole is a line, between the stretches around it."""
    room = Traced(classifier)
    room.hear(QUIET)
    room.channel.inbox.skip(2 * RATE_HZ, RATE_HZ)
    room.hear(QUIET)
    room.worker.flush()
    (hole,) = room.of("hole")
    assert (hole["from_s"], hole["t_s"]) == (1.0, 3.0)
    assert [(line["from_s"], line["t_s"]) for line in room.of("gate")] == [(0.0, 1.0), (3.0, 4.0)]


def test_a_room_that_is_changed(classifier: Classifier) -> None:
    """A threshold, a switch and a fault are told when they change; a room that is off has no windows."""
    room = Traced(classifier)
    room.hear(QUIET)
    room.channel.on_p = 0.8
    room.hear(QUIET)
    room.channel.enabled = False
    room.hear(tone(300, 1.0))
    assert not room.of("window")
    room.channel.enabled = True
    room.hear(tone(300, 0.5))
    assert room.of("window")[0]["threshold"] == 0.8
    assert "skipped" not in room.of("window")[0]
    room.hear(silence(8.0))
    assert [(line["threshold"], line["enabled"], line["fault"]) for line in room.of("room")] == [
        (0.5, True, "ok"),
        (0.8, True, "ok"),
        (0.8, False, "ok"),
        (0.8, True, "ok"),
        (0.8, True, "digital_silence"),
    ]


def test_windows_that_were_left_out(classifier: Classifier) -> None:
    """A machine that is far behind scores each second window, and says so."""
    room = Traced(classifier, behind=True)
    room.hear(QUIET)
    for _ in range(12):
        room.write(noise(1.0, rms_dbfs=-20))
    while room.worker.round():
        pass
    skipped = sum(line.get("skipped", 0) for line in room.of("window"))
    assert skipped > 0
    assert skipped + len(room.of("window")) == pytest.approx(12 / 0.24, abs=1)


def test_another_rooms_cry(classifier: Classifier) -> None:
    """An episode that another room opened is told, with less evidence than it takes alone."""
    room = Traced(classifier)
    room.hear(QUIET, tone(300, 0.3))
    assert room.channel.tracker.join(room.channel.listener.position)
    room.hear(QUIET)
    (state,) = room.of("state")
    assert state["state"] == "crying"
    assert 0 < state["evidence"] < state["on"]


def test_a_test_alarm(classifier: Classifier) -> None:
    """Its windows say so, and count for nothing."""
    room = Traced(classifier)
    room.hear(QUIET)
    room.channel.test(Injection(tone(300, 2.0)))
    room.hear(QUIET, QUIET, QUIET, QUIET)
    tested = [line for line in room.of("window") if line.get("test")]
    assert len(tested) >= 7
    assert {line["evidence"] for line in tested} == {0}
    assert not room.of("state")


def test_live_lines_have_a_time_and_the_segments_among_them(classifier: Classifier) -> None:
    """Each line has its wall time, and there is none before any sound; segments and events are in the same file."""
    room = Traced(classifier, live=True)
    room.worker.round()
    assert room.lines == []
    room.hear(QUIET, tone(300, 1.2), *[QUIET] * 12)
    assert {line["kind"] for line in room.lines} >= {"room", "gate", "window", "segment", "event", "state"}
    assert all(line["at"].startswith("2027-01-15T08:00:") for line in room.lines)
    started = next(line for line in room.of("event") if line["event_type"] == "started")
    assert started["at"] == f"2027-01-15T08:00:{started['t_s']:06.3f}Z"


def test_nobody_asks_and_nothing_is_kept(classifier: Classifier) -> None:
    """A worker without a trace leaves its listeners as they are."""
    manifest = classifier.bundle.manifest
    channel = SourceChannel.of(Inbox("room"), manifest.listener, manifest.tracker)
    Worker([channel], classifier, Nobody(), threading.Event()).round()
    assert channel.listener.looks is None
