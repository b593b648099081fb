"""A real Chromium, headless, whose microphone plays a file, and which trusts the daemon's CA as a person makes it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.patience import PATIENCE_S

PROGRAM: Final = "/usr/bin/chromium"
"""Debian's."""
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream",
)  # fmt: skip
PHONE: Final = {"width": 390, "height": 844}
"""Of a common phone's page (CSS pixels)."""


@contextmanager
def chromium(folder: Path, sound: Path, authority: Path | None = None) -> Iterator[Browser]:
    """Starts it with a home of its own.

    Args:
        folder: For its home.
        sound: WAV that its microphone plays over and over.
        authority: The CA that it trusts; None: none but the public ones.
    """
    database = folder / ".pki" / "nssdb"
    database.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True)
    if authority is not None:
        trusted = ["-n", "monitord", "-t", "C,,", "-i", str(authority)]
        subprocess.run(["certutil", "-A", "-d", f"sql:{database}", *trusted], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={sound}"],
            env={**os.environ, "HOME": str(folder)},
        )
        try:
            yield browser
        finally:
            browser.close()


def phone(browser: Browser, *, microphone: bool = True, color: str = "dark") -> BrowserContext:
    """Returns a phone of its own: no cookie is shared with another one."""
    permissions = ["microphone", "screen-wake-lock"] if microphone else []
    context = browser.new_context(viewport=PHONE, permissions=permissions, color_scheme=color, locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(1000 * PATIENCE_S)
    return context


def wait_on(page: Page, condition: Callable[[], object], what: str) -> None:
    """Waits for what a page's events bring: they come only while Playwright is asked for something."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"not in time: {what}"
        page.wait_for_timeout(100)


def words(page: Page) -> str:
    """Returns what a person reads."""
    return page.locator("main").inner_text()
