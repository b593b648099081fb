"""A picture of one cry sound, or of a clip, for a phone: what the network sees of it, as a PNG.

Time runs to the right in seconds, pitch upwards on the network's own mel scale, and brightness is the front end's
natural logarithm, so that near and far microphones look alike. All colours come from one palette: a picture is small.
"""

import io
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from model.frontend import FFT, FRAME, HOP, LOG_OFFSET, N_MELS, FrontendParams, log_mel, mel_matrix, waveform
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

SIZE: Final = (640, 360)
"""Pixels, width and height: a phone's notification shows 16:9."""
PLOT: Final = (60, 48, 624, 320)
"""Pixels: left, top, right and bottom edge of the spectrogram in the picture; the last two are exclusive."""
LEAST_S: Final = 0.5
"""Seconds on the time axis at least: a shorter sound, drawn wider, is a blur."""
RANGE: Final = 6.0
"""Nepers from the darkest colour to the brightest, 52 dB: a cry's harmonics over the noise of a room."""
LEAST_PEAK: Final = 1.0
"""Nepers of the brightest colour at least, so that silence stays dark: far over a z-scored noise's, under any cry's."""

_LEVELS: Final = 32
"""Colours of the spectrogram: 1.6 dB each. 64 look the same on a phone and take 40 % more bytes."""
_LINE: Final = 2
"""Pixels that share one row of the spectrogram: a band is four high, and two equal rows take half the bytes."""
_GREYS: Final = 32
"""Colours of the writing, from the background to white: smooth edges."""
_INFERNO: Final = (
    (0, 0, 4), (33, 12, 74), (87, 16, 110), (138, 34, 106), (188, 55, 84), (228, 90, 49), (249, 142, 9), (249, 203, 53),
    (252, 255, 164),
)  # fmt: skip
"""Red, green and blue at equal steps of matplotlib's `inferno` (CC0): even steps to every eye, colour-blind or not."""
_BACKGROUND: Final = (14, 14, 20)
_LABELS_HZ: Final = (250, 500, 1000, 2000, 4000, 7000)
"""Frequencies with a label (hertz); each lies on a bin of the transform."""
_STEPS_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Distances between the labels of the time axis (seconds): the first that gives at most `_MOST_LABELS`."""
_MOST_LABELS: Final = 8
_BLOCK: Final = 1000
"""Frames that are transformed at once: 10 s, in 12 MB; a clip of three minutes would take 200."""


def spectrogram_png(samples: Pcm, *, title: str, at: datetime) -> bytes:
    """Draws one sound.

    Args:
        samples: int16 [n] at 16 kHz, of any length.
        title: Name of the room.
        at: Local time at which the sound began.

    Returns:
        A PNG of `SIZE`.
    """
    from PIL import Image, ImageDraw  # noqa: PLC0415 - loaded by those who draw, not by the start of the daemon

    seen = brightness(samples)
    axis_s = max(LEAST_S, seen.shape[1] * HOP / RATE_HZ)
    seen = np.pad(seen, ((0, 0), (0, round(axis_s * RATE_HZ / HOP) - seen.shape[1])))
    left, top, right, bottom = PLOT
    smooth = Image.fromarray(seen).resize((right - left, (bottom - top) // _LINE), Image.Resampling.BICUBIC)
    writing = Image.new("L", SIZE)
    pen = ImageDraw.Draw(writing)
    when = f"{at:%H:%M:%S}  ·  {len(samples) / RATE_HZ:.1f} s"
    pen.text((right, 24), when, fill=190, font=_font(20), anchor="rm")
    _write_title(pen, title, right - left - pen.textlength(when, _font(20)) - 20)
    _label_axes(pen, axis_s)
    greys = np.asarray(writing, np.uint8) // (256 // _GREYS) + _LEVELS  # the darkest of them is the background
    levels = np.clip(np.rint(np.asarray(smooth) * (_LEVELS - 1)), 0, _LEVELS - 1)
    greys[top:bottom, left:right] = levels.repeat(_LINE, axis=0)
    picture = Image.fromarray(greys)
    picture.putpalette(_palette())
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def brightness(samples: Pcm) -> NDArray[np.float32]:
    """Returns float32 [64, frames] between 0 and 1: the log-mel spectrogram of int16 [n], highest band first.

    Each column stands for 10 ms; the sound is padded so that the first column stands for the first 10 ms.
    """
    x = waveform(np.asarray(samples if len(samples) else [0], np.float64)[None] / FULL_SCALE, FrontendParams())
    before = (FRAME - HOP) // 2
    frames = -(-x.shape[1] // HOP)
    after = FRAME + (frames - 1) * HOP - before - x.shape[1]
    x = np.pad(x, ((0, 0), (before, after)))
    blocks = [x[:, k * HOP : (min(k + _BLOCK, frames) - 1) * HOP + FRAME] for k in range(0, frames, _BLOCK)]
    nepers = np.concatenate([log_mel(block)[0] for block in blocks])  # [frames, 64]
    peak = max(float(nepers.max()), LEAST_PEAK)
    lowest = max(peak - RANGE, float(np.log(LOG_OFFSET)))
    return np.ascontiguousarray(np.clip((nepers - lowest) / (peak - lowest), 0.0, 1.0).T[::-1], np.float32)


def row_of(hertz: float) -> float:
    """Returns the pixel row, from the top of the picture, of a frequency that lies on a bin of the transform."""
    weights = mel_matrix()[round(hertz * FFT / RATE_HZ)]
    band = float(weights @ np.arange(N_MELS) / weights.sum())  # triangles that overlap: exact between two centres
    _, top, _, bottom = PLOT
    return bottom - (band + 0.5) / N_MELS * (bottom - top)


def _write_title(pen: "ImageDraw", title: str, pixels: float) -> None:
    """Writes it on one line, with its end left off where it is too wide.

    Pillow's own font has no letters but those of English. Where the computer has DejaVu, that writes the others;
    elsewhere they lose their accents, or are left out.
    """
    title = " ".join(title.split())
    font = _font(24)
    if not title.isascii():
        wide = _wide_font()
        if wide is None:
            title = normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode().strip()
        else:
            font = wide
    short = title
    while short and pen.textlength(short, font) > pixels:
        title = title[:-1]
        short = f"{title.rstrip()}..."
    pen.text((PLOT[0], 24), short, fill=255, font=font, anchor="lm")


def _label_axes(pen: "ImageDraw", seconds: float) -> None:
    left, _, right, bottom = PLOT
    for hertz in _LABELS_HZ:
        y = row_of(hertz)
        unit = " kHz" if hertz == _LABELS_HZ[-1] else ""
        pen.line((left - 5, y, left - 1, y), fill=150)
        pen.text((left - 8, y), f"{hertz / 1000:g}{unit}", fill=180, font=_font(16), anchor="rm")
    step_s = next((step for step in _STEPS_S if seconds / step <= _MOST_LABELS), seconds)
    for k in range(int(seconds / step_s + 1e-9) + 1):
        x = left + k * step_s / seconds * (right - left)
        unit = " s" if k == 0 else ""
        pen.line((x, bottom, x, bottom + 4), fill=150)
        pen.text((x, bottom + 9), f"{k * step_s:g}{unit}", fill=180, font=_font(16), anchor="mt")


@cache
def _font(pixels: int) -> "FreeTypeFont | ImageFont":
    """Pillow's own font, so that a picture looks the same on every computer."""
    from PIL import ImageFont  # noqa: PLC0415 - as above

    return ImageFont.load_default(pixels)


@cache
def _wide_font() -> "FreeTypeFont | None":
    """DejaVu Sans, if it is installed: Latin, Cyrillic, Greek and more."""
    from PIL import ImageFont  # noqa: PLC0415 - as above

    try:
        return ImageFont.truetype("DejaVuSans.ttf", 22)
    except OSError:
        return None


@cache
def _palette() -> bytes:
    """Red, green and blue of the spectrogram's colours, then of the writing's."""
    corners = np.array(_INFERNO)
    at = np.linspace(0, len(corners) - 1, _LEVELS)
    colours = np.stack([np.interp(at, np.arange(len(corners)), corners[:, c]) for c in range(3)], axis=1)
    greys = np.linspace(_BACKGROUND, (255, 255, 255), _GREYS)
    palette: NDArray[np.uint8] = np.rint(np.concatenate([colours, greys])).astype(np.uint8)
    return palette.tobytes()
