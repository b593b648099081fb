"""Home Assistant's ingress: its Supervisor asks for whoever is logged in there, over plain http, and says who that is.

Its pages are shown in a frame of Home Assistant, at an address that begins with a path of Home Assistant's: each
address in a page is a relative one, so that nothing here needs to know that path (`X-Ingress-Path`).
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from service.web.access import Caller, RefusedError
from service.web.family.devices import NAME_CHARS
from service.web.roles import Role

FRAME_ANCESTORS: Final = ("'self'",)
"""Who may show these pages in a frame: Home Assistant, which serves them under its own origin."""
VIEWS: Final = {"/": "parents/index.html", "/devices": "devices.html"}
"""Path -> file. A frame gets no microphone and its cookies are Home Assistant's, so nothing is paired here: the page
links to its own address, and *Devices* makes links to it."""
USER_ID, USER_NAME = "X-Remote-User-Id", "X-Remote-User-Name"
DISPLAY_NAME: Final = "X-Remote-User-Display-Name"
"""What the Supervisor says of who is logged in; it takes out what the browser sent of that name (its api/ingress.py).
It does not say who is an administrator, and `panel_admin` hides the panel without closing the way to it."""


class Ingress:
    """The `Authentication` of Home Assistant's users.

    Args:
        supervisor: The one address whose word is taken.
        owners: User names in Home Assistant, in small letters, of who may pair and remove devices; all others are
            parents.
    """

    def __init__(self, supervisor: str, owners: Collection[str]) -> None:
        self._supervisor, self._owners = supervisor, owners

    def check_origin(self, request: web.Request) -> None:
        """Refuses all other addresses, and requests of other pages."""
        if request.remote != self._supervisor:
            raise RefusedError(HTTPStatus.FORBIDDEN, "only the Supervisor of Home Assistant may ask on this port")
        if request.path.startswith("/api/") and _is_foreign(request):
            raise RefusedError(HTTPStatus.FORBIDDEN, "the request comes from another page")

    def caller(self, request: web.Request) -> Caller:
        """Returns who is logged in to Home Assistant; the Supervisor lets nobody else through."""
        user = request.headers.get(USER_NAME, "")
        role = Role.OWNER if user.lower() in self._owners else Role.PARENT
        name = request.headers.get(DISPLAY_NAME, user) or "Home Assistant"
        name = name.encode(errors="replace").decode()  # it goes into the history and to MQTT, which take text alone
        return Caller(f"home_assistant:{request.headers.get(USER_ID, '')}", role, name[:NAME_CHARS])


def _is_foreign(request: web.Request) -> bool:
    """Whether another page asks: by Sec-Fetch-Site, or where there is none, as over plain http, by Origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if request.method in {"GET", "HEAD"}:
        return site not in {None, "same-origin", "none"}
    if site is not None:
        return site != "same-origin"
    ours = {request.host, request.headers.get("X-Forwarded-Host", request.host)}
    return urlsplit(request.headers.get("Origin", "")).netloc not in ours
