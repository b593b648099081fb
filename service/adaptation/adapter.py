"""Corrections, learnt from and put in force while the daemon listens: at once, and again each night.

One head serves the whole house: what the cat is in the nursery it is in the hall, and ten corrections are few enough.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Final

from model.adaptation.learning import Learnt, Lesson, learn
from model.adaptation.reference import load_reference
from model.bundle import Bundle
from model.classifier import Classifier
from monitord.errors import BundleError
from monitord.household import Household
from service.adaptation.documents import (
    Correction,
    KeptAdaptation,
    Sound,
    dump_adaptation,
    read_corrections,
    read_head,
)
from service.adaptation.memory import Memory
from service.messages import corrections
from service.messages.corrections import CRY, Correct, Outcome, Worth
from service.pipeline.channel import SourceChannel
from service.storage.documents import DocumentStore

DOCUMENT: Final = "adaptation"
"""Name in the store."""
UNDONE: Final = "adaptation-undone"
"""Name of what was undone last, for a person who changes their mind."""
MOST_CORRECTIONS: Final = 100
"""Corrections that are kept and learnt from, the newest: years of a family's patience, and 0.5 MB on disk."""
NIGHT_HOUR: Final = 3
"""Local hour of day from which it is learnt anew once: the thresholds may have been moved since."""
NICE: Final = 19
"""Niceness of the thread that learns: hearing comes first."""

_log = logging.getLogger(__name__)


class Adapter:
    """All methods run in the worker's thread, but for `told`; only the arithmetic has a thread of its own.

    Args:
        classifier: Where what was learnt takes effect.
        channels: By source.
        household: Which episodes are open.
        store: Keeps corrections and what was learnt.
    """

    def __init__(
        self,
        classifier: Classifier,
        channels: Mapping[str, SourceChannel],
        household: Household,
        store: DocumentStore,
    ) -> None:
        self._classifier, self._channels, self._store = classifier, channels, store
        self._bundle_id = classifier.bundle.id
        self._memory = Memory(channels, household, store, self._bundle_id)
        kept = self._kept()
        self._corrections = read_corrections(kept)
        self._at, self._detail, self._worth = kept.at, kept.detail, kept.worth
        self._outcome, self._source = kept.outcome, kept.source
        classifier.adaptation = read_head(kept)
        self._learning: Future[Learnt] | None = None
        self._again = False
        self._night = _night()
        self._told = self._state()

    @property
    def told(self) -> Mapping[str, object]:
        """Its part of `info`; for any thread."""
        return self._told

    @property
    def learning(self) -> bool:
        """Whether what was said last is not in force yet."""
        return self._learning is not None

    def correct(self, command: Correct) -> None:
        """Takes the family's word on an episode or a missed cry; said twice it counts once, said otherwise the last."""
        sound = self._meant(command)
        if sound is None:
            missed = command.missed_at is not None
            what = "no sound like a cry around then" if missed else f"no episode {command.episode or ''}"
            self._answer(
                f"{command.source}: nothing learnt: {what.strip()} is kept that could be corrected",
                "no_sound" if missed else "no_episode",
                command.source,
            )
            return
        before = [one for one in self._corrections if one.sound.name == sound.name]
        if [(one.was, one.reason) for one in before] != [(command.was, command.reason)]:
            others = [one for one in self._corrections if one.sound.name != sound.name]
            said = Correction(sound, command.was, command.reason, time.time())
            self._corrections = [*others, said][-MOST_CORRECTIONS:]
            self._save()
        self.adapt()

    def adapt(self) -> None:
        """Begins to learn anew from all corrections; what comes of it is in force some rounds later."""
        if self._learning is not None:
            self._again = True
            return
        if not self._corrections:
            self._put_in_force(Learnt(None), "no corrections yet", "none")
            return
        params = self._classifier.bundle.manifest.tracker
        thresholds = {source: params.neutral(channel.threshold) for source, channel in self._channels.items()}
        usual = params.neutral(params.on_p)
        lessons = [
            Lesson(
                f"{one.sound.name} ({one.was})",
                one.was == CRY,
                one.sound.array(),
                thresholds.get(one.sound.source, usual),
            )
            for one in self._corrections
        ]
        bundle, all_thresholds = self._classifier.bundle, sorted({*thresholds.values()})
        learning: Future[Learnt] = Future()
        self._learning = learning
        # No pool: Python would wait for the thread of one at the end of the daemon, a minute on a small machine.
        work = (learning, bundle, lessons, all_thresholds)
        threading.Thread(target=_learn, args=work, name="adapt", daemon=True).start()

    def undo(self) -> None:
        """Hears again as the bundle does; the corrections are put aside."""
        self._store.save(UNDONE, self._document())
        self._corrections, self._learning, self._again = [], None, False
        self._put_in_force(Learnt(None), "all corrections are undone", "undone")

    def tick(self) -> None:
        """Remembers what was heard; puts in force what was learnt; begins to learn each night."""
        self._memory.tick()
        if self._learning is not None and self._learning.done():
            self._take(self._learning)
        if (night := _night()) != self._night:
            self._night = night
            if self._corrections:
                self.adapt()

    def _meant(self, command: Correct) -> Sound | None:
        self._memory.tick()  # who is told of an episode may correct it before this round of the worker is over
        if command.missed_at is not None:
            return self._memory.missed(command.source, command.missed_at)
        kept = self._memory.episode(command.source, command.episode)
        # An episode that was corrected long ago may be corrected otherwise.
        named = [one.sound for one in self._corrections if one.sound.name == command.episode]
        return kept or (named[0] if named else None)

    def _take(self, learning: "Future[Learnt]") -> None:
        self._learning = None
        if self._again:  # more was said meanwhile, or all was undone
            self._again = False
            self.adapt()
            return
        try:
            learnt = learning.result()
        except BundleError as error:
            self._put_in_force(Learnt(None), str(error), "failed")
        else:
            self._put_in_force(learnt, _words(learnt), "learnt")

    def _put_in_force(self, learnt: Learnt, detail: str, outcome: Outcome) -> None:
        self._classifier.adaptation = learnt.adaptation
        self._worth = Worth(len(learnt.kept), len(learnt.left_out), learnt.lost)
        self._answer(detail, outcome)

    def _answer(self, detail: str, outcome: Outcome, source: str = "") -> None:
        _log.info("corrections: %s", detail)
        self._at, self._detail, self._outcome, self._source = time.time(), detail, outcome, source
        self._save()

    def _save(self) -> None:
        self._store.save(DOCUMENT, self._document())
        self._told = self._state()

    def _document(self) -> Mapping[str, object]:
        return dump_adaptation(
            self._bundle_id,
            self._corrections,
            self._classifier.adaptation,
            at=self._at,
            detail=self._detail,
            outcome=self._outcome,
            source=self._source,
            worth=self._worth,
        )

    def _state(self) -> Mapping[str, object]:
        return corrections.adaptation(
            in_force=self._classifier.adaptation is not None,
            corrections=len(self._corrections),
            at=self._at,
            detail=self._detail,
            outcome=self._outcome,
            source=self._source,
            worth=self._worth,
        )

    def _kept(self) -> KeptAdaptation:
        """What is kept for this bundle; what another one was taught waits for it under its own name."""
        kept = self._store.read(DOCUMENT, KeptAdaptation)
        if kept.bundle in {"", self._bundle_id}:
            return kept
        self._store.save(f"{DOCUMENT}-{kept.bundle}", kept.model_dump())
        ours = self._store.read(f"{DOCUMENT}-{self._bundle_id}", KeptAdaptation)
        detail = f"{len(kept.corrections)} corrections were given to bundle {kept.bundle} and are set aside"
        _log.warning("corrections: %s; bundle %s has %d", detail, self._bundle_id, len(ours.corrections))
        if ours.detail:
            return ours.model_copy(update={"bundle": self._bundle_id})
        return ours.model_copy(update={"bundle": self._bundle_id, "detail": detail, "outcome": "set_aside"})


def _learn(learning: "Future[Learnt]", bundle: Bundle, lessons: list[Lesson], thresholds: list[float]) -> None:
    with contextlib.suppress(PermissionError):  # a hardened service may not choose: it learns at its own priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    try:
        learning.set_result(learn(bundle.id, lessons, load_reference(bundle), thresholds))
    except BaseException as error:  # noqa: BLE001 - the worker's thread meets it, and decides
        learning.set_exception(error)


def _words(learnt: Learnt) -> str:
    """Says what came of learning."""
    out = [
        f"{one.name} not learnt, it would cost too many cries"
        if not one.is_cry
        else f"{one.name} not learnt, it would raise too many false alarms"
        for one in learnt.left_out
    ]
    if learnt.adaptation is None:
        return "; ".join(["nothing changed", *out])
    heard = f"{len(learnt.kept)} of {len(learnt.kept) + len(out)} corrections are heard as you say"
    cost = f"of strangers' cries {learnt.lost:.2%} of the windows are lost"
    return "; ".join([heard, cost, *out])


def _night() -> object:
    """A day that begins at `NIGHT_HOUR`, local time."""
    return (datetime.fromtimestamp(time.time()).astimezone() - timedelta(hours=NIGHT_HOUR)).date()
