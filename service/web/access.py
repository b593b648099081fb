"""Who comes in: one middleware that asks where a request comes from and who makes it, then looks at role and size."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from service.web.roles import PUBLIC, RIGHTS, Right, Role

REFUSALS_BOUND, REFUSALS_S = 60, 60.0
"""Requests without a device that one address may make within so many seconds: a page that nobody paired makes three."""
REQUESTS_BOUND, REQUESTS_S = 600, 10.0
"""Requests that one device may make within so many seconds: a microphone that catches up makes 10 a second."""
BODY_S: Final = 20.0
"""Longest that the body of a request may take (seconds): a page gives up after three; who stops in the middle holds a
connection."""
CALLERS_BOUND: Final = 1_000
"""Addresses and devices whose requests are counted: more than a home network has; then the oldest count goes."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
    " connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
"""Content-Security-Policy: what is ours, nothing inline; who may frame it follows."""
HEADERS: Final = {
    "Server": "monitord",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Of every response."""
HTTPS_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), screen-wake-lock=(self), camera=(), geolocation=()",
}
"""Of every response but those of plain http, where browsers take them for a mistake."""


class RefusedError(Exception):
    """A request is refused: the status, and for a person why. Any handler may raise it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    id: str
    """Of a device, or of a user of Home Assistant."""
    role: Role
    name: str = ""
    """For a person: `Android, Chrome`, or what Home Assistant calls its user."""
    room: str | None = None
    """Of a microphone: the id of its one room."""


CALLER: Final = web.RequestKey("caller", Caller)
"""Under it a request to a route with rights holds who makes it."""


class Authentication(Protocol):
    """One way in: what it takes for a page of ours, and for whom."""

    def check_origin(self, request: web.Request) -> None:
        """Raises RefusedError where the request does not come from a page of ours."""

    def caller(self, request: web.Request) -> Caller | None:
        """Returns who makes the request; None: a stranger."""


class Access:
    """The middleware, and what it needs. Used by the web thread alone.

    Args:
        authentication: Of the way by which these requests come.
        frame_ancestors: Origins that may show the pages in a frame, as a Content-Security-Policy writes them.
        rights: Who may use which route.
    """

    def __init__(
        self,
        authentication: Authentication,
        frame_ancestors: Collection[str],
        rights: Mapping[tuple[str, str], Right] = RIGHTS,
    ) -> None:
        self._authentication, self._rights = authentication, rights
        self._frame_ancestors = frame_ancestors
        self._strangers = _Counter(REFUSALS_BOUND, REFUSALS_S)
        self._requests = _Counter(REQUESTS_BOUND, REQUESTS_S)

    @web.middleware
    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets the request through, or refuses it and says why."""
        try:
            self._authentication.check_origin(request)
            if request.path.startswith("/api/"):
                self._check_who(request)
                await _read_body(request)
            return await handler(request)
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=error.status)

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Puts the headers of every response on this one."""
        del request
        response.headers.update(HTTPS_HEADERS)
        put_headers(response, self._frame_ancestors)

    def _check_who(self, request: web.Request) -> None:
        """Refuses whoever is not paired, or may not do that, or does it too often or at too great a length."""
        caller = self._authentication.caller(request)
        if caller is None and not self._strangers.may(request.remote or ""):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too many requests without a device that is paired")
        if caller is not None and not self._requests.may(caller.id):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too many requests")
        resource = request.match_info.route.resource
        route = (request.method.replace("HEAD", "GET"), "" if resource is None else resource.canonical)
        right = PUBLIC.get(route) or self._rights.get(route)
        if right is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such thing")
        if request.method == "POST" and (request.content_length is None or request.content_length > right.body):
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {right.body} bytes, with Content-Length")
        if route in PUBLIC:
            return
        if caller is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "this device is not paired, or not any more")
        if caller.role not in right.roles or not _is_own_room(caller, request):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"a device that is paired as {caller.role} may not do that")
        request[CALLER] = caller


def put_headers(response: web.StreamResponse, frame_ancestors: Collection[str] = ()) -> None:
    """Puts on a response what every one has, over plain http, too."""
    response.headers.update(HEADERS)
    response.headers["Content-Security-Policy"] = POLICY + (" ".join(frame_ancestors) or "'none'")
    response.headers.setdefault("Cache-Control", "no-store")


async def _read_body(request: web.Request) -> None:
    """Waits for the body, which handlers find read then; refuses one that does not come."""
    try:
        async with asyncio.timeout(BODY_S):
            await request.read()
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, f"the request did not come within {BODY_S:g} s") from None


def _is_own_room(caller: Caller, request: web.Request) -> bool:
    """Whether a microphone stays in its room."""
    return caller.role is not Role.MICROPHONE or request.match_info.get("room", caller.room) == caller.room


class _Counter:
    """Counts requests by caller, in windows of time."""

    def __init__(self, bound: int, window_s: float) -> None:
        self._bound, self._window_s = bound, window_s
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # caller: (window's end, requests)

    def may(self, caller: str) -> bool:
        """Counts one more; returns whether it is within the bound."""
        now = time.monotonic()
        ends, count = self._counts.pop(caller, (0.0, 0))
        if now >= ends:
            ends, count = now + self._window_s, 0
        self._counts[caller] = ends, count + 1
        if len(self._counts) > CALLERS_BOUND:
            self._counts.popitem(last=False)
        return count < self._bound
