"""What is published so that Home Assistant knows our devices, and what so that it forgets those that are gone.

What was ever announced is remembered for good, and what of it is gone is looked for on every connection again: the
broker may have been away when the configuration changed, or have forgotten the change in a power cut.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from service.homeassistant.house import House
from service.homeassistant.hub import hub_payload, hub_retained
from service.homeassistant.room import room_id, room_payload, room_retained
from service.homeassistant.settings import HomeAssistantConfig
from service.messages.message import Keep, Message
from service.storage.documents import DocumentStore

DOCUMENT: Final = "announced"
"""Name of the document that remembers: config topic -> `Announced`."""

BIRTH: Final = "homeassistant/status"
"""Where Home Assistant says `online`; changing its discovery prefix does not change this."""

Retained = Annotated[str, Field(pattern=r"^monitord/[a-z0-9_/]+$", max_length=1000)]
"""One of our own topics: what is removed there by mistake would be somebody else's."""

_TOPIC: Final = TypeAdapter(
    Annotated[str, Field(pattern=r"^[^\s+#$][^\s+#]*/device/monitord_[a-z0-9_]+/config$", max_length=1000)]
)
"""Where a device of ours is announced, under any prefix that the configuration takes."""


class Announced(BaseModel):
    """One device as it was announced."""

    model_config = ConfigDict(frozen=True, strict=True)

    components: dict[str, str]
    """Platform by key."""
    retained: tuple[Retained, ...]
    """Topics on which the broker keeps what this device said."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What to tell. All messages are retained."""

    devices: tuple[Message, ...]
    """On every connection before any state: the hub, then the rooms."""
    gone: tuple[str, ...]
    """Topics of devices that are gone: what is retained there is to be removed. Only what is there: Home Assistant
    warns of the removal of a device that it does not know."""
    swept: tuple[Message, ...]
    """After them, with the states: empty ones, so that nothing stale of a removed source stays on the broker."""
    births: tuple[str, ...]
    """Topics on which Home Assistant says that it started, and wants to be told all again."""


def discover(house: House, settings: HomeAssistantConfig, store: DocumentStore) -> Discovery:
    """Returns what to tell of this house, and remembers it."""
    # What cannot be read is set aside: its entities may stay in Home Assistant.
    remembered = store.entries(DOCUMENT, _remembered)
    present = _present(house, settings.prefix) if settings.discovery else {}
    announced = {topic: _outline(payload, retained) for topic, (payload, retained) in present.items()}
    store.save(DOCUMENT, {topic: kept.model_dump() for topic, kept in _joined(remembered, announced).items()})
    return Discovery(
        devices=tuple(
            _retained(topic, _complete(payload, remembered.get(topic))) for topic, (payload, _) in present.items()
        ),
        gone=tuple(topic for topic in remembered if topic not in present),
        swept=tuple(_retained(topic, "") for topic in _stale(house, remembered)),
        births=_births(settings) if settings.discovery else (),
    )


def _births(settings: HomeAssistantConfig) -> tuple[str, ...]:
    if settings.birth_topic is not None:
        return (settings.birth_topic,)
    return tuple(dict.fromkeys((f"{settings.prefix}/status", BIRTH)))


def _present(house: House, prefix: str) -> dict[str, tuple[dict[str, object], tuple[str, ...]]]:
    """Payload and retained topics by config topic."""
    devices = {house.device_id: (hub_payload(house), hub_retained(house))}
    devices |= {room_id(house, room): (room_payload(house, room), room_retained(house, room)) for room in house.rooms}
    return {f"{prefix}/device/{device_id}/config": device for device_id, device in devices.items()}


def _outline(payload: Mapping[str, object], retained: tuple[str, ...]) -> Announced:
    components = payload["components"]
    assert isinstance(components, dict)
    return Announced(components={key: str(one["platform"]) for key, one in components.items()}, retained=retained)


def _complete(payload: dict[str, object], before: Announced | None) -> dict[str, object]:
    """Adds a removal for each entity that the device had and has no more."""
    components = payload["components"]
    assert isinstance(components, dict)
    gone = {} if before is None else {key: p for key, p in before.components.items() if key not in components}
    return {**payload, "components": {**components, **{key: {"platform": p} for key, p in gone.items()}}}


def _stale(house: House, remembered: Mapping[str, Announced]) -> list[str]:
    """Topics on which a removed device left something, and that nobody uses now; whether announced or not."""
    used = {*hub_retained(house), *(topic for room in house.rooms for topic in room_retained(house, room))}
    left = dict.fromkeys(topic for device in remembered.values() for topic in device.retained)
    return [topic for topic in left if topic not in used]


def _joined(remembered: Mapping[str, Announced], announced: Mapping[str, Announced]) -> dict[str, Announced]:
    joined = dict(remembered)
    for topic, device in announced.items():
        before = remembered.get(topic, device)
        joined[topic] = Announced(
            components={**before.components, **device.components},
            retained=tuple(dict.fromkeys((*before.retained, *device.retained))),
        )
    return joined


def _remembered(topic: str, kept: object) -> Announced:
    _TOPIC.validate_python(topic)
    return Announced.model_validate_json(json.dumps(kept))


def _retained(topic: str, content: Mapping[str, object] | str) -> Message:
    return Message(topic, content, retain=True, qos=1, keep=Keep.LATEST)
