"""The front end that transforms no sound twice, against the one that transforms every window by itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import running_frontend
from model.classifier import MOST_SOURCES, Classifier
from model.forward import Outputs
from model.frontend import FRONTENDS, HOP, FrontendParams, patches, spectra
from model.running_frontend import ERROR, RunningFrontend
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm, Window
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.sound.chunks import to_pcm
from tests.support.sound.sounds import chirp, noise, silence, synthetic_cry, tone
from training.data.recordings import load_audio

SOUND_S = 4.0
"""Length of each sound (seconds)."""


def long(samples: Pcm) -> Pcm:
    return np.resize(samples, round(SOUND_S * RATE_HZ))


def offset(samples: Pcm, by: float) -> Pcm:
    return to_pcm(samples + by * FULL_SCALE)


SOUNDS = {
    "noise": noise(SOUND_S, rms_dbfs=-30),
    "the last bits": noise(SOUND_S, rms_dbfs=-88),
    "chirp": chirp(100, 4_000, SOUND_S),
    "low tone": long(tone(3, 1.0)),
    "high tone": long(tone(7_400, 1.0)),
    "cry": long(synthetic_cry()),
    "clipped cry": to_pcm(30.0 * long(synthetic_cry())),
    "bursts in silence": long(np.concatenate([tone(440, 0.3), silence(0.9)])),
    "silence": silence(SOUND_S),
    "on an offset": offset(noise(SOUND_S, rms_dbfs=-70), 0.5),
    "an offset that comes": np.concatenate([noise(2.0, rms_dbfs=-70), offset(noise(2.0, rms_dbfs=-70), -0.9)]),
    "band of a telephone": to_pcm(sum(0.1 * FULL_SCALE * np.sin(np.arange(4 * RATE_HZ) * f) for f in (0.2, 0.5, 1.1))),
}


def window(samples: Pcm, start: int, source: str = "room") -> Window:
    """Cut out of the sound, zeros around it."""
    padded = np.pad(samples, WINDOW_SAMPLES)
    start = min(max(start, -WINDOW_SAMPLES), len(samples))
    return Window(source, start, padded[start + WINDOW_SAMPLES :][:WINDOW_SAMPLES].copy(), 0.0, start)


def same(found: np.ndarray, one: Window, params: FrontendParams) -> None:
    np.testing.assert_allclose(found, patches([one.samples], params)[0], rtol=0, atol=ERROR)


MOVES = st.lists(
    st.one_of(
        st.integers(0, 100).map(lambda frames: frames * HOP),
        st.just(24 * HOP),
        st.integers(-WINDOW_SAMPLES, 2 * WINDOW_SAMPLES),
    ),
    min_size=1,
    max_size=20,
)
"""From one window to the next (samples): on the grid of frames and off it, back, and past all that is known."""


@given(st.sampled_from(list(SOUNDS)), st.sampled_from(list(FRONTENDS)), st.integers(-20_000, 20_000), MOVES)
@settings(max_examples=150)
def test_as_each_window_by_itself(sound: str, way: str, start: int, moves: list[int]) -> None:
    """Any sound, front end and order of windows gives the patches of `patches`."""
    frontend = RunningFrontend(FRONTENDS[way])
    for move in moves:
        start += move
        one = window(SOUNDS[sound], start)
        same(frontend.patch(one), one, FRONTENDS[way])


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("way", FRONTENDS)
def test_as_each_window_by_itself_on_the_hop_of_serving(sound: str, way: str) -> None:
    """Every sound and front end as a source is heard, from before its first sample to its last."""
    frontend = RunningFrontend(FRONTENDS[way])
    for start in range(24 * HOP - WINDOW_SAMPLES, len(SOUNDS[sound]) - WINDOW_SAMPLES, 24 * HOP):
        one = window(SOUNDS[sound], start)
        same(frontend.patch(one), one, FRONTENDS[way])


def test_as_each_window_by_itself_on_real_cries(shared_data: Path) -> None:
    """Recordings of babies, on the hop of serving."""
    for path in sorted((shared_data / "donateacry").rglob("*.3gp"))[:5]:
        samples, frontend = load_audio(path), RunningFrontend(FrontendParams())
        for start in range(0, len(samples) - WINDOW_SAMPLES, 24 * HOP):
            one = window(samples, start)
            same(frontend.patch(one), one, FrontendParams())


@given(st.sampled_from(list(SOUNDS)), st.sampled_from(list(SOUNDS)))
@settings(max_examples=30)
def test_another_sound_at_the_place_of_the_known_one(before: str, after: str) -> None:
    """After a gap the context of a window is zeros, where the one before it had sound: nothing of that is left."""
    frontend = RunningFrontend(FrontendParams())
    frontend.patch(window(SOUNDS[before], 0))
    one = window(np.concatenate([silence(0.5), SOUNDS[after]]), 24 * HOP)
    same(frontend.patch(one), one, FrontendParams())


@pytest.fixture
def transformed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many frames each transform took."""
    frames: list[int] = []

    def counted(x: np.ndarray) -> np.ndarray:
        found = spectra(x)
        frames.append(len(found))
        return found

    running_frontend._leak()  # kept from then on
    monkeypatch.setattr(running_frontend, "spectra", counted)
    yield frames
    frames.clear()


def test_no_sound_is_transformed_twice(transformed: list[int]) -> None:
    """On the hop of serving each window transforms its own 24 frames; the same window again none; a jump all."""
    frontend, cry = RunningFrontend(FrontendParams()), SOUNDS["cry"]
    for start in (0, 24, 48, 48, 72, 300, 324):
        frontend.patch(window(cry, start * HOP))
    assert transformed == [96, 24, 24, 24, 96, 24]


class Deaf:
    """A runtime that keeps what it was given."""

    name = "deaf"
    fault = ""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> Outputs:
        """As `Runtime.forward`."""
        self.heard += list(x)
        return Outputs(x[:, 0, 0], x[:, 0, :4], np.zeros((len(x), 128), np.float32))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=12))
@settings(max_examples=20)
def test_rooms_do_not_mix(tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, int]]) -> None:
    """Sources take turns in any order, in one pass and in several: each is heard as by itself."""
    runtime = Deaf()
    classifier = Classifier(make_dead_bundle(tmp_path_factory.mktemp("bundles") / "b"), runtime)
    sounds, at = [SOUNDS[name] for name in ("noise", "cry", "chirp", "clipped cry")], [0] * 4
    given_: list[Window] = []
    for room, n in turns:
        batch = [window(sounds[room], (at[room] + i) * 24 * HOP, f"room{room}") for i in range(n)]
        at[room] += n
        classifier.score(batch)
        given_ += batch
    for found, one in zip(runtime.heard, given_, strict=True):
        same(found, one, classifier.bundle.manifest.frontend)


def test_sources_of_long_ago_are_forgotten(tmp_path: Path, transformed: list[int]) -> None:
    """What is kept is bounded: a source that spoke before as many others as are kept begins anew."""
    classifier = Classifier(make_dead_bundle(tmp_path / "b"), Deaf())
    for number in range(MOST_SOURCES + 1):
        classifier.score([window(SOUNDS["cry"], 0, f"room{number}")])
    transformed.clear()
    classifier.score([window(SOUNDS["cry"], 24 * HOP, f"room{MOST_SOURCES}")])
    classifier.score([window(SOUNDS["cry"], 24 * HOP, "room0")])
    assert transformed == [24, 96]
