"""Push, chat and mail services, through Apprise.

Imported only where a channel has a `url`: it costs 43 MB and 0.3 s on a desktop machine.
"""

import difflib
import logging
import re
import warnings
from collections.abc import Mapping
from typing import Final

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyType
from apprise.manager_plugins import NotificationManager

from service.notify.notice import Notice, Severity
from service.notify.sending import READ_S, NotSentError, status_words

_FORMS: Final = "such as ntfy://HOST/TOPIC, pover://USER@TOKEN, tgram://TOKEN/CHAT, mailto://USER:PASSWORD@HOST"
_WITH_PRIORITY: Final = {"ntfy", "ntfys", "gotify", "gotifys", "pover", "prowl"}
"""Services whose URL takes `priority=` with the words of `_priority`; the others treat all alike."""
_PRIORITIES: Final[Mapping[Severity, str]] = {
    Severity.INFO: "normal",
    Severity.WARNING: "high",
    Severity.CRITICAL: "emergency",
}
_COLOURS: Final[Mapping[Severity, NotifyType]] = {
    Severity.INFO: NotifyType.INFO,
    Severity.WARNING: NotifyType.WARNING,
    Severity.CRITICAL: NotifyType.FAILURE,
}
_ASSET: Final = AppriseAsset(
    app_id="monitord",
    app_desc="baby monitor",
    app_url="",
    image_url_mask="",  # no phone shall fetch an icon from elsewhere because of us
    image_url_logo="",
    interpret_emojis=False,
    async_mode=False,
    service_timeout=0,  # its own deadline needs threads that hold up our exit; the network's timeouts do
)
_SCHEME: Final = re.compile(r"([a-z0-9.+-]+)://", re.IGNORECASE)

# Its own lines name topics and chats, which are secrets; what is in them that a person needs, `_why` says.
logging.getLogger("apprise").propagate = False

_MANAGER: Final = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise types its main class alone
with warnings.catch_warnings():
    # A plugin for encrypted mail asks for a module of Python that is about to go.
    warnings.simplefilter("ignore", DeprecationWarning)
    _MANAGER.load_modules()  # type: ignore[no-untyped-call]  # here and not at the first alarm


def check_url(url: str) -> None:
    """Refuses what Apprise cannot use; the message repeats no more of it than the scheme.

    Raises:
        ValueError: Says what is allowed.
    """
    if _service(url) is not None:
        return
    scheme, known = _scheme(url), _schemes()
    if scheme in known:
        raise ValueError(f"is no complete {scheme}:// address; allowed is what Apprise takes, {_FORMS}")
    close = difflib.get_close_matches(scheme, known, n=1)
    near = f"; did you mean {close[0]}://" if close else ""
    raise ValueError(f"is no address that Apprise knows{near}; allowed are {len(known)} kinds, {_FORMS}")


class Push:
    """One Apprise URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._doors: dict[str, Apprise] = {}  # by priority

    def send(self, notice: Notice) -> None:
        """Hands the text to the service, with its own idea of urgency where it has one."""
        result = self._door(_priority(notice)).notify(
            notice.message, title=notice.title, notify_type=_colour(notice), body_format="text"
        )
        if not result:
            raise NotSentError(_why(" ".join(entry.message for entry in result.logs())))

    def _door(self, priority: str) -> Apprise:
        if priority not in self._doors:
            service = _service(_with_priority(self._url, priority))
            if service is None:  # checked at the start; a service may look at files of its own
                raise NotSentError("Apprise does not take its address any more")
            # Apprise would wait 5.5 s between two requests, also before an alarm; our own pace lets alarms pass.
            service.request_rate_per_sec = 0
            if "rto=" not in self._url:  # Apprise's own way to say it
                service.socket_read_timeout = READ_S
            door = Apprise(asset=_ASSET)
            door.add(service)
            self._doors[priority] = door
        return self._doors[priority]


def _priority(notice: Notice) -> str:
    return "moderate" if notice.closes else _PRIORITIES[notice.severity]  # below normal: no sound


def _with_priority(url: str, priority: str) -> str:
    if _scheme(url) not in _WITH_PRIORITY or "priority=" in url:
        return url
    if _scheme(url) == "pover" and priority == "emergency":
        priority = "high"  # Pushover repeats an emergency until it is confirmed there, which we would never learn
    return f"{url}{'&' if '?' in url else '?'}priority={priority}"


def _colour(notice: Notice) -> NotifyType:
    return NotifyType.SUCCESS if notice.closes else _COLOURS[notice.severity]


def _why(log: str) -> str:
    """Says what Apprise's log says, without what it tells of the address."""
    if code := re.search(r"error=(\d{3})\b", log):
        return status_words(int(code[1]))
    return "it cannot be reached" if "onnection" in log else "it does not take the message"


def _scheme(url: str) -> str:
    found = _SCHEME.match(url.strip())
    return found[1].lower() if found else ""


def _schemes() -> list[str]:
    return sorted(_MANAGER.schemas())  # type: ignore[no-untyped-call]


def _service(url: str) -> NotifyBase | None:
    service = Apprise.instantiate(url, asset=_ASSET)
    # Apprise takes an ntfy address without a topic, and then tells nobody.
    return None if getattr(service, "topics", None) == [] and _scheme(url) in {"ntfy", "ntfys"} else service
