"""The thread of a web server: a loop of its own, a certificate that stays in date, and an end that is waited for."""

import asyncio
import concurrent.futures
import contextlib
import logging
import ssl
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.web.address.addresses import PORTS, Addresses
from service.web.address.certificate import load, server_context
from service.web.settings import WebSettings

START_S: Final = 20.0
"""Longest wait for the certificate and the ports (seconds): openssl takes 0.3 on a slow machine."""
RENEW_S: Final = 3_600.0
"""Seconds between two looks at the names, addresses and dates of the certificate."""
AS_IT_IS: Final = "the certificate of the page stays as it is: %s"
"""Where it cannot be renewed, and why."""

_log = logging.getLogger(__name__)


class HttpsServer(ABC):
    """What the family's page and the nurse station have in common. The constructor opens nothing.

    Args:
        settings: From the configuration.
        state_dir: Where devices and the certificate are kept.
    """

    def __init__(self, settings: WebSettings, state_dir: Path) -> None:
        self.addresses = Addresses(settings, state_dir)
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, named `web`, and returns when it listens.

        Raises:
            ConfigError: A port is taken, or there is no certificate, or not in time.
        """
        listening: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="web", daemon=True)
        self._thread.start()
        try:
            listening.result(START_S)
        except TimeoutError:
            raise ConfigError(f"web: nothing is served after {START_S:g} s; is this disk, or openssl, stuck?") from None

    def stop(self, timeout_s: float) -> bool:
        """Ends all streams and connections; returns whether the thread ended in time."""
        if self._thread is None:
            return True
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: the thread has ended
                loop.call_soon_threadsafe(stopping.set)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread is not None and self._thread.is_alive()

    # From here on: the thread.

    @abstractmethod
    async def _listen(self, stack: contextlib.AsyncExitStack, context: ssl.SSLContext) -> None:
        """Opens what is served, until the stack is closed; says to the addresses where that is."""

    def _run(self, listening: "concurrent.futures.Future[None]") -> None:
        try:
            asyncio.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - handed to who waits; a bug later ends the process aloud
            if listening.done():
                _log.exception("the web server has a bug")
            else:
                listening.set_exception(error)

    async def _serve(self, listening: "concurrent.futures.Future[None]") -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            context = self._context()
            await self._listen(stack, context)
            listening.set_result(None)
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RENEW_S)
                    break
                await self._renew(context)

    def _context(self) -> ssl.SSLContext:
        own = self.addresses.certificate
        try:
            if own is not None:
                own.renew(self.addresses.hosts)
        except ConfigError as error:
            with contextlib.suppress(ConfigError):  # a disk that refuses is no reason not to start, and not to hear
                context = server_context(*self._files())
                _log.warning(AS_IT_IS, error)
                return context
            raise
        return server_context(*self._files())

    def _files(self) -> tuple[Path, Path | None]:
        """Returns certificate and key."""
        if (own := self.addresses.certificate) is not None:
            return own.chain, own.key
        assert self._settings.cert_file is not None
        return self._settings.cert_file, self._settings.key_file

    async def _renew(self, context: ssl.SSLContext) -> None:
        """Lets new connections have a certificate with today's names and dates; a family's own is read anew, too."""
        self.addresses.look_again()
        own = self.addresses.certificate
        try:
            if own is not None and not await asyncio.to_thread(own.renew, self.addresses.hosts):
                return
            chain, key = self._files()
            server_context(chain, key)  # refuses what would break the one in use
            load(context, chain, key)  # it may have been written anew in between
        except ConfigError as error:
            _log.warning(AS_IT_IS, error)


def ports_to_try(asked: int | None, first: int, before: int | None = None) -> list[int]:
    """Returns the one that is asked for, else the one that phones know from `before`, `first` and those after it."""
    if asked is not None:
        return [asked]
    ports = range(first, first + PORTS)
    return sorted(ports, key=lambda port: port != before)
