"""What an answer proves. Pure but for the types: HTTP says 200 also where a login page, a portal or a refusal comes."""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

from service.notify.sending import status_words
from service.notify.web import Exchange

PAGE: Final = "with a web page, which is no answer of such a service: a login page, or somebody on the way?"

_PAGE_STARTS: Final = re.compile(
    r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype html|html|head|body|title|meta|script|form|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)

_SAYS_YES: Final[Mapping[str, tuple[str, ...]]] = {
    "ntfy": ("id",),
    "pover": ("status",),
    "tgram": ("ok",),
    "slack": ("ok",),
    "gotify": ("id",),
    "signal": ("timestamp", "timestamps"),
    "pbul": ("iden",),
}
"""Scheme without its final s: what a JSON answer that took the message holds (one of them), by its documents."""
_NO: Final = frozenset({"", "0", "false", "none", "null", "ok", "success"})
"""What stands in a field for mistakes where there is none."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_]{2,40}")
"""A name of a mistake, as `invalid_auth`: short, and no part of any address."""
_ENOUGH: Final = 8
"""Letters and digits by which a text is known again: some services shorten what they pass on."""


def doubt(exchanges: Sequence[Exchange], texts: Iterable[str], scheme: str = "") -> str:
    """Says why the answers do not prove that the texts were taken; empty: they do.

    Args:
        exchanges: All requests of one attempt, with their answers.
        texts: What was to be told, title or message: any of them marks the requests that carried the alarm. Where none
            can be recognised (encrypted services), it is the last request that brings something.
        scheme: Of the service's URL; empty: a webhook.
    """
    carriers: Sequence[Exchange] = [it for it in exchanges if any(_carries(it, text) for text in texts)]
    carriers = carriers or [it for it in exchanges if it.request.method not in {"GET", "HEAD"}][-1:] or exchanges[-1:]
    taken = [it for it in carriers if it.response.ok and not it.response.is_redirect]
    if not taken:
        return status_words(carriers[-1].response.status_code) if carriers else "nothing was sent to it"
    return next(filter(None, (refusal(it.response.status_code, it.response.content, scheme) for it in taken)), "")


def refusal(status: int, content: bytes, scheme: str = "") -> str:
    """Says what in an answer of 200 to 299 is no yes; empty: nothing."""
    text = content.decode(errors="replace").lstrip("\ufeff \t\r\n")
    if _PAGE_STARTS.match(text):
        return f"{status_words(status)} {PAGE}"
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict) or not said:
        return ""
    mistakes = [said[key] for key in ("error", "errors", "errcode") if _is_mistake(said.get(key))]
    expected = _SAYS_YES.get(scheme.removesuffix("s"), ())
    missing = bool(expected) and not any(said.get(key) for key in expected)
    if mistakes or missing or False in (said.get("ok"), said.get("success")):
        named = next((it for it in mistakes if isinstance(it, str) and _WORD.fullmatch(it)), "")
        return f"{status_words(status)} with a refusal{f' ({named})' if named else ''}"
    return ""


def _is_mistake(value: object) -> bool:
    return bool(value) and str(value).lower() not in _NO


def _carries(exchange: Exchange, text: str) -> bool:
    wanted = _letters(text)[: 4 * _ENOUGH]
    if len(wanted) < _ENOUGH:
        return False
    body = exchange.request.body or b""
    sent = body if isinstance(body, str) else body.decode(errors="replace") if isinstance(body, bytes) else ""
    with_escapes = re.sub(r"\\u([0-9a-fA-F]{4})", lambda it: chr(int(it[1], 16)), f"{exchange.request.url} {sent}")
    return wanted in _letters(html.unescape(unquote_plus(with_escapes)))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)
