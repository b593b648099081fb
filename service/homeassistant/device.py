"""The shape of one device's discovery payload. Options have Home Assistant's full names: its documents search by them.

Minimum version 2024.11, the first that knows discovery by device.
"""

from collections.abc import Mapping
from typing import Final

from service.homeassistant.house import House
from service.messages.node_messages import OFFLINE, ONLINE

Component = dict[str, object]
"""One entity: `platform`, `name` and Home Assistant's options for it."""

PRESS_TEST: Final[Component] = {
    "platform": "button",
    "name": "Test alarm",
    "icon": "mdi:bell-check-outline",
    "entity_category": "diagnostic",
    "payload_press": "PRESS",
}
"""A test of the whole way to the phone; its topic is added."""

QOS: Final = 1


def connectivity(topic: str) -> Component:
    """Returns what a binary sensor needs to follow a `status` topic."""
    return {
        "platform": "binary_sensor",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "payload_on": ONLINE,
        "payload_off": OFFLINE,
    }


def device_payload(
    house: House,
    device: Mapping[str, object],
    *,
    device_id: str,
    slug: str,
    available: tuple[str, ...],
    components: Mapping[str, Component],
) -> dict[str, object]:
    """Returns the payload of a device.

    Args:
        house: Whose device it is.
        device: Name, model and so on.
        device_id: Its identifier; every entity's unique id begins with it.
        slug: How its entity ids begin, `[a-z0-9_]+`.
        available: `status` topics that must all say `online`, for entities that say nothing else.
        components: Entities by key; a key stays for ever, for unique ids are made of it.
    """
    return {
        "device": {"identifiers": [device_id], "manufacturer": "monitord", "sw_version": house.version, **device},
        "origin": {"name": "monitord", "sw_version": house.version},
        "availability": availability(*available),
        "availability_mode": "all",
        "components": {
            key: {
                **component,
                "unique_id": f"{device_id}_{key}",
                "default_entity_id": _entity_id(slug, component),
                "qos": QOS,
            }
            for key, component in components.items()
        },
    }


def availability(*topics: str) -> list[dict[str, str]]:
    """Returns which topics must say `online` (Home Assistant's default payloads are ours)."""
    return [{"topic": topic} for topic in topics]


def _entity_id(slug: str, component: Component) -> str:
    """The id that a new entity gets: what older versions make of the room's and the entity's name.

    Left to itself, 2026.11 puts the area first: `binary_sensor.nursery_nursery_crying`. Before 2025.10 it is ignored.
    """
    name = str(component["name"]).lower().replace(" ", "_")
    return f"{component['platform']}.{slug}_{name}"
