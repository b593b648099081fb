"""The fault matrix: breaks sources and the daemon on purpose, and takes the time until MQTT says so and all is well.

One daemon hears all the sources of a phase, and they break in the same moment: that is the hardest case.
"""

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from tests.bench.faults.cameras import cameras, codec
from tests.bench.faults.daemons import daemon
from tests.bench.faults.house import WAIT_S, break_and_mend, house, mended, online, until_told, until_told_after
from tests.bench.faults.sleep import sleep
from tests.bench.faults.table import Line
from tests.support.faults.fault_feed import SOUNDS, Feed, Feeds
from tests.support.faults.fault_matrix import MICROPHONES, RECORDINGS, STREAMS, UNPLUGGED, Row, provoked, wait
from tests.support.faults.fault_microphones import Microphones, alsa_environment
from tests.support.faults.fault_recordings import Recordings, write_endless
from tests.support.sound.sounds import write_wav

BEFORE_S: Final = 5.0
"""Good sound at the start of a recording that breaks (seconds)."""

FILES: Final = tuple(
    Row(f"f_{name}", "recording", words, name, faults)
    for name, words, faults in (
        ("zeros", "exact zeros", ("digital_silence",)),
        ("stuck", "one value", ("flat",)),
        ("floor", "only the last bit moves", ("flat",)),
        ("clipped", "clipping without a pause", ("clipping",)),
        ("pushed", "offset of a quarter of full scale", ("dc_offset",)),
    )
)
DEAD: Final = (
    Row("d_gone", "stream", "answers 503 since the daemon's start", "gone", ("reconnecting",)),
    Row("d_mute", "stream", "accepts and says nothing since the daemon's start", "mute", ("stalled", "reconnecting")),
    Row("d_zeros", "stream", "zeros since the daemon's start", "zeros", ("digital_silence",)),
    Row("d_microphone", "microphone", "not plugged in at the daemon's start", "", ("reconnecting",)),
)
PIPE: Final = Row("room", "recording", "a pipe that nobody writes since the daemon's start", "", ("stalled",))


def measure(folder: Path) -> list[Line]:
    """Takes all phases, one after the other."""
    lines: list[Line] = []
    for phase in (_sources, _unplugged, _dead, _pipe, _recordings, cameras, codec, daemon, sleep):
        sys.stderr.write(f"bench: faults, {phase.__name__.strip('_')}\n")
        place = folder / phase.__name__
        place.mkdir()
        lines += phase(place)
    return lines


def _sources(folder: Path) -> list[Line]:
    """Streams, microphones and recordings that play in a loop."""
    streams = Feeds("s_well", *(row.source for row in STREAMS))
    many = Microphones(folder / "many", "m_well", *(row.source for row in MICROPHONES))
    recordings = Recordings(folder / "recordings", "f_well", *(row.source for row in RECORDINGS))
    os.environ.update(alsa_environment(folder, many))
    sources: dict[str, object] = {name: {"stream": streams.url(name)} for name in streams.feeds}
    sources |= {name: {"microphone": name} for name in many.feeds}
    rows, feeds = (*STREAMS, *MICROPHONES, *RECORDINGS), {**streams.feeds, **many.feeds, **recordings.feeds}
    sources |= recordings.sources
    with streams.running(), many.running(), recordings.running(), house(folder, sources) as (broken, subscriber, _):
        return break_and_mend(broken, subscriber, rows, feeds)


def _unplugged(folder: Path) -> list[Line]:
    """A microphone alone at its server: with others there, the server would give us one of those instead."""
    alone = Microphones(folder / "alone", UNPLUGGED.source)
    os.environ.update(alsa_environment(folder, alone))
    with (
        alone.running(),
        house(folder, {UNPLUGGED.source: {"microphone": UNPLUGGED.source}}) as (broken, subscriber, _),
    ):
        online(broken, subscriber, UNPLUGGED.source)
        hung = replace(UNPLUGGED, provoked="the sound server hangs (SIGSTOP), and goes on")
        broken_s = time.monotonic()
        alone.hang()
        found = until_told_after(subscriber, hung, broken_s)
        mended_s = time.monotonic()
        alone.resume()
        lines = mended(subscriber, [hung], found, mended_s)
        return [*lines, *break_and_mend(broken, subscriber, [UNPLUGGED], alone.feeds)]


def _dead(folder: Path) -> list[Line]:
    """Sources that are dead since the daemon's start, and come to life."""
    streams = Feeds(*(row.source for row in DEAD if row.kind == "stream"))
    later = Microphones(folder / "later", "d_microphone")
    os.environ.update(alsa_environment(folder, later))
    sources: dict[str, object] = {name: {"stream": streams.url(name)} for name in streams.feeds}
    sources["d_microphone"] = {"microphone": "d_microphone"}
    for row in DEAD[:-1]:
        streams.feeds[row.source].does = row.does
    with streams.running(), house(folder, sources) as (_, subscriber, began_s):
        found = until_told(subscriber, DEAD, began_s)
        wait(lambda: all(subscriber.faults(row.source)[-1:] not in ([], ["ok"]) for row in DEAD), WAIT_S)
        found = provoked(subscriber, DEAD, began_s)
        mended_s = time.monotonic()
        for feed in streams.feeds.values():
            feed.does = "room"
        with later.running():
            return mended(subscriber, DEAD, found, mended_s)


def _pipe(folder: Path) -> list[Line]:
    """A pipe in place of a file: the daemon starts without it."""
    path, feed, over = folder / "pipe", Feed(), threading.Event()
    os.mkfifo(path)
    with house(folder, {"unused": {"microphone": "default"}}, path) as (_, subscriber, began_s):
        found = until_told(subscriber, [PIPE], began_s)
        wait(lambda: subscriber.faults(PIPE.source)[-1:] not in ([], ["ok"]), WAIT_S)
        found = provoked(subscriber, [PIPE], began_s)
        mended_s = time.monotonic()
        writer = threading.Thread(target=write_endless, args=(path, feed, over))
        writer.start()
        lines = mended(subscriber, [PIPE], found, mended_s)
        over.set()
        writer.join()
        return lines


def _recordings(folder: Path) -> list[Line]:
    """Recordings in real time that break and recover."""
    n = round(BEFORE_S * 16_000)
    sources = {}
    for row in FILES:
        sound = np.concatenate([SOUNDS["room"][:n], SOUNDS[row.does], SOUNDS["room"], SOUNDS["room"]])
        sources[row.source] = {"file": str(write_wav(folder / f"{row.does}.wav", sound))}
    with house(folder, sources) as (broken, subscriber, _):
        broken.wait_for(lambda: all(f"{row.source}: live" in broken.words for row in FILES), "the recordings")
        broken_s = time.monotonic() + BEFORE_S
        wait(lambda: time.monotonic() >= broken_s, BEFORE_S)
        found = until_told(subscriber, FILES, broken_s)
        mended_s = broken_s + len(SOUNDS["room"]) / 16_000
        return mended(subscriber, FILES, found, mended_s)
