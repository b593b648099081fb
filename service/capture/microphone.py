"""A microphone of this machine; one thread has a process of its own opened, listens to it and ends it."""

import time

from monitord.errors import SourceError
from service.capture.captured_source import AttemptError, CapturedSource
from service.capture.child.process import Lost
from service.capture.child.recorder import Recorder
from service.capture.clock import LiveClock
from service.capture.devices import Device, choose
from service.capture.inbox import Inbox
from service.capture.source import SourceState


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
