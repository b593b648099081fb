"""What the rooms sound like, for the eye: level and spectrogram, five times a second, while anybody looks."""

import asyncio
import base64
import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from model.frontend import FRAME, HOP, N_MELS, mel_matrix, spectra
from monitord.listening.gate import SILENCE_DBFS
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from service.capture.inbox import Tap
from service.web.board import Board
from service.web.sound.ear import Ear

EACH_S: Final = 0.2
"""Seconds between two messages: four columns each. Twenty a second would cost the page three times as much."""
COLUMN: Final = 5 * HOP
"""Samples of a column: 50 ms at 16 kHz, the mean of five frames of the front end."""
DARKEST_DB, BRIGHTEST_DB = -50.0, 25.0
"""Magnitudes of a mel band at the ends of the scale (dB re 1): a good microphone's own noise, and a cry beside it. A
sine at full scale has some 35."""


class Look:
    """Draws for all viewers at once. Used by the web thread alone.

    Args:
        taps: By room.
        board: Tells the viewers.
    """

    def __init__(self, taps: Mapping[str, Tap], board: Board) -> None:
        self._taps, self._board = taps, board
        self._lookers = 0
        self._drawing: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def looked_at(self) -> Iterator[None]:
        """While this is open somebody looks; without anybody nothing is computed."""
        self._lookers += 1
        if self._drawing is None:
            self._drawing = asyncio.create_task(self._draw(), name="look")
        try:
            yield
        finally:
            self._lookers -= 1
            if not self._lookers:
                self._drawing.cancel()
                self._drawing = None

    async def _draw(self) -> None:
        with contextlib.ExitStack() as stack:
            rooms = {room: (stack.enter_context(Ear(tap)), Columns()) for room, tap in self._taps.items()}
            while True:
                await asyncio.sleep(EACH_S)
                sounds = {room: columns.feed(ear.take()) for room, (ear, columns) in rooms.items()}
                if heard := {room: sound for room, sound in sounds.items() if sound is not None}:
                    self._board.show("sound", heard)


class Columns:
    """One room's sound as columns of a spectrogram."""

    def __init__(self) -> None:
        self._rest: Pcm = np.empty(0, np.int16)

    def feed(self, samples: Pcm) -> dict[str, object] | None:
        """Takes int16 [n] at 16 kHz; returns level and columns, or None where there is not enough for one.

        `dbfs` is the level of what is drawn (dB re full scale); `columns` is base64 of uint8 [columns, 64], lowest band
        first, evenly spaced in decibels.
        """
        sound = np.concatenate([self._rest, samples])[-RATE_HZ:]
        count = (len(sound) - FRAME + HOP) // COLUMN
        if count <= 0:
            self._rest = sound
            return None
        x = sound[: count * COLUMN + FRAME - HOP].astype(np.float64) / FULL_SCALE
        self._rest = sound[count * COLUMN :]
        # float64 [columns, 64]: the mean of the bins of a band, so that noise is as bright in all of them.
        mel = (np.abs(spectra(x)) @ (mel_matrix() / mel_matrix().sum(axis=0))).reshape(count, -1, N_MELS).mean(axis=1)
        share = (20 * np.log10(np.maximum(mel, 1e-9)) - DARKEST_DB) / (BRIGHTEST_DB - DARKEST_DB)
        brightness = np.rint(255 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
        power = float(np.mean(np.square(x)))
        dbfs = max(SILENCE_DBFS, 10 * np.log10(power)) if power else SILENCE_DBFS
        return {"dbfs": round(float(dbfs), 1), "columns": base64.b64encode(brightness.tobytes()).decode()}
