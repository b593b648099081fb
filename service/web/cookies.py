"""Devices that come by https to this machine: known by their cookie, and only from pages of our own.

Another port of this machine is the same site to a browser, which then sends even Strict cookies along: so Origin must
be our own on whatever changes something, and Sec-Fetch-Site on whatever is read. A foreign name that leads to this
machine (DNS rebinding) is no name of ours.
"""

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.settings.addresses import in_house
from service.settings.hosts import is_address
from service.web.access import Caller, RefusedError
from service.web.address.own_names import host_of
from service.web.family.devices import Devices

COOKIE_S: Final = 400 * 24 * 3_600
"""Seconds for which a browser keeps the cookie: the longest that Chrome allows; each visit of the page renews it."""


class Cookies:
    """The `Authentication` of paired devices.

    Args:
        node: Name of the daemon: two on one machine must not overwrite each other's cookie, which knows no port.
        devices: Of the family.
        hosts: Returns the names and addresses under which a browser may ask.
    """

    def __init__(self, node: str, devices: Devices, hosts: Callable[[], Collection[str]]) -> None:
        self._devices, self._hosts = devices, hosts
        self._cookie = f"__Host-monitord_{node}"

    def check_origin(self, request: web.Request) -> None:
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

    def caller(self, request: web.Request) -> Caller | None:
        """Returns the device that shows its cookie, where it is one of the family."""
        found = self._devices.of_token(request.cookies.get(self._cookie, ""))
        if found is None:
            return None
        one, device = found
        return Caller(one, device.role, device.name, device.room)

    def give(self, response: web.StreamResponse, token: str) -> None:
        """Lets the browser keep the device's token: for this host alone, unseen by scripts, sent by our pages alone."""
        response.set_cookie(
            self._cookie, token, max_age=COOKIE_S, path="/", secure=True, httponly=True, samesite="Strict"
        )

    def renew(self, request: web.Request, response: web.StreamResponse) -> None:
        """Lets the browser keep the cookie that it sent for longer, where it sent one."""
        if self._cookie in request.cookies:
            self.give(response, request.cookies[self._cookie])
