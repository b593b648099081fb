"""The worker's thread: it ends with the work, and a bug in it never leaves the house deaf."""

import logging
import threading

from service.pipeline.worker import Worker

_log = logging.getLogger(__name__)


class WorkerThread(threading.Thread):
    """A bug in it ends the daemon with a traceback."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="worker", daemon=True)
        self._worker = worker
        self.crashed = False

    @property
    def moved_at(self) -> float:
        """When the last round ended (monotonic seconds)."""
        return self._worker.moved_at

    def run(self) -> None:
        """Works until told to stop, or until every source has ended."""
        try:
            self._worker.run()
        except Exception:  # noqa: BLE001 - a bug of any kind must end the daemon aloud, not this thread in silence
            self.crashed = True
            _log.exception("the worker has a bug; the daemon ends, so that it can be started anew")

    def stop(self, timeout_s: float) -> None:
        """Lets it finish what waits in the inboxes, at most so long."""
        self._worker.stop()
        if self.ident is not None:
            self.join(timeout_s)
