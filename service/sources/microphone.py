"""A microphone of this machine, through PortAudio's callback; one thread opens, watches and closes it."""

import time
from collections.abc import Mapping

import numpy as np
import pyaudio

from monitord.errors import SourceError
from monitord.pcm import to_mono
from monitord.types import RATE_HZ
from service.inbox import Inbox
from service.sources.base import SourceState
from service.sources.capture import AttemptError
from service.sources.captured import CapturedSource
from service.sources.devices import choose
from service.sources.portaudio import Recorder, record

POLL_S = 0.2
"""How often the owner looks whether sound still comes (seconds)."""

STALL_S = 5.0
"""Without a sample for so long (seconds), the device is closed and opened again: half of the ten seconds after which
a source counts as dead, so that the reconnect is under way when that is told."""

MAX_AGE_S = 60.0
"""A capture time further back than this (seconds) is no time: some drivers give none, or that of another clock."""


class MicrophoneTap:
    """What PortAudio calls in a thread of its own: writes, counts, returns. Nothing may escape from it."""

    def __init__(self, inbox: Inbox) -> None:
        self.heard = 0
        """Samples so far."""
        self.error: Exception | None = None
        """What went wrong in the callback: PortAudio would throw it into another thread at any moment."""
        self._inbox = inbox
        self._rate_hz = RATE_HZ
        self._channels = 1

    def expect(self, rate_hz: int, channels: int) -> None:
        """Tells the format of what will come."""
        self._rate_hz = rate_hz
        self._channels = channels

    def __call__(self, data: bytes, n: int, times: Mapping[str, float], flags: int) -> tuple[None, int]:
        """Writes n frames into the inbox."""
        try:
            self._take(data, n, times, flags)
        except Exception as error:  # noqa: BLE001  # carried to the owner, which raises it in its own thread
            self.error = error
            return None, pyaudio.paAbort
        return None, pyaudio.paContinue

    def _take(self, data: bytes, n: int, times: Mapping[str, float], flags: int) -> None:
        if flags & pyaudio.paInputOverflow:
            self._inbox.skip(n, self._rate_hz)  # how much is unknown; a buffer is the least there can be
        samples = np.frombuffer(data, np.int16).reshape(n, self._channels)  # int16 [n, channels]
        self._inbox.write(to_mono(samples), self._rate_hz, time.time() - self._age_s(n, times))
        self.heard += n

    def _age_s(self, n: int, times: Mapping[str, float]) -> float:
        age_s = times["current_time"] - times["input_buffer_adc_time"]
        return age_s if 0 < age_s < MAX_AGE_S else n / self._rate_hz


class MicrophoneSource(CapturedSource):
    """Records from one device for as long as it is there, and again when it is back.

    Args:
        source_id: `[a-z0-9_]+`.
        device: `default`, a part of the device's name, or its index.
        inbox: Of the overwriting kind: a microphone does not wait.
    """

    def __init__(self, source_id: str, device: str | int, inbox: Inbox) -> None:
        super().__init__(source_id, inbox)
        self._device = device

    def _attempt(self) -> None:
        tap = MicrophoneTap(self.inbox)
        try:
            with record(lambda devices: choose(devices, self._device), tap) as recorder:
                try:
                    self._watch(recorder, tap)
                except AttemptError as fault:
                    self._capture.report(fault.state, str(fault))  # now: to close a hung device may take for ever
                    raise
        except AttemptError:
            raise
        except SourceError as error:
            raise AttemptError(SourceState.RECONNECTING, str(error)) from None

    def _watch(self, recorder: Recorder, tap: MicrophoneTap) -> None:
        """Returns when told to stop; raises `AttemptError` when sound no longer comes."""
        heard = 0
        since_s = time.monotonic()
        while not self._capture.stopping.wait(POLL_S):
            if tap.error is not None:
                raise tap.error
            if not recorder.active:
                raise AttemptError(SourceState.RECONNECTING, f"microphone {recorder.device} is gone: is it plugged in?")
            if tap.heard != heard:
                heard, since_s = tap.heard, time.monotonic()
                self._capture.live()
            elif time.monotonic() - since_s > STALL_S:
                raise AttemptError(
                    SourceState.RECONNECTING,
                    f"microphone {recorder.device} sends nothing: the sound server hangs, or it is suspended",
                )
