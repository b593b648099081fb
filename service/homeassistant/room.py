"""The device of one source: what is heard there, what happened, what can be set.

What is heard now is there only while the source is online: an empty room and a deaf microphone never look alike. What
happened, what is wrong and what can be set is there while the daemon is: an episode goes on, and must be told and
answered, when a phone's battery dies in the middle of it.
"""

from typing import Final

from service.homeassistant.controls import answers, diagnosis, settings
from service.homeassistant.device import Component, availability, device_payload
from service.homeassistant.heard import happened, heard
from service.homeassistant.house import House, Room

_RETAINED: Final = ("status", "state", "episode", "health", "settings", "today", "spectrogram", "proof")


def room_id(house: House, room: Room) -> str:
    """Returns the device's identifier in Home Assistant."""
    return f"{house.device_id}_{room.source}"


def room_payload(house: House, room: Room) -> dict[str, object]:
    """Returns the room's discovery payload."""
    node, root = house.node.root, f"{house.node.root}/{room.source}"
    always = availability(f"{node}/status")
    lasting = {**happened(root), **answers(root), **settings(root), **diagnosis(root)}
    components = {
        **heard(root),
        **{key: {**component, "availability": always} for key, component in lasting.items()},
    }
    return device_payload(
        house,
        {
            "name": _device_name(room.name, components),
            "model": room.kind,
            "suggested_area": room.name,
            "via_device": house.device_id,
        },
        device_id=room_id(house, room),
        slug=room.source,
        available=(f"{node}/status", f"{root}/status"),
        components=components,
    )


def room_retained(house: House, room: Room) -> tuple[str, ...]:
    """Returns the topics of the room on which the broker keeps something."""
    return tuple(f"{house.node.root}/{room.source}/{topic}" for topic in _RETAINED)


def _device_name(name: str, components: dict[str, Component]) -> str:
    """Home Assistant cuts a device's name off its entities' names: a room named `Cry` would have an ` event`."""
    repeated = any(str(component["name"]).lower().startswith(name.lower()) for component in components.values())
    return f"Room {name}" if repeated else name
