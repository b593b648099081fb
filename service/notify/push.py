"""Push, chat and mail services, through Apprise.

Imported only where a channel has a `url`: it costs 43 MB and 0.3 s on a desktop machine.
"""

import difflib
import logging
import re
import sys
from collections.abc import Mapping
from typing import Final

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyType
from apprise.manager_plugins import NotificationManager

from service.notify import mail
from service.notify.answers import doubt
from service.notify.notice import Notice, Severity
from service.notify.sending import READ_S, NotSentError
from service.notify.trust import Trust
from service.notify.web import Way, watch_everybody, watching

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
_UNWATCHED: Final = (
    "this version of Apprise sends by a way that monitord cannot watch, so nothing proves that it arrived; install the"
    " versions of deploy/lock"
)
_LOOKS_UP_BY_HTTP: Final = frozenset({"NotifyNostr"})
"""Services that use requests for names and pictures only; the message itself goes over a WebSocket."""
_SCHEME: Final = re.compile(r"([a-z0-9.+-]+)://", re.IGNORECASE)

# Its own lines name topics and chats, which are secrets; what is in them that a person needs, `_why` says.
logging.getLogger("apprise").propagate = False

_MANAGER: Final = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise types its main class alone
_MANAGER.load_modules()  # type: ignore[no-untyped-call]  # here and not at the first alarm
watch_everybody()
mail.watch_everybody()


def check_url(url: str, *, pinned: bool = False) -> None:
    """Refuses what Apprise cannot use; the message repeats no more of it than the scheme.

    Args:
        url: As the family wrote it.
        pinned: Whether the channel has a ca_file or a fingerprint.

    Raises:
        ValueError: Says what is allowed.
    """
    service, scheme = _service(url), _scheme(url)
    if service is not None:
        if pinned and not (_is_web(service) or mail.is_mail(service)):
            raise ValueError(f"{scheme}:// takes no ca_file and no fingerprint; services over HTTPS and mail do")
        if pinned and not _is_encrypted(service, scheme):
            near = f"; write {scheme}s://" if f"{scheme}s" in _schemes() else ""
            raise ValueError(f"{scheme}:// is not encrypted, so ca_file and fingerprint have no certificate{near}")
        return
    known = _schemes()
    if scheme in known:
        raise ValueError(f"is no complete {scheme}:// address; allowed is what Apprise takes, {_FORMS}")
    close = difflib.get_close_matches(scheme, known, n=1)
    near = f"; did you mean {close[0]}://" if close else ""
    raise ValueError(f"is no address that Apprise knows{near}; allowed are {len(known)} kinds, {_FORMS}")


class Push:
    """One Apprise URL."""

    def __init__(self, url: str, trust: Trust | None = None) -> None:
        self._url, self._trust = url, trust or Trust()
        self._doors: dict[str, Apprise] = {}  # by priority

    def send(self, notice: Notice) -> None:
        """Hands the text to the service, with its own idea of urgency where it has one."""
        door = self._door(_priority(notice))
        with watching(self._trust) as way:
            result = door.notify(notice.message, title=notice.title, notify_type=_colour(notice), body_format="text")
        service = next(iter(door))
        scheme = _scheme(str(service.url()))  # type: ignore[no-untyped-call]
        why = self._doubt(service, scheme, way, notice)
        if not result:
            log = " ".join(entry.message for entry in result.logs())
            raise NotSentError(way.faults[-1] if way.faults else (way.exchanges and why) or _why(log))
        if why:
            raise NotSentError(why)

    def _doubt(self, service: NotifyBase, scheme: str, way: Way, notice: Notice) -> str:
        if mail.is_mail(service):
            return "" if way.mails else _UNWATCHED
        if not _is_web(service):
            return ""  # neither HTTP nor mail: Apprise's own word is all that there is
        return doubt(way.exchanges, (notice.title, notice.message), scheme) if way.exchanges else _UNWATCHED

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
    """Says what Apprise's log says of a service that is neither HTTP nor mail, without what it tells of the address."""
    return "it cannot be reached" if "onnection" in log else "it does not take the message"


def _is_web(service: NotifyBase) -> bool:
    """Whether it hands messages over by HTTP: all that do use requests."""
    return type(service).__name__ not in _LOOKS_UP_BY_HTTP and any(
        hasattr(sys.modules[kind.__module__], "requests") for kind in _kinds(service)
    )


def _is_encrypted(service: NotifyBase, scheme: str) -> bool:
    if mail.is_mail(service):
        return mail.is_encrypted(service)
    return scheme not in (service.protocol if isinstance(service.protocol, tuple) else (service.protocol,))


def _kinds(service: NotifyBase) -> list[type]:
    kinds = type(service).__mro__
    return list(kinds[: kinds.index(NotifyBase)])


def _scheme(url: str) -> str:
    found = _SCHEME.match(url.strip())
    return found[1].lower() if found else ""


def _schemes() -> list[str]:
    return sorted(_MANAGER.schemas())  # type: ignore[no-untyped-call]


def _service(url: str) -> NotifyBase | None:
    service = Apprise.instantiate(url, asset=_ASSET)
    # Apprise takes an ntfy address without a topic, and then tells nobody.
    return None if getattr(service, "topics", None) == [] and _scheme(url) in {"ntfy", "ntfys"} else service
