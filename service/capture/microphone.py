"""A microphone of this machine, recorded by a process of its own.

PortAudio may hang or abort where a device vanishes while it is opened (19.6 and 19.7 with ALSA: a deadlock in
`Pa_StartStream`, or an assertion). That costs one room some seconds: the process is ended, and a new one tries again.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from monitord.errors import SourceError
from service.capture.captured_source import AttemptError, CapturedSource
from service.capture.child.process import CRASHED, STALLED, START_S, ChildError, ChildProcess, Lost, Sound
from service.capture.clock import LiveClock
from service.capture.devices import Device, choose, formats
from service.capture.inbox import Inbox
from service.capture.source import SourceState

MODULE: Final = "service.capture.child.recorder_main"

SERVER_S: Final = 10.0
"""Longest wait for the sound server to list its devices or to open one (seconds), once the process runs."""

STALL_S: Final = 5.0
"""Without a sample for so long (seconds), the device is closed and opened again: half of the ten seconds after which
a source counts as dead, so that the reconnect is under way when that is told."""

_MOST_CHANNELS: Final = 1_024
"""No device has more; ALSA's plug-ins say 128."""


class Recorder:
    """One child, from its start to its end; a with-block ends it, whatever the sound server does.

    Args:
        stopping: Once set, the sound ends.
        calm: Whether sound has time until the next look; None: never.
    """

    def __init__(self, stopping: threading.Event | None = None, calm: Callable[[], bool] | None = None) -> None:
        # All variables: by them ALSA, PulseAudio, PipeWire and JACK find their servers.
        self._child = ChildProcess(MODULE, "PortAudio's process", stopping, calm=calm)
        self._device: Device | None = None  # None: not chosen yet

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            SourceError: The system has no process or pipe left.
        """
        try:
            self._child.__enter__()
        except ChildError as error:
            raise SourceError(error.text) from None
        self._child.ask({"daemon": os.getpid()})
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()

    def devices(self) -> list[Device] | None:
        """Returns the devices that record, none is an empty list; None where it was told to stop before.

        Raises:
            SourceError: The sound system does not answer.
        """
        try:
            found = self._child.opened(START_S + SERVER_S)
            return None if found is None else self._listed(found)
        except ChildError as error:
            raise self._explained(error, f"does not list its devices within {SERVER_S:g} s; restart it") from None

    def sound(self, device: Device) -> Iterator[Sound | Lost]:
        """Opens the device, and yields what it records until it was told to stop.

        Raises:
            SourceError: It does not open, or sound no longer comes; the message says what helps.
        """
        self._device = device
        self._child.ask({"index": device.index, "formats": formats(device)})
        try:
            opened = self._child.opened(SERVER_S)
        except ChildError as error:
            raise self._explained(error, "does not open: the sound server hangs") from None
        if opened is None:
            return
        channels = opened.get("channels")
        try:
            if not isinstance(channels, int) or not 0 < channels <= _MOST_CHANNELS:
                self._child.foreign(f"{channels!r} channels")
            yield from self._child.sound(STALL_S, channels=channels, ends=False)
        except ChildError as error:
            raise self._explained(error, "sends nothing: the sound server hangs, or it is suspended") from None

    def _listed(self, found: dict[str, object]) -> list[Device]:
        listed: Any = found.get("devices")
        try:
            return [Device(**device) for device in listed]
        except TypeError:
            self._child.foreign("a list of devices that is none")

    def _explained(self, error: ChildError, stalled: str) -> SourceError:
        who = "the sound server" if self._device is None else f"microphone {self._device}"
        if STALLED in error.kinds:
            return SourceError(f"{who} {stalled}")
        if CRASHED in error.kinds:
            return SourceError(f"{who}: {error.text}; was it unplugged? Otherwise check the sound system")
        if "SourceError" in error.kinds and self._device is not None:
            return SourceError(f"{who} {error.text}")
        return SourceError(error.text)


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
        try:
            with Recorder(self._stopping, lambda: self.inbox.calm) as recorder:
                devices = recorder.devices()
                if devices is not None:
                    self._hear(recorder, devices)
        except SourceError as error:
            if not self._stopping.is_set():
                raise AttemptError(SourceState.RECONNECTING, str(error)) from None

    def _hear(self, recorder: Recorder, devices: list[Device]) -> None:
        """Returns when told to stop; raises when sound no longer comes."""
        clock = LiveClock()
        for record in recorder.sound(choose(devices, self._device)):
            # Timed here and not by the child: what waits in between is late, too.
            age_s = clock.age_s(record.n, record.rate_hz, time.monotonic())
            if isinstance(record, Lost):
                self.inbox.skip(record.n, record.rate_hz)
                continue
            self.inbox.write(record.samples, record.rate_hz, time.time() - age_s)
            self._live()


def list_devices() -> list[Device]:
    """Returns the devices that record; none is an empty list.

    Raises:
        SourceError: The sound system does not answer.
    """
    with Recorder() as recorder:
        return recorder.devices() or []


def has_capture_device() -> bool:
    """Whether anything here records; a sound server that hangs has something."""
    try:
        return bool(list_devices())
    except SourceError:
        return True
