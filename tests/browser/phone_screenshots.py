"""Takes the pictures of the phone in the nursery and of the way to it, as `screenshots` does of the parents' page.

python -m tests.browser.phone_screenshots FOLDER
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from monitord.synthetic.synthetic_cry import BOUT, cry
from service.web.family.invitations import Invitations
from service.web.roles import Role
from tests.browser.screenshots import SIZES, take
from tests.support.sound.sounds import pcm, write_wav
from tests.support.web.chromium import chromium
from tests.support.web.served_page import COOKIE, ServedPage

LOOKS: Final = (("phone", "light"), ("phone", "dark"), ("desk", "light"), ("desk", "dark"))
"""Size, colours."""


def keep(page: Page, file: Path) -> None:
    """Takes one picture."""
    page.wait_for_timeout(1_000)
    take(page, file)


def pictures(served: ServedPage, browser: Browser, folder: Path, owner: str, microphone: str) -> None:
    """Each view, once for each look that it has."""
    for size, theme in LOOKS:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            color_scheme=theme,  # type: ignore[arg-type]
            permissions=["microphone", "screen-wake-lock"],
        )
        look, page = f"{size}-{theme}.png", context.new_page()
        page.goto(f"{served.origin}/pair#{Invitations(served.folder).invite(Role.OWNER)}")
        page.get_by_role("button").first.wait_for()
        keep(page, folder / f"pair-{look}")
        page.goto(str(served.server.addresses.way))
        keep(page, folder / f"trust-{look}")
        context.add_cookies([{"name": COOKIE, "value": owner, "url": served.origin, "secure": True}])
        page.goto(f"{served.origin}/devices")
        page.get_by_role("button", name="Parent").click()
        keep(page, folder / f"devices-{look}")
        if theme == "dark":  # it has no other
            context.add_cookies([{"name": COOKIE, "value": microphone, "url": served.origin, "secure": True}])
            page.goto(f"{served.origin}/microphone")
            page.get_by_role("button", name="Start listening").wait_for()
            keep(page, folder / f"start-{look}")
            page.get_by_role("button", name="Start listening").click()
            page.get_by_role("meter").wait_for()
            keep(page, folder / f"microphone-{look}")
        context.close()


def main() -> None:
    """Writes PNG files."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as state, ServedPage(Path(state)) as served:
        authority = served.server.addresses.certificate
        assert authority is not None
        owner, microphone = served.paired(Role.OWNER), served.paired(Role.MICROPHONE)
        for device in served.ask("GET", "/api/devices", token=owner).values["devices"]:
            name = "Anna" if device["role"] == Role.OWNER else "The old phone"
            served.ask("POST", f"/api/devices/{device['id']}", token=owner, body={"name": name})
        crying = write_wav(Path(state) / "cry.wav", pcm(cry(BOUT), -10.0))
        with chromium(Path(state) / "home", crying, authority.ca) as browser:
            pictures(served, browser, folder, owner, microphone)


if __name__ == "__main__":
    main()
