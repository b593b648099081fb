"""Opens the family's page where it is wanted; without one nothing is imported, and every message goes to MQTT alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from service.messages.commands import Command
from service.messages.message import Message, Node
from service.web.settings import WebSettings

if TYPE_CHECKING:
    from service.web.server import WebServer

Tell = Callable[[Message], bool]


def open_page(
    settings: WebSettings | None,
    node: Node,
    names: Mapping[str, str],
    state_dir: Path,
    *,
    on_command: Callable[[Command], None],
    invites: bool,
) -> "WebServer | None":
    """Builds the server; nothing is opened yet. The arguments are those of `WebServer`."""
    if settings is None:
        return None
    from service.web.server import WebServer  # noqa: PLC0415 - aiohttp only where there is a page: 12 MB

    return WebServer(settings, node, names, state_dir, on_command=on_command, invites=invites)


def beside(page: "WebServer | None", tell: Tell) -> Tell:
    """Returns what tells the page, too, and answers as `tell` does."""
    if page is None:
        return tell

    def both(message: Message) -> bool:
        page.tell(message)
        return tell(message)

    return both
