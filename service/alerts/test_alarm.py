"""Test alarms: a cry laid over what a room really captures, followed to the phones, and timed.

What is proven: that this microphone gives live sound now, that the network hears a cry over the noise of this room
now, that the broker passes the event on, and which receivers got it. While a test runs, and for a second after it, a
real cry in this room is heard later by as much; it ends as soon as the cry is heard, 2 s or so.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import TypeAdapter

from monitord.household import Episode
from monitord.listening.gate import frame_dbfs
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import amplified
from monitord.types import CryEvent, Pcm
from service.alerts.publisher import Publisher
from service.capture.injection import Injection
from service.capture.recording import file_chunks
from service.messages import cry_messages
from service.messages.commands import BROKER
from service.messages.message import iso_utc
from service.pipeline.channel import SourceChannel
from service.storage.documents import DocumentStore
from service.storage.schemas import IsoTime

DOCUMENT: Final = "proofs"
"""Name in the store."""
SOUND: Final = Path(__file__).parent / "sounds" / "test_cry.flac"
"""The loudest 5 s of the synthetic bout of `monitord.synthetic.synthetic_cry`: no baby's recording is shipped."""
PATIENCE_S: Final = 15.0
"""Seconds after which a test that was not heard, or not passed on by the broker, has failed: the sound lasts 5 s, and a
broker that restarts is back within 10."""
DAILY_WINDOW_S: Final = 600.0
"""Seconds by which the daily test may begin: a daemon that starts in the night does not make up for it then."""
LAG_S: Final = 60.0
"""Seconds before it was asked for a test's first sample may have been captured, at most: a stream lags by seconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TestResult:
    """The last test alarm of a room."""

    state: Literal["never", "running", "proven", "failed"] = "never"
    test: str | None = None
    """Episode id of the test."""
    started: IsoTime | None = None
    """When its first sample was captured, or it was asked for (ISO 8601)."""
    proven: IsoTime | None = None
    """When a test last succeeded (ISO 8601); it outlives a later failure."""
    heard_ms: int | None = None
    """From the first sample of the cry to the decision, in real time."""
    published_ms: int | None = None
    """From the first sample to the moment the broker passed the event on to us."""
    receivers: dict[str, int] = field(default_factory=dict)
    """Milliseconds from the first sample to each receiver's acknowledgement."""
    proven_by: tuple[str, ...] = ()
    """Who had the test that last succeeded: the broker, then each phone as it answered; it outlives a later failure."""
    not_told: dict[str, str] = field(default_factory=dict)
    """Why a channel could not hand it over so far, for a person; empty for one that has it."""
    detail: str = ""
    """Why it failed, for a person."""
    why: str = ""
    """The same for a program: one of `Why`, or what a later version says; empty where it did not."""
    over_db: float | None = None
    """How far the cry stood over the room's own noise (decibels); None: as loud as a baby beside the microphone."""


Why = Literal["off", "crying", "unheard", "not_heard", "not_passed_on", "restarted"]
"""Listening is off; the baby cries; something is wrong with the room's sound; the cry was not heard over it; the broker
did not pass the event on; the monitor was restarted."""

_PROOF: Final = TypeAdapter(TestResult)


class TestAlarms:
    """Used by the worker alone.

    Args:
        publisher: Where tests are told.
        channels: By source.
        store: Keeps proofs over a restart.
        fault: What is wrong with a source, in words; empty when it is heard.
        daily_at: Local time of a test alarm of all rooms every day; None is never.
    """

    def __init__(
        self,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        store: DocumentStore,
        *,
        fault: Callable[[str], str],
        daily_at: dt.time | None = None,
    ) -> None:
        self._publisher, self._channels, self._store = publisher, channels, store
        self._fault, self._daily_at = fault, daily_at
        kept = store.entries(DOCUMENT, _read)
        self._proofs = {source: kept.get(source, TestResult()) for source in channels}
        self._asked_at: dict[str, float] = {}  # by source whose test runs: monotonic seconds
        self._began_at: dict[str, float] = {}  # wall time of the first sample (Unix seconds), by source
        self._sound: Pcm | None = None

    def begin_all(self) -> None:
        """Tells what was proven before."""
        for source in self._channels:
            self._tell(source)

    def begin(self, source: str, *, over_db: float | None = None) -> None:
        """Begins the test alarm of a room, as of `commands.TestAlarm`; one that runs already goes on."""
        if source in self._asked_at:
            return
        channel, now = self._channels[source], time.time()
        test = cry_messages.episode_id(source, now, 0)
        before = self._proofs[source]
        begun = TestResult("running", test, iso_utc(now), before.proven, proven_by=before.proven_by, over_db=over_db)
        self._put(source, begun)
        self._asked_at[source] = time.monotonic()
        self._began_at[source] = now
        if not channel.enabled:
            self._fail(source, "listening is switched off in this room", "off")
        elif channel.tracker.crying:
            self._fail(source, "the baby is crying now: that is the real alarm", "crying")
        else:
            channel.test(Injection(self._cry() if over_db is None else _at_level(self._cry(), channel, over_db)))

    def heard(self, channel: SourceChannel, event: CryEvent) -> None:
        """The injected cry was decided to be one: tells the `test` event."""
        if channel.source not in self._asked_at or channel.injection is None:
            return
        source = channel.source
        self._began_at[source] = channel.injection.began_at
        channel.end_test()
        proof = self._proofs[source]
        assert proof.test is not None
        self._put(source, replace(proof, heard_ms=self._ms(source), started=iso_utc(self._began_at[source])))
        now = time.monotonic()
        test = Episode(proof.test, source, self._began_at[source], told_at=now, reminded_at=now)
        self._publisher.tell(event, test, channel.listener.at(event.decided), alert=True)

    def received(self, source: str, test: str, receiver: str) -> None:
        """A receiver says that the test arrived; what it says of an older test is no news."""
        proof = self._proofs[source]
        if proof.test != test or proof.heard_ms is None or receiver in proof.receivers:
            return
        ms = self._ms(source)
        proof = replace(proof, not_told={one: why for one, why in proof.not_told.items() if one != receiver})
        if receiver != BROKER:
            proof = replace(proof, receivers={**proof.receivers, receiver: ms})
        elif source in self._asked_at:
            del self._asked_at[source]
            proof = replace(proof, state="proven", published_ms=ms, proven=proof.started)
        if proof.state == "proven":
            proof = replace(proof, proven_by=(BROKER, *proof.receivers))
        self._put(source, proof)

    def not_received(self, source: str, test: str, receiver: str, reason: str) -> None:
        """A channel could not hand the test over; the same words again are no news."""
        proof = self._proofs[source]
        if proof.test == test and receiver not in proof.receivers and proof.not_told.get(receiver) != reason:
            self._put(source, replace(proof, not_told={**proof.not_told, receiver: reason}))

    def tick(self) -> None:
        """Begins the daily test, and gives up on tests that take too long."""
        self._test_daily(time.time())
        now = time.monotonic()
        for source in [one for one, asked in self._asked_at.items() if now - asked > PATIENCE_S]:
            if self._proofs[source].heard_ms is not None:
                self._fail(source, "the cry was heard, but the broker did not pass the event on", "not_passed_on")
            elif fault := self._fault(source):
                self._fail(source, fault, "unheard")
            else:
                self._fail(source, "the cry was not heard over what this room sounds like now", "not_heard")

    def _test_daily(self, now: float) -> None:
        if self._daily_at is None:
            return
        # One moment of each local day, also where clocks are put on or back over that time of day.
        day = time.localtime(now)[:3]
        due = time.mktime((*day, self._daily_at.hour, self._daily_at.minute, 0, 0, 0, -1))
        if not due <= now < due + DAILY_WINDOW_S:
            return
        for source, proof in self._proofs.items():
            channel = self._channels[source]
            # A baby that cries now is the real alarm; a room that is switched off wants none.
            if not channel.enabled or channel.tracker.crying:
                continue
            if proof.started is None or dt.datetime.fromisoformat(proof.started).timestamp() < due - LAG_S:
                self.begin(source)

    def _fail(self, source: str, detail: str, why: Why) -> None:
        self._asked_at.pop(source, None)
        self._channels[source].end_test()
        self._put(source, replace(self._proofs[source], state="failed", detail=detail, why=why))
        _log.warning("%s: the test alarm failed: %s", source, detail)

    def _ms(self, source: str) -> int:
        return round((time.time() - self._began_at[source]) * 1000)

    def _put(self, source: str, proof: TestResult) -> None:
        self._proofs[source] = proof
        self._store.save(DOCUMENT, {one: asdict(kept) for one, kept in self._proofs.items()})
        self._tell(source)

    def _tell(self, source: str) -> None:
        self._publisher.send(cry_messages.proof(self._publisher.node, source, asdict(self._proofs[source])))

    def _cry(self) -> Pcm:
        if self._sound is None:
            self._sound = np.concatenate([samples for samples, _ in file_chunks(SOUND)])
        return self._sound


def _at_level(cry: Pcm, channel: SourceChannel, over_db: float) -> Pcm:
    """Returns int16 [n] whose loudest window is so far over the room's noise, once the channel has amplified it."""
    windows = cry[: len(cry) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    loudest_dbfs = float(frame_dbfs(windows).max())
    return amplified(cry, channel.noise_dbfs + over_db - loudest_dbfs - channel.inbox.gain_db)


def _read(_: str, kept: object) -> TestResult:
    proof = _PROOF.validate_python(kept)
    if proof.state != "running":
        return proof
    # Its process is gone: what was running then cannot be finished now.
    return replace(proof, state="failed", detail="the monitor was restarted", why="restarted")
