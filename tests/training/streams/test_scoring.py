"""A network along a stream: the daemon's own windows for ours, every window for the peers, in whatever chunks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.bundle import Bundle
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Pcm, Window
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.sound.sounds import cry_in_room, noise, tone
from training.data.windows import hear
from training.streams import scoring
from training.streams.false_alarms import Heard
from training.streams.mixing import Stream
from training.streams.scoring import hear_stream, slide

SOUNDS = {
    "a cry in a quiet room": cry_in_room(2.0, 2.0),
    "sound up to the end": np.concatenate([noise(1.0, rms_dbfs=-80), tone(500, 0.3)]),
    "a loud room": noise(9.0, rms_dbfs=-30),
}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """For its listener alone."""
    return make_dead_bundle(tmp_path / "bundle")


def fingerprints(windows: Sequence[Window]) -> NDArray[np.float32]:
    """In place of a network: each window by itself, another for each sound."""
    return np.array([np.abs(window.samples.astype(np.int64)).sum() % 1_000 / 1_000 for window in windows], np.float32)


def places(heard: Heard) -> list[tuple[int, int, int]]:
    return [(window.start, window.end, window.onset) for window in heard.windows]


@pytest.mark.parametrize("name", SOUNDS)
def test_ours_hears_what_the_daemon_hears(bundle: Bundle, name: str) -> None:
    """The windows of the listener, in order, each scored on its own sound, up to the last one."""
    windows, _ = hear(SOUNDS[name], bundle.manifest.listener)
    heard = hear_stream(Stream(SOUNDS[name], (), ()), bundle, fingerprints)
    assert windows
    assert places(heard) == [(window.start, window.end, window.onset) for window in windows]
    assert heard.p_cry == pytest.approx(fingerprints(windows).tolist())


@pytest.mark.parametrize("chunk", [1_000, 15_999, 10 * RATE_HZ])
def test_chunks_do_not_matter(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Heard at once or bit by bit, it is the same."""
    stream = Stream(SOUNDS["a cry in a quiet room"], (), ())
    whole = hear_stream(stream, bundle, fingerprints)
    monkeypatch.setattr(scoring, "CHUNK", chunk)
    again = hear_stream(stream, bundle, fingerprints)
    assert (places(again), again.p_cry) == (places(whole), whole.p_cry)


@pytest.mark.parametrize(("samples", "hop", "n"), [(15_599, 100, 0), (15_600, 100, 1), (60_000, 7_680, 6)])
def test_peers_hear_every_window(samples: int, hop: int, n: int) -> None:
    """From the first sample on, one hop apart, as many as are whole: (60,000 - 15,600) // 7,680 + 1 = 6."""
    sound: Pcm = noise(samples / RATE_HZ, rms_dbfs=-20)
    heard = slide(Stream(sound, (), ()), fingerprints, hop)
    assert [window.start for window in heard.windows] == [hop * number for number in range(n)]
    cuts = [Window("s", hop * i, sound[hop * i :][:WINDOW_SAMPLES], 0.0, 0) for i in range(n)]
    assert heard.p_cry == pytest.approx(fingerprints(cuts).tolist())


def test_batches_do_not_matter() -> None:
    """More windows than are scored at once: none twice, none left out."""
    heard = slide(Stream(noise(3.0, rms_dbfs=-20), (), ()), fingerprints, 80)
    assert len(heard.p_cry) == len(heard.windows) == (48_000 - 15_600) // 80 + 1  # 406
    assert len({window.start for window in heard.windows}) == len(heard.windows)


def test_hours_of_sound_are_not_kept() -> None:
    """After scoring a window's samples are given back: all windows share one block of memory."""
    heard = slide(Stream(noise(3.0), (), ()), fingerprints, 1_600)
    assert {window.samples.strides for window in heard.windows} == {(0,)}
    assert {len(window.samples) for window in heard.windows} == {WINDOW_SAMPLES}
