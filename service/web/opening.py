"""Opens the family's page where it is wanted; without one nothing is imported, and every message goes to MQTT alone."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from service.capture.source import Source
from service.messages.commands import Command
from service.messages.corrections import Correct
from service.messages.message import Message, Node
from service.web.settings import WebSettings

if TYPE_CHECKING:
    from service.web.past.past import Past
    from service.web.server import WebServer

Tell = Callable[[Message], bool]


def open_page(
    settings: WebSettings | None,
    node: Node,
    names: Mapping[str, str],
    state_dir: Path,
    past: "Past | None",
    *,
    on_command: Callable[[Command], None],
    restart: Callable[[], None],
) -> "WebServer | None":
    """Builds the server; nothing is opened yet. The arguments are those of `WebServer`."""
    if settings is None or past is None:
        return None
    from service.web.server import WebServer  # noqa: PLC0415 - aiohttp only where there is a page: 12 MB

    return WebServer(settings, node, names, state_dir, past, on_command=on_command, restart=restart)


def open_past(
    settings: WebSettings | None, node: Node, folder: Path, sources: Sequence[Source], stack: ExitStack
) -> "Past | None":
    """Opens what the page shows besides the messages, for as long as the stack is open; None where there is no page."""
    if settings is None:
        return None
    from service.web.past.past import Past  # noqa: PLC0415 - as above

    return Past.open(node, folder, sources, settings.clips, stack)


def kept_by(past: "Past | None", on_command: Callable[[Command], None]) -> Callable[[Command], None]:
    """Returns what keeps the family's word on an episode in the history, too, and hands each command on."""
    if past is None:
        return on_command

    def both(command: Command) -> None:
        if isinstance(command, Correct):
            past.history.corrected(
                command.source,
                episode=command.episode,
                missed_at=command.missed_at,
                was=command.was,
                reason=command.reason,
            )
        on_command(command)

    return both


def beside(page: "WebServer | None", tell: Tell) -> Tell:
    """Returns what tells the page, too, and answers as `tell` does."""
    if page is None:
        return tell

    def both(message: Message) -> bool:
        page.tell(message)
        return tell(message)

    return both
