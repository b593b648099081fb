"""The one thread that hears: rounds over all sources, one forward pass, and the same events however sound arrives."""

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings

from model.classifier import Classifier
from monitord.types import RATE_HZ, CryEvent, Pcm, Scores, Segment
from service.capture.inbox import Inbox
from service.pipeline.channel import SourceChannel
from service.pipeline.worker import Worker
from tests.support.patience import PATIENCE_S
from tests.support.sound.chunks import SIZES, cut_up
from tests.support.sound.loudness import Loudness
from tests.support.sound.matching import wait_for
from tests.support.sound.sounds import cry_in_room, noise, silence, tone

QUIET = noise(1.0, rms_dbfs=-80)


@dataclass
class Heard:
    """A reporter that keeps what it is told."""

    told: list[tuple[str, str, int]] = field(default_factory=list)
    """Source, event type or `segment`, and the sample at which it was known."""
    segments: list[tuple[Segment, Scores]] = field(default_factory=list)
    ticks: int = 0

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """As `Reporter.event`."""
        self.told.append((channel.source, event.event_type, event.decided))

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """As `Reporter.segment`."""
        self.told.append((channel.source, "segment", segment.closed))
        self.segments.append((segment, scores))

    def tick(self) -> None:
        """As `Reporter.tick`."""
        self.ticks += 1

    def kinds(self, source: str = "room") -> list[str]:
        """What was told of a source, in order."""
        return [kind for of, kind, _ in self.told if of == source]


def new_channel(classifier: Classifier, source: str = "room") -> SourceChannel:
    manifest = classifier.bundle.manifest
    return SourceChannel.of(Inbox(source), manifest.listener, manifest.tracker)


def new_worker(classifier: Classifier, *channels: SourceChannel, live: bool = False) -> tuple[Worker, Heard]:
    heard = Heard()
    return Worker(channels, classifier, heard, threading.Event(), live=live), heard


def rounds(worker: Worker, channel: SourceChannel, samples: Pcm, seconds_each: float = 0.5) -> None:
    """Writes so much before each round."""
    step = round(seconds_each * RATE_HZ)
    for start in range(0, len(samples), step):
        channel.inbox.write(samples[start : start + step], RATE_HZ, 1.8e9 + start / RATE_HZ)
        worker.round()


def test_a_cry_is_an_episode_with_its_segments(classifier: Classifier) -> None:
    """Started within the first cry sound, a segment for each, ended after the hold; every segment scored a cry."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, np.concatenate([cry_in_room(2.0, 0.0), np.tile(QUIET, 12)]))
    kinds = heard.kinds()
    assert (kinds[0], kinds[-1]) == ("started", "ended")
    assert kinds.count("started") == kinds.count("ended") == 1
    assert 10 <= kinds.count("segment") <= 12
    assert heard.told[0][2] < 3.5 * RATE_HZ  # the cry begins at 2 s
    assert all(scores.p_cry > 0.5 and scores.n_windows >= 1 for _, scores in heard.segments)
    assert [of for of, _, _ in heard.told] == ["room"] * len(kinds)


def test_the_reason_follows_the_sound(classifier: Classifier) -> None:
    """Deep voices are hungry to this network: told with the first segment, after `started`, and not again."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, np.concatenate([QUIET, tone(300, 1.0), QUIET, tone(300, 1.0), QUIET]))
    assert heard.kinds() == ["started", "segment", "reason", "segment"]
    first = heard.segments[0][1]
    assert first.reasons.argmax() == 0
    assert first.reasons.sum() == pytest.approx(1.0, abs=1e-5)


def test_what_is_no_cry_is_told_as_segment_only(classifier: Classifier) -> None:
    """A sound that the network does not call a cry ends as a segment with a low probability, and no event."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, np.concatenate([QUIET, noise(1.0, rms_dbfs=-25), QUIET]))
    assert heard.kinds() == ["segment"]
    assert heard.segments[0][1].p_cry < 0.01


@given(SIZES)
@settings(max_examples=8)
def test_chunks_and_rounds_do_not_matter(
    classifier: Classifier, scene: tuple[Pcm, list[tuple[str, str, int]]], sizes: list[int]
) -> None:
    """However the sound arrives and whenever the worker turns to it: the same is told at the same samples."""
    sound, at_once = scene
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    for number, part in enumerate(cut_up(sound, sizes)):
        channel.inbox.write(part, RATE_HZ, 0.0)
        if number % 7 == 0:
            worker.round()
    worker.flush()
    assert heard.told == at_once


@pytest.fixture(scope="module")
def scene(classifier: Classifier) -> tuple[Pcm, list[tuple[str, str, int]]]:
    """Two episodes, and what is told of them when they come as one chunk."""
    sound = np.concatenate([cry_in_room(1.0, 0.0)[: 4 * RATE_HZ], np.tile(QUIET, 11), tone(300, 1.5)])
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    channel.inbox.write(sound, RATE_HZ, 0.0)
    worker.flush()
    assert heard.kinds().count("started") == heard.kinds().count("ended") == 2
    return sound, heard.told


def test_sources_do_not_mix(classifier: Classifier) -> None:
    """Two rooms in one worker: each gets its own events, and one forward pass a round serves both."""
    nursery, bedroom = new_channel(classifier, "nursery"), new_channel(classifier, "bedroom")
    worker, heard = new_worker(classifier, nursery, bedroom)
    runtime = classifier.runtime
    assert isinstance(runtime, Loudness)
    runtime.sizes.clear()
    sound = np.concatenate([QUIET, tone(300, 1.2), QUIET])
    for start in range(0, len(sound), 8_000):
        nursery.inbox.write(sound[start : start + 8_000], RATE_HZ, 0.0)
        bedroom.inbox.write(sound[start : start + 8_000], RATE_HZ, 0.0)
        worker.round()
    assert heard.kinds("nursery") == heard.kinds("bedroom")
    assert "started" in heard.kinds("nursery")
    assert set(runtime.sizes) <= {2, 4}  # 2 windows or fewer in half a second, of two rooms


def test_a_room_that_is_switched_off_is_not_judged(classifier: Classifier) -> None:
    """Its samples are still counted, so that it can be seen to live; nothing is scored and nothing told."""
    channel = new_channel(classifier)
    channel.enabled = False
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, cry_in_room(0.5, 0.5))
    assert heard.told == []
    assert channel.published_tally.segmented > 0
    assert channel.published_tally.conserved
    assert heard.ticks > 0


def test_a_room_may_be_switched_on_in_the_middle_of_a_cry(classifier: Classifier) -> None:
    """At any moment: a segment of which no window was scored is left out, and the worker goes on to hear the next."""
    sound = np.concatenate([QUIET, tone(300, 0.5), QUIET, tone(300, 1.5), QUIET])
    for switch in range(0, len(sound), 4 * 320):
        channel = new_channel(classifier)
        channel.enabled = False
        worker, heard = new_worker(classifier, channel)
        for start in range(0, len(sound), 4 * 320):
            channel.enabled = start >= switch
            channel.inbox.write(sound[start : start + 4 * 320], RATE_HZ, 0.0)
            worker.round()
        assert all(scores.p_cry > 0.5 for _, scores in heard.segments)
        assert len(heard.segments) == (2 if switch < RATE_HZ else len(heard.segments))


def test_the_familys_threshold_decides(classifier: Classifier) -> None:
    """A room with a threshold that nothing reaches hears no episode; the bundle's own would."""
    channel = new_channel(classifier)
    channel.on_p = 1.0
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, np.concatenate([QUIET, tone(300, 3.0), QUIET]))
    assert set(heard.kinds()) == {"segment"}


def test_flush_hears_the_rest_and_ends_what_is_open(classifier: Classifier) -> None:
    """On a clean stop nothing that was captured is dropped: the last segment and the end of the episode are told."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    channel.inbox.write(np.concatenate([QUIET, tone(300, 2.0)]), RATE_HZ, 0.0)
    worker.flush()
    assert heard.kinds() == ["started", "segment", "reason", "ended"]
    assert heard.told[-1] == ("room", "ended", 3 * RATE_HZ)
    assert channel.published_tally.conserved
    assert (channel.published_tally.held, channel.published_tally.captured) == (0, 3 * RATE_HZ)
    worker.flush()
    assert len(heard.told) == 4


def test_an_episode_ends_while_the_room_is_quiet(classifier: Classifier) -> None:
    """In a silent room no window falls out: time passes by samples all the same, and ends the episode."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel)
    rounds(worker, channel, np.concatenate([QUIET, tone(300, 1.2), silence(11.0)]), seconds_each=0.1)
    kind, decided = heard.told[-1][1:]
    assert kind == "ended"
    assert decided == pytest.approx(12.2 * RATE_HZ, abs=0.5 * RATE_HZ)  # the hold after the last loud window


def test_its_thread_hears_and_leaves_when_asked(classifier: Classifier) -> None:
    """`run` wakes for sound, moves on while there is none, and `stop` makes it flush and leave."""
    channel, heard, wake = new_channel(classifier), Heard(), threading.Event()
    channel.inbox = Inbox("room", wake=wake)
    worker = Worker([channel], classifier, heard, wake)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        idle_since = worker.moved_at
        wait_for(lambda: worker.moved_at > idle_since, "a round without sound")
        channel.inbox.write(np.concatenate([QUIET, tone(300, 2.0)]), RATE_HZ, time.time())
        wait_for(lambda: "started" in heard.kinds(), "started")
    finally:
        worker.stop()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert heard.kinds()[-1] == "ended"


def test_calm_are_all_rooms_or_none(classifier: Classifier) -> None:
    """No round waits from the first window of any room until a second after the last, or while one cries."""
    channels = [new_channel(classifier, "nursery"), new_channel(classifier, "bedroom")]
    worker, _ = new_worker(classifier, *channels, live=True)
    calm = []
    for sound in (QUIET, noise(0.5, rms_dbfs=-25), QUIET[: RATE_HZ // 2], QUIET, tone(300, 2.0), QUIET, QUIET):
        for channel, samples in zip(channels, (sound, np.resize(QUIET, len(sound))), strict=True):
            rounds(worker, channel, samples)
        calm.append(worker.calm)
    assert channels[0].tracker.crying
    assert calm == [True, False, False, True, False, False, False]


def test_its_thread_ends_with_its_sources(classifier: Classifier) -> None:
    """When all sources are over, `run` returns by itself: a replay needs nobody to stop it."""
    channels = [new_channel(classifier, "one"), new_channel(classifier, "two")]
    worker, heard = new_worker(classifier, *channels)
    for channel in channels:
        channel.inbox.write(tone(300, 2.0), RATE_HZ, 0.0)
        channel.inbox.end()
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert heard.kinds("one") == heard.kinds("two") == ["started", "segment", "reason", "ended"]


class NobodyWakes(threading.Event):
    """Says that somebody waits."""

    def wait(self, timeout: float | None = None) -> bool:
        """Never comes back in time."""
        raise AssertionError(f"it naps {timeout} s")


def test_it_does_not_nap_after_the_end(classifier: Classifier) -> None:
    """A recording that was read to its end wakes nobody any more: each clip of an archive would cost half a second."""
    channel = new_channel(classifier)
    channel.inbox.write(noise(2.5), RATE_HZ, 0.0)
    channel.inbox.end()
    Worker([channel], classifier, Heard(), NobodyWakes()).run()
    assert channel.flushed


def backlog(classifier: Classifier, *sounds: Pcm, live: bool) -> tuple[list[tuple[str, str, int]], int]:
    """Lets a room hear sounds that all wait at once; returns what was told and how many windows were scored."""
    channel = new_channel(classifier)
    worker, heard = new_worker(classifier, channel, live=live)
    runtime = classifier.runtime
    assert isinstance(runtime, Loudness)
    runtime.sizes.clear()
    channel.inbox.write(np.concatenate([QUIET, QUIET]), RATE_HZ, 0.0)  # taken first: how much is behind it then counts
    for sound in sounds:
        for start in range(0, len(sound), RATE_HZ):
            channel.inbox.write(sound[start : start + RATE_HZ], RATE_HZ, 0.0)
    while worker.round():
        pass
    assert channel.published_tally.conserved
    return heard.told, sum(runtime.sizes)


def test_far_behind_a_cry_is_still_told(classifier: Classifier) -> None:
    """With 20 s waiting fewer than half of the windows are scored, and every cry is told, at most a second later."""
    sounds = tone(300, 6.0), QUIET, tone(300, 2.0), np.tile(QUIET, 11)
    told, windows = backlog(classifier, *sounds, live=False)
    told_live, windows_live = backlog(classifier, *sounds, live=True)
    events, events_live = ([one for one in each if one[1] in ("started", "ended")] for each in (told, told_live))
    assert [kind for _, kind, _ in events] == [kind for _, kind, _ in events_live] == ["started", "ended"]
    assert 0 < events_live[0][2] - events[0][2] < RATE_HZ
    assert windows_live < 0.5 * windows


def test_hardly_behind_only_a_known_cry_is_followed_coarsely(classifier: Classifier) -> None:
    """With 3 s waiting a calm room is scored in full, so `started` is told at the same sample as ever."""
    told, windows = backlog(classifier, QUIET[:RATE_HZ], tone(300, 2.0), live=False)
    told_live, windows_live = backlog(classifier, QUIET[:RATE_HZ], tone(300, 2.0), live=True)
    assert told[0] == told_live[0]
    assert told[0][1] == "started"
    assert windows_live <= windows
