"""From what the configuration names to sources, all opened and closed together."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Final

from monitord.errors import ConfigError, MonitordError
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.page import PageSource
from service.capture.recording import check_file
from service.capture.source import Source
from service.capture.spec import FileSpec, MicrophoneSpec, PageSpec, SourceSpec, StreamSpec

SOURCES_STOP_S: Final = 0.8
"""Seconds that all sources together have to leave: one chunk's wait; a hung device is left behind."""

_log = logging.getLogger(__name__)


def open_source(source_id: str, spec: SourceSpec, inbox: Inbox, *, demo: bool = False) -> Source:
    """Builds the source of a spec; nothing is opened yet."""
    if demo:
        from service.capture.demo import DemoSource  # noqa: PLC0415 - its sound needs all of scipy.signal: a second, 50 MB

        return DemoSource(source_id, inbox)
    match spec:
        case MicrophoneSpec(device):
            from service.capture.microphone import MicrophoneSource  # noqa: PLC0415 - PortAudio only where it is used

            return MicrophoneSource(source_id, device, inbox)
        case StreamSpec(url, listen, wanted, how):
            from service.capture.streams.stream import StreamSource  # noqa: PLC0415

            return StreamSource(source_id, url, inbox, wanted=wanted, listen=listen, how=how)
        case FileSpec(path, loop, wanted):
            return FileSource(source_id, path, inbox, realtime=True, loop=loop, wanted=wanted)
        case PageSpec():
            return PageSource(source_id, inbox)


def check_files(specs: Sequence[SourceSpec]) -> None:
    """Refuses recordings that give no sound, unless other sources can go on without them."""
    mistakes: list[MonitordError] = []
    for spec in specs:
        if isinstance(spec, FileSpec):
            try:
                check_file(spec.path, spec.wanted)
            except ConfigError:
                raise
            except MonitordError as error:
                mistakes.append(error)
    if mistakes and len(mistakes) == len(specs):
        raise mistakes[0]


def stop_sources(sources: Iterable[Source]) -> None:
    """Stops all side by side; one that hangs is left behind."""
    sources = list(sources)
    deadline = time.monotonic() + SOURCES_STOP_S
    for source in sources:
        source.stop(0.0)  # asks; all leave side by side
    for source in sources:
        if not source.stop(max(0.0, deadline - time.monotonic())):
            _log.warning("%s: its device hangs and is left behind", source.id)
