"""What the page knows of the rooms besides the messages: their sound now, their history, their clips where wanted."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from service.capture.inbox import Tap
from service.capture.page import PageSource
from service.capture.source import Source
from service.messages.message import Message, Node
from service.storage.history import HISTORY, History
from service.web.past.clip_recorder import ClipRecorder
from service.web.past.clip_store import CLIPS, ENDING, ClipStore
from service.web.past.settings import ClipSettings

STOP_S: Final = 0.3
"""Seconds for a clip that is being encoded when the daemon stops."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Past:
    """Told by any thread; its parts say which thread asks them."""

    taps: Mapping[str, Tap]
    """What each room sounds like, by its source."""
    history: History
    phones: Mapping[str, PageSource] = field(default_factory=dict)
    """The rooms whose microphone is a phone, by source: they take what its page posts."""
    clips: ClipStore | None = None
    """None: the family keeps none."""
    recorder: ClipRecorder | None = None
    """Fills `clips`."""

    @classmethod
    def open(
        cls, node: Node, folder: Path, sources: Iterable[Source], clips: ClipSettings | None, stack: ExitStack
    ) -> Self:
        """Opens the history, and begins to record clips where the family wants them; until the stack is closed."""
        sources = list(sources)
        taps = {source.id: source.inbox.tap for source in sources}
        phones = {source.id: source for source in sources if isinstance(source, PageSource)}
        history = stack.enter_context(History(folder / HISTORY, node))
        if clips is None:
            if left := len([*(folder / CLIPS).glob(f"*{ENDING}")]):
                _log.warning(
                    "%s: %d clips of cries lie there, which nothing deletes without web.clips; delete that folder, or"
                    " keep web.clips",
                    folder / CLIPS,
                    left,
                )
            return cls(taps, history, phones)
        store = ClipStore(folder / CLIPS, clips)
        recorder = ClipRecorder(node, taps, store)
        recorder.start()
        stack.callback(recorder.stop, STOP_S)
        return cls(taps, history, phones, store, recorder)

    @property
    def fault(self) -> str:
        """What is wrong with the disk under the history, for a person; empty when nothing is."""
        return self.history.fault

    def retry(self) -> None:
        """Tries a disk that refuses again."""
        self.history.retry()

    def tell(self, message: Message) -> None:
        """Takes what the broker is told; returns at once, but for a write to the disk."""
        self.history.tell(message)
        if self.recorder is not None:
            self.recorder.tell(message)
