"""Who comes in: one middleware that looks at Host, Origin, Sec-Fetch-Site, the device's cookie, its role and its size.

Another port of this machine is the same site to a browser, which then sends even Strict cookies along: so Origin must
be our own on whatever changes something, and Sec-Fetch-Site on whatever is read. A foreign name that leads to this
machine (DNS rebinding) is no name of ours.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from service.settings.addresses import in_house
from service.settings.hosts import is_address
from service.web.address.own_names import host_of
from service.web.family.devices import Device, Devices
from service.web.roles import PUBLIC, RIGHTS, Role

DEVICE: Final = web.RequestKey("device", tuple[str, Device])
"""Under it a request holds its device: its id, and what is known of it."""
REFUSALS_BOUND, REFUSALS_S = 60, 60.0
"""Requests without a device that one address may make within so many seconds: a page that nobody paired makes three."""
REQUESTS_BOUND, REQUESTS_S = 600, 10.0
"""Requests that one device may make within so many seconds: a microphone that catches up makes 10 a second."""
CALLERS_BOUND: Final = 1_000
"""Addresses and devices whose requests are counted: more than a home network has; then the oldest count goes."""
COOKIE_S: Final = 400 * 24 * 3_600
"""Seconds for which a browser keeps the cookie: the longest that Chrome allows; each visit of the page renews it."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
    " connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
"""Content-Security-Policy: what is ours, nothing inline; who may frame it follows."""
HEADERS: Final = {
    "Server": "monitord",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), screen-wake-lock=(self), camera=(), geolocation=()",
}


class RefusedError(Exception):
    """A request is refused: the status, and for a person why. Any handler may raise it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Access:
    """The middleware, and what it needs. Used by the web thread alone.

    Args:
        node: Name of the daemon: two on one machine must not overwrite each other's cookie, which knows no port.
        devices: Of the family.
        hosts: Returns the names and addresses under which a browser may ask.
        frame_ancestors: Origins that may show the pages in a frame.
    """

    def __init__(
        self, node: str, devices: Devices, hosts: Callable[[], Collection[str]], frame_ancestors: Collection[str]
    ) -> None:
        self._devices, self._hosts = devices, hosts
        self._cookie = f"__Host-monitord_{node}"
        self._policy = POLICY + (" ".join(frame_ancestors) or "'none'")
        self._strangers = _Counter(REFUSALS_BOUND, REFUSALS_S)
        self._requests = _Counter(REQUESTS_BOUND, REQUESTS_S)

    @web.middleware
    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets the request through, or refuses it and says why."""
        try:
            self._check_where_from(request)
            if request.path.startswith("/api/"):
                self._check_who(request)
            return await handler(request)
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=error.status)

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Puts the headers of every response on this one."""
        del request
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = self._policy
        response.headers.setdefault("Cache-Control", "no-store")

    def give_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Lets the browser keep the device's token: for this host alone, unseen by scripts, sent by our pages alone."""
        response.set_cookie(
            self._cookie, token, max_age=COOKIE_S, path="/", secure=True, httponly=True, samesite="Strict"
        )

    def renew_cookie(self, request: web.Request, response: web.StreamResponse) -> None:
        """Lets the browser keep the cookie that it sent for longer."""
        self.give_cookie(response, request.cookies[self._cookie])

    def _check_where_from(self, request: web.Request) -> None:
        """Refuses a Host that is no name of ours, and requests of other pages."""
        host = host_of(request.host)
        if host not in self._hosts() and not (is_address(host) and in_house(host)):
            raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, "this is no name of this machine; web.names adds names")
        if request.method not in {"GET", "HEAD"}:
            foreign = request.headers.get("Origin") != f"https://{request.host}"
        else:  # browsers before 2023 may not send it
            site = request.headers.get("Sec-Fetch-Site", "none")
            foreign = request.path.startswith("/api/") and site not in {"same-origin", "none"}
        if foreign:
            raise RefusedError(HTTPStatus.FORBIDDEN, "the request comes from another page")

    def _check_who(self, request: web.Request) -> None:
        """Refuses whoever is not paired, or may not do that, or does it too often or at too great a length."""
        found = self._devices.of_token(request.cookies.get(self._cookie, ""))
        if found is None and not self._strangers.may(request.remote or ""):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too many requests without a device that is paired")
        resource = request.match_info.route.resource
        route = (request.method.replace("HEAD", "GET"), "" if resource is None else resource.canonical)
        right = PUBLIC.get(route) or RIGHTS.get(route)
        if right is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such thing")
        if request.method == "POST" and (request.content_length is None or request.content_length > right.body):
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {right.body} bytes, with Content-Length")
        if route in PUBLIC:
            return
        if found is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "this device is not paired, or not any more")
        identity, device = found
        if device.role not in right.roles or not _is_own_room(device, request):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"a device that is paired as {device.role} may not do that")
        if not self._requests.may(identity):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too many requests")
        request[DEVICE] = found


def _is_own_room(device: Device, request: web.Request) -> bool:
    """Whether a microphone stays in its room."""
    return device.role is not Role.MICROPHONE or request.match_info.get("room", device.room) == device.room


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
