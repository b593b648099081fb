"""The files of the pages: they find each other wherever they are served."""

import json
import re
from pathlib import Path

import pytest

from service.web.pages import FOLDER

FILES = [
    path
    for path in FOLDER.rglob("*")
    if path.suffix in {".html", ".js", ".css", ".webmanifest"} and path.parent.name != "vendor"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_address_is_absolute(path: Path) -> None:
    """Home Assistant's ingress serves the page under a path that only it knows."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"""["'`(=]/[\w.]+[^"'`)\s]*""", text) == []
    assert re.findall(r"""(?:href|src|fetch|replace|assign)[=(]\s*["'`]/""", text) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".html"], ids=lambda path: path.name)
def test_each_file_that_a_page_names_is_there(path: Path) -> None:
    """Relative to the page, which is served at the top."""
    named = re.findall(r'(?:href|src)="([^"]+)"', path.read_text(encoding="utf-8"))
    assert named
    for name in named:
        assert (FOLDER / name.removeprefix("static/")).is_file(), name


def test_the_manifest_is_of_the_page_above_it() -> None:
    """It lies under static/, and starts the page, not its files."""
    manifest = json.loads((FOLDER / "app.webmanifest").read_text(encoding="utf-8"))
    assert (manifest["start_url"], manifest["scope"]) == ("../", "../")
    assert all((FOLDER / icon["src"]).is_file() for icon in manifest["icons"])


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=lambda path: path.name)
def test_what_a_browser_keeps_has_our_name(path: Path) -> None:
    """In Home Assistant's frame the page shares its store with Home Assistant and with every other app."""
    text = path.read_text(encoding="utf-8")
    for key in re.findall(r"""localStorage(?:\.\w+\(|, )["'`]([^"'`]*)""", text):
        assert key.startswith("monitord."), key
    assert text.count("localStorage") == len(re.findall(r"""localStorage(?:\.\w+\(|, )["'`]""", text))
