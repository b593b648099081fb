"""The pages: files that are read once at the start, and served by name; no directory is."""

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web

from service.messages.texts import Texts, languages

FOLDER: Final = Path(__file__).parent / "pages"
VIEWS: Final = {
    "/": "parents/index.html",
    "/pair": "pair.html",
    "/devices": "devices.html",
    "/microphone": "microphone.html",
}
"""Path -> file: where a person goes."""
TRUST: Final = {"/": "trust.html"}
"""The same, over plain http."""
WORDS: Final = "words.json"
"""The table of all words of the pages: key -> language -> text."""


@dataclass(frozen=True, slots=True)
class Page:
    """One file, as it is sent."""

    body: bytes
    compressed: bytes
    """The same by gzip."""
    content_type: str
    tag: str
    """Changes with the file."""

    @classmethod
    def of(cls, name: str, body: bytes) -> "Page":
        """Reads a file's kind from its name."""
        kind = (
            "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
        )
        return cls(body, gzip.compress(body, mtime=0), kind, f'"{hashlib.sha256(body).hexdigest()[:16]}"')

    def answer(self, request: web.Request) -> web.Response:
        """Sends it, unless the browser has it."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == self.tag:
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        body = self.compressed if "Content-Encoding" in headers else self.body
        return web.Response(body=body, content_type=self.content_type, charset="utf-8", headers=headers)


class Pages:
    """All files of the folder."""

    def __init__(self) -> None:
        paths = [path for path in FOLDER.rglob("*") if path.is_file()]
        files = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
        files[WORDS] = json.dumps(_words(json.loads(files[WORDS])), ensure_ascii=False).encode()
        self._pages = {name: Page.of(name, body) for name, body in files.items()}

    def routes(self, views: dict[str, str]) -> list[web.RouteDef]:
        """Returns the routes of these views, and of every file that they load, under `/static/`."""

        async def static(request: web.Request) -> web.Response:
            page = self._pages.get(request.match_info["name"])
            if page is None:
                raise web.HTTPNotFound
            return page.answer(request)

        return [*(self._view(path, name) for path, name in views.items()), web.get("/static/{name:.+}", static)]

    def _view(self, path: str, name: str) -> web.RouteDef:
        page = self._pages[name]

        async def view(request: web.Request) -> web.Response:
            return page.answer(request)

        return web.get(path, view)


def _words(table: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Returns language -> key -> text: the table of the pages, with the sentences that phones are told."""
    told = {code: Texts.load(code).language for code in languages()}
    return {
        code: {
            **{key: texts[code] for key, texts in table.items()},
            **{f"reason.{reason}": text for reason, text in language.reasons.items()},
            **{f"fault.{fault}": text for fault, text in language.faults.items()},
        }
        for code, language in told.items()
    }
