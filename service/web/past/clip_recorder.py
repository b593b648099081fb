"""Records clips: from five seconds before a cry to its end, in the room that tells it. Only where the family wants it.

The capture threads lay sound into memory; a thread of its own lets a child process encode it when the cry is over.
"""

import contextlib
import logging
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from monitord.pcm import Resampler
from monitord.types import RATE_HZ, AudioChunk, Pcm
from service.capture.child.encoder_main import LENGTH_BYTES
from service.capture.inbox import Tap
from service.messages.message import Message, Node
from service.web.past.clip_store import ClipStore

BEFORE_S: Final = 5.0
"""Seconds before the first sound of a cry that belong to its clip: what woke the baby."""
AHEAD_S: Final = 15.0
"""Seconds of sound that are held for a cry that is decided later: `BEFORE_S`, and a slow decision."""
MOST_S: Final = 180.0
"""Longest clip (seconds): of a longer cry its beginning; 6 MB of memory a room at 16 kHz, 17 at 48."""
PENDING: Final = 20
"""Clips that wait for the encoder; one too many is not kept, and that is logged."""
PRUNE_S: Final = 3_600.0
"""Seconds between two looks at what is too old, also while nobody cries."""
ENCODE_S: Final = 60.0
"""Longest encoding (seconds): the longest clip takes some 3, with its picture, on a small machine."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tape:
    """One room's newest sound; under the recorder's lock."""

    chunks: deque[AudioChunk] = field(default_factory=deque)
    episode: str = ""
    """That is recorded; empty: none."""
    begin_at: float = 0.0
    """Wall time at which its clip begins (Unix seconds)."""

    def take(self, chunk: AudioChunk) -> None:
        ends_at = _end(chunk)
        if self.episode and ends_at > self.begin_at + MOST_S:
            return
        self.chunks.append(chunk)
        if not self.episode:
            while _end(self.chunks[0]) < ends_at - AHEAD_S:
                self.chunks.popleft()


class ClipRecorder:
    """Any thread may tell it.

    Args:
        node: Who speaks.
        taps: By room.
        store: Keeps the clips.
    """

    def __init__(self, node: Node, taps: Mapping[str, Tap], store: ClipStore) -> None:
        self._prefix, self._taps, self._store = f"{node.root}/", taps, store
        self._lock = threading.Lock()
        self._tapes = {room: _Tape() for room in taps}
        self._hears = {room: self._hear(tape) for room, tape in self._tapes.items()}
        self._over: queue.Queue[tuple[str, float, list[AudioChunk]] | None] = queue.Queue(PENDING)
        self._thread = threading.Thread(target=self._encode_all, name="clips", daemon=True)

    def start(self) -> None:
        """Begins to hear."""
        for room, tap in self._taps.items():
            tap.open(self._hears[room], at_once=False)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends; a clip that is not encoded by then is lost."""
        for room, tap in self._taps.items():
            tap.close(self._hears[room])
        if self._thread.ident is not None:
            with contextlib.suppress(queue.Full):  # the encoder is behind: what waits for it is lost
                self._over.put_nowait(None)
            self._thread.join(timeout_s)

    def tell(self, message: Message) -> None:
        """Takes what the broker is told; returns at once."""
        room, _, topic = message.topic.removeprefix(self._prefix).partition("/")
        values, tape = message.content, self._tapes.get(room)
        if topic != "event" or tape is None or not isinstance(values, Mapping):
            return
        with self._lock:
            if values["event_type"] == "started":
                tape.episode = str(values["episode"])
                tape.begin_at = datetime.fromisoformat(str(values["since"])).timestamp() - BEFORE_S
            elif values["event_type"] == "ended" and tape.episode == values["episode"]:
                job = (tape.episode, tape.begin_at, list(tape.chunks))
                tape.episode = ""
                try:
                    self._over.put_nowait(job)
                except queue.Full:
                    _log.error("%s: no clip is kept, for the encoder is behind", values["episode"])

    def _hear(self, tape: _Tape) -> Callable[[AudioChunk], None]:
        def hear(chunk: AudioChunk) -> None:
            with self._lock:
                tape.take(chunk)

        return hear

    def _encode_all(self) -> None:
        self._prune()
        while True:
            try:
                job = self._over.get(timeout=PRUNE_S)
            except queue.Empty:
                self._prune()
                continue
            if job is None:
                return
            episode, begin_at, chunks = job
            try:
                heard = [_from(begin_at, one) for one in chunks if _end(one) > begin_at]
                self._store.add(episode, *encoded(at_16k(heard), heard[0].at if heard else begin_at))
            except (OSError, subprocess.SubprocessError) as error:
                _log.error("%s: no clip is kept: %s", episode, error)

    def _prune(self) -> None:
        try:
            self._store.prune()
        except OSError as error:
            _log.error("clips that are too old cannot be deleted: %s", error)


def at_16k(chunks: list[AudioChunk]) -> Pcm:
    """Returns chunks of one source as int16 [n] at 16 kHz; what was lost between them is left out."""
    parts: list[Pcm] = []
    resampler, following = Resampler(RATE_HZ), -1
    for chunk in chunks:
        if (chunk.rate_hz, chunk.start) != (resampler.rate_hz, following):
            parts.append(resampler.flush())
            resampler = Resampler(chunk.rate_hz, chunk.start)
        following = chunk.start + len(chunk.samples)
        parts.append(resampler.feed(chunk.samples))
    return np.concatenate([*parts, resampler.flush()])


def encoded(samples: Pcm, at: float) -> tuple[bytes, bytes]:
    """Returns int16 [n] at 16 kHz as WebM, and its picture as PNG, made in a process of its own.

    Args:
        samples: The clip.
        at: Wall time of its first sample (Unix seconds).

    Raises:
        OSError: The process failed.
        subprocess.SubprocessError: It took more than `ENCODE_S`.
    """
    command = [sys.executable, "-m", "service.capture.child.encoder_main", str(at)]
    done = subprocess.run(
        command, input=samples.astype("<i2").tobytes(), capture_output=True, timeout=ENCODE_S, check=False
    )
    if done.returncode or not done.stdout:
        raise OSError(
            f"the encoder ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:].strip()}"
        )
    length, rest = int.from_bytes(done.stdout[:LENGTH_BYTES], "little"), done.stdout[LENGTH_BYTES:]
    return rest[:length], rest[length:]


def _from(at: float, chunk: AudioChunk) -> AudioChunk:
    """What of it was captured at a wall time (Unix seconds) or later."""
    skipped = max(0, round((at - chunk.at) * chunk.rate_hz))
    later = chunk.at + skipped / chunk.rate_hz
    return replace(chunk, start=chunk.start + skipped, samples=chunk.samples[skipped:], at=later)


def _end(chunk: AudioChunk) -> float:
    """Wall time of its end (Unix seconds)."""
    return chunk.at + len(chunk.samples) / chunk.rate_hz
