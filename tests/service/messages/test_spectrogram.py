"""The picture of the last cry: a small PNG, bright where the sound is, whatever the sound."""

import io
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from monitord.types import Pcm
from service.messages import spectrogram
from service.messages.spectrogram import PLOT, SIZE, brightness, row_of, spectrogram_png
from tests.support.sound.sounds import noise, silence, synthetic_cry, tone

AT = datetime(2026, 11, 22, 19, 2, 14)  # noqa: DTZ001 - local time, as a parent reads it
MOST_BYTES = 40_000


def drawn(samples: Pcm, title: str = "Nursery") -> NDArray[np.int64]:
    """Lightness of a picture's pixels, int64 [360, 640], 0 to 765: the colours grow lighter from end to end."""
    png = spectrogram_png(samples, title=title, at=AT)
    assert len(png) < MOST_BYTES
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.size) == ("PNG", SIZE)
    lightness: NDArray[np.int64] = np.asarray(picture.convert("RGB"), np.int64).sum(axis=2)
    return lightness


def plot(samples: Pcm) -> NDArray[np.int64]:
    left, top, right, bottom = PLOT
    return drawn(samples)[top:bottom, left:right]


@pytest.mark.parametrize("hertz", [250, 1000, 2000, 4000, 7000])
def test_a_tone_is_brightest_at_its_own_label(hertz: int) -> None:
    """The row of its frequency on the axis, within a mel band; nothing but it, two bands away."""
    picture = plot(tone(hertz, 1.0))
    rows = picture[:, picture.shape[1] // 2]
    brightest = np.flatnonzero(rows == rows.max()).mean() + PLOT[1] + 0.5
    band = (PLOT[3] - PLOT[1]) / 64
    assert abs(brightest - row_of(hertz)) <= band
    assert rows.max() > 600
    far = np.abs(np.arange(len(rows)) + PLOT[1] + 0.5 - row_of(hertz)) > 8 * band
    assert rows[far].mean() < 150


def test_time_runs_to_the_right() -> None:
    """A tone in the third quarter of a second is bright there, and dark before and after."""
    sound = np.concatenate([silence(0.5), tone(1000, 0.25), silence(0.25)])
    columns = plot(sound).max(axis=0)
    quarter = len(columns) // 4
    edge = 12  # pixels: a frame of 25 ms sees a little of its neighbours
    assert columns[2 * quarter + edge : 3 * quarter - edge].min() > 500
    assert max(columns[: 2 * quarter - edge].max(), columns[3 * quarter + edge :].max()) < 200


def test_how_near_the_microphone_is_does_not_matter() -> None:
    """The same cry 30 dB quieter is the same picture, but for the rounding of its samples."""
    near, far = (brightness(synthetic_cry(peak_dbfs=dbfs)[16_000:40_000]) for dbfs in (-6.0, -36.0))
    assert near.shape == (64, 150)
    assert np.abs(near - far).mean() < 0.01


def test_silence_is_dark() -> None:
    """Digital silence shows no pattern, and is not blown up into one."""
    assert plot(silence(1.0)).max() < 20


def test_a_very_short_sound_is_not_drawn_over_the_whole_width() -> None:
    """0.18 s take 36 % of an axis of half a second."""
    columns = plot(noise(0.18, rms_dbfs=-20.0)).max(axis=0)
    share = 0.18 / spectrogram.LEAST_S
    assert columns[: int(share * len(columns)) - 12].min() > 300
    assert columns[int(share * len(columns)) + 24 :].max() < 20


SOUNDS = {
    "silence": silence(2.5),
    "noise": noise(2.5),
    "loud": noise(2.5, rms_dbfs=-3.0),
    "clipped": np.where(tone(450, 2.5) >= 0, 32_767, -32_768).astype(np.int16),
    "stuck": np.full(40_000, -32_768, np.int16),
    "cry": synthetic_cry()[16_000:56_000],
}
"""2.5 s of each."""


@given(
    st.one_of(st.integers(0, 40_000), st.sampled_from([0, 1, 159, 160, 161, 399, 400, 2_880, 40_000])),
    st.sampled_from(sorted(SOUNDS)),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_heard_can_be_drawn(n: int, kind: str) -> None:
    """Up to 2.5 s of silence, noise, clipping or a stuck value: a PNG of the right size, under 40 KB."""
    drawn(SOUNDS[kind][:n])


@pytest.mark.parametrize("title", ["", "Zwei\nZeilen", "a" * 300, "K\u00fcche", "\u5b50\u4f9b\u90e8\u5c4b"])
@pytest.mark.parametrize("wide", [True, False])
def test_every_room_has_a_picture(title: str, wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a case
    """Whatever it is called, with or without the system's font; the writing keeps off the time."""
    if not wide:
        monkeypatch.setattr(spectrogram, "_wide_font", lambda: None)
    picture = drawn(silence(1.0), title)
    when = slice(PLOT[2] - 110, None)
    assert (picture[:48, when] == drawn(silence(1.0), "")[:48, when]).all()


def test_without_a_font_for_them_letters_lose_their_accents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better a plain letter than an empty box."""
    monkeypatch.setattr(spectrogram, "_wide_font", lambda: None)
    assert (drawn(silence(1.0), "K\u00fcche, gro\u00df") == drawn(silence(1.0), "Kuche, gross")).all()
    assert (drawn(silence(1.0), "Kuche") != drawn(silence(1.0), "")).any()


def test_pillow_is_loaded_by_the_first_picture() -> None:
    """Not by the import: the daemon starts without it."""
    script = "import sys, service.messages.spectrogram; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
