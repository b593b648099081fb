"""A port that is listened on: the one that is asked for, or the first that is free; with a bound on its connections."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from monitord.errors import ConfigError

CONNECTIONS_BOUND: Final = 200
"""Connections at once: 50 viewers and a few requests of each; more are closed at once."""
HANDSHAKE_S: Final = 10.0
"""Longest TLS handshake (seconds)."""
GONE_S: Final = 20.0
"""Seconds without a sign from a browser's system that it has what was sent: it has left the Wi-Fi, or sleeps, and gives
its place back. Left to itself TCP waits for a quarter of an hour; a page that hears nothing comes anew after 8 s."""
IDLE_S: Final = 75.0
"""Seconds for which a connection may ask nothing: as long as nginx gives; a browser makes another one in no time."""
LINGER_S: Final = 2.0
"""Seconds for which the rest of a refused request is read, so that its sender gets to read why."""
CLOSE_S: Final = 0.3
"""For requests in hand at the end (seconds)."""


async def listen(
    stack: contextlib.AsyncExitStack,
    application: web.Application,
    key: str,
    *,
    host: str | None,
    ports: Sequence[int],
    context: ssl.SSLContext | None = None,
) -> int:
    """Serves an application until the stack is closed.

    Args:
        stack: Ends it.
        application: What is served.
        key: Of the configuration, which names the port.
        host: Address of this machine; None: all.
        ports: Those that are tried, in this order.
        context: For https; None: plain http.

    Returns:
        The port.

    Raises:
        ConfigError: None of them can be had.
    """
    # Whoever closes a stream gives its place back at once, not when something is next said to it.
    runner = web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        auto_decompress=False,  # no page of ours compresses, and what swells is a bound that is none
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=CLOSE_S,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    made = runner.server
    assert made is not None

    def limited() -> asyncio.Protocol:
        return made() if len(made.connections) < CONNECTIONS_BOUND else _Closing()

    handshake_s = None if context is None else HANDSHAKE_S
    for port in ports:
        try:
            server = await asyncio.get_running_loop().create_server(
                limited, host, port, ssl=context, ssl_handshake_timeout=handshake_s
            )
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port != ports[-1]:
                continue
            raise ConfigError(
                f"{key}: cannot listen on {host or 'any address'}, port {port}: {error.strerror or error}; choose"
                " another"
            ) from error
        for listening in server.sockets:  # its connections inherit it
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * GONE_S))
            # Where nothing is sent, such as the sound of a room that is not heard, nothing else finds who has gone.
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                listening.setsockopt(socket.IPPROTO_TCP, option, max(1, int(GONE_S / 2)))
        stack.callback(server.close)
        return port
    raise AssertionError("unreachable: the last port raises")


class _Closing(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ends it at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
