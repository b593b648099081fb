"""The page behind the ingress of a real Home Assistant: what it does to addresses, bodies and streams."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import page_house
from tests.browser.test_parents_page import CRYING
from tests.support.daemon.daemon import crying_room
from tests.support.homeassistant.core_ingress import SUPERVISORS_PREFIX, core_ingress
from tests.support.servers.sockets import free_port
from tests.support.web.chromium import phone
from tests.support.web.ingress_proxy import IngressProxy

pytestmark = pytest.mark.homeassistant


def test_a_cry_is_seen_heard_and_answered_in_home_assistants_frame(tmp_path: Path) -> None:
    """Events come as they are told and sound as it is heard: nothing on the way waits for more. A command arrives."""
    port = free_port()
    ingress = {"port": port, "supervisor": "127.0.0.1"}
    with (
        page_house(tmp_path, crying_room(tmp_path / "cry.wav", 2.0, 2.0), ingress=ingress) as house,
        IngressProxy(port, prefix=SUPERVISORS_PREFIX) as supervisor,
        core_ingress(f"127.0.0.1:{supervisor.own_port}") as address,
    ):
        house.listening_phone()
        page = phone(house.browser, color="light").new_page()
        page.goto(address)
        room = page.frame_locator("iframe").get_by_role("region", name="Nursery")
        expect(room.get_by_text(CRYING)).to_be_visible()
        room.get_by_role("button", name="Listen", exact=True).click()
        expect(room.get_by_text("You hear this room")).to_be_visible()
        room.get_by_role("button", name="I'm going").click()
        house.until(lambda: house.state()["acknowledged"] is True, "the answer on MQTT")
        expect(room.get_by_text(supervisor.user)).to_be_visible()
        page.close()
