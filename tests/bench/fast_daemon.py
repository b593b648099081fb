"""The whole daemon over looped recordings, as fast as the worker takes them: `fast_daemon.py CONFIGURATION`."""

import logging
import sys
from pathlib import Path

from service import app
from service.capture.file import FileSource
from service.capture.inbox import Inbox
from service.capture.source import Source
from service.capture.spec import FileSpec, SourceSpec
from service.config import load_config


def _unpaced(source_id: str, spec: SourceSpec, inbox: Inbox, *, demo: bool = False) -> Source:
    """A source that waits for the worker instead of the clock, so that nothing is lost."""
    assert isinstance(spec, FileSpec)
    assert not demo
    waiting = Inbox(source_id, waits=True, wake=inbox._wake)
    return FileSource(source_id, spec.path, waiting, realtime=False, loop=True)


if __name__ == "__main__":
    app.open_source = _unpaced  # type: ignore[assignment]
    logging.captureWarnings(capture=True)
    sys.exit(app.run(load_config(Path(sys.argv[1])), json_lines=True))
