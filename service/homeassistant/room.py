"""The device of one source: what is heard there, what happened, what can be set.

What is heard now is there only while the source is online: an empty room and a deaf microphone never look alike. What
happened, what is wrong and what can be set is there while the daemon is: an episode goes on, and must be told and
answered, when a phone's battery dies in the middle of it.
"""

from typing import Final, get_args

from monitord.faults import Fault
from monitord.tracker import NONE, UNSURE
from monitord.types import REASONS
from service.homeassistant.device import PRESS_TEST, Component, availability, connectivity, device_payload
from service.homeassistant.house import House, Room

EVENT_TYPES: Final = ("started", "reason", "escalated", "acknowledged", "ended", "test")
PROFILES: Final = ("day", "night", "silent")
SNOOZE_MIN: Final = 10
"""Minutes that the button asks for: a feed, or a nappy."""
LEVEL_EXPIRES_S: Final = 15
"""Seconds without a level after which it is unknown: a dead source is told within 10 s, so this is the second net."""
THRESHOLD_RANGE: Final = (0.01, 0.99)
"""A probability that can be reached at all; 0 and 1 are refused."""

_RETAINED: Final = ("status", "state", "episode", "health", "settings", "today", "spectrogram", "proof")

_THRESHOLD = "{{{{ [[value_json.threshold, {}] | max, {}] | min }}}}".format(*THRESHOLD_RANGE)
_MIDNIGHT = "{{ as_timestamp(value_json.date ~ 'T00:00:00') | timestamp_local }}"


def room_id(house: House, room: Room) -> str:
    """Returns the device's identifier in Home Assistant."""
    return f"{house.device_id}_{room.source}"


def room_payload(house: House, room: Room) -> dict[str, object]:
    """Returns the room's discovery payload."""
    node, root = house.node.root, f"{house.node.root}/{room.source}"
    always = availability(f"{node}/status")
    components = {
        **_heard(root),
        **{key: {**component, "availability": always} for key, component in _lasting(root).items()},
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


def _heard(root: str) -> dict[str, Component]:
    return {
        "crying": {
            "platform": "binary_sensor",
            "name": "Crying",
            "device_class": "sound",
            "icon": "mdi:emoticon-cry-outline",
            "state_topic": f"{root}/state",
            "value_template": "{{ value_json.crying }}",
            "payload_on": "True",
            "payload_off": "False",
            "json_attributes_topic": f"{root}/episode",
        },
        "reason": {
            "platform": "sensor",
            "name": "Likely reason",
            "device_class": "enum",
            "options": [*REASONS, UNSURE, NONE],
            "icon": "mdi:head-question-outline",
            "state_topic": f"{root}/state",
            "value_template": "{{ value_json.reason }}",
        },
        "reason_confidence": {
            "platform": "sensor",
            "name": "Reason confidence",
            "unit_of_measurement": "%",
            "suggested_display_precision": 0,
            "icon": "mdi:gauge",
            "state_topic": f"{root}/state",
            "value_template": "{{ (value_json.reason_p * 100) | round(1) }}",
        },
        "level": {  # whole decibels: each new value is a row in Home Assistant's database
            "platform": "sensor",
            "name": "Sound level",
            "unit_of_measurement": "dBFS",  # no device class: `sound_pressure` means dB above a pressure
            "state_class": "measurement",
            "suggested_display_precision": 0,
            "icon": "mdi:waveform",
            "state_topic": f"{root}/level",
            "value_template": "{{ value_json.dbfs | round(0) | int }}",
            "expire_after": LEVEL_EXPIRES_S,
        },
    }


def _lasting(root: str) -> dict[str, Component]:
    return {**_happened(root), **_answers(root), **_settings(root), **_diagnosis(root)}


def _happened(root: str) -> dict[str, Component]:
    return {
        "event": {
            "platform": "event",
            "name": "Cry event",
            "event_types": list(EVENT_TYPES),
            "icon": "mdi:bell-ring-outline",
            "state_topic": f"{root}/event",
        },
        "spectrogram": {
            "platform": "image",
            "name": "Last cry spectrogram",
            "content_type": "image/png",
            "image_topic": f"{root}/spectrogram",
        },
        "episodes_today": {
            "platform": "sensor",
            "name": "Episodes today",
            "icon": "mdi:counter",
            **_daily(root, "episodes"),
            "suggested_display_precision": 0,
        },
        "crying_minutes_today": {
            "platform": "sensor",
            "name": "Crying minutes today",
            "device_class": "duration",
            "unit_of_measurement": "min",
            "icon": "mdi:timer-outline",
            **_daily(root, "crying_min"),
            "suggested_display_precision": 1,
        },
    }


def _daily(root: str, value: str) -> Component:
    """A total that begins anew at midnight, also from 1 to 1: `total_increasing` would take that for no change."""
    return {
        "state_class": "total",
        "state_topic": f"{root}/today",
        "value_template": f"{{{{ value_json.{value} }}}}",
        "last_reset_value_template": _MIDNIGHT,
    }


def _answers(root: str) -> dict[str, Component]:
    return {
        "acknowledge": {
            "platform": "button",
            "name": "Acknowledge",
            "icon": "mdi:account-check-outline",
            "command_topic": f"{root}/ack/set",
            "payload_press": "PRESS",
        },
        "snooze": {
            "platform": "button",
            "name": "Snooze",
            "icon": "mdi:alarm-snooze",
            "command_topic": f"{root}/snooze/set",
            "payload_press": str(SNOOZE_MIN),
        },
        "snoozed_until": {
            "platform": "sensor",
            "name": "Snoozed until",
            "device_class": "timestamp",
            "icon": "mdi:sleep",
            "state_topic": f"{root}/settings",
            "value_template": "{{ value_json.snoozed_until | default(none) }}",
        },
    }


def _settings(root: str) -> dict[str, Component]:
    def setting(name: str) -> Component:
        return {
            "entity_category": "config",
            "state_topic": f"{root}/settings",
            "value_template": f"{{{{ value_json.{name} }}}}",
            "command_topic": f"{root}/{name}/set",
        }

    return {
        "enabled": {
            "platform": "switch",
            "name": "Listening",
            "icon": "mdi:ear-hearing",
            **setting("enabled"),
            "state_on": "True",
            "state_off": "False",
        },
        "threshold": {
            "platform": "number",
            "name": "Cry threshold",
            "icon": "mdi:tune-variant",
            "min": THRESHOLD_RANGE[0],
            "max": THRESHOLD_RANGE[1],
            "step": 0.01,
            "mode": "slider",
            **setting("threshold"),
            "value_template": _THRESHOLD,
        },
        "profile": {
            "platform": "select",
            "name": "Alert profile",
            "icon": "mdi:theme-light-dark",
            "options": list(PROFILES),
            **setting("profile"),
        },
    }


def _diagnosis(root: str) -> dict[str, Component]:
    return {
        "signal": {**connectivity(f"{root}/status"), "name": "Audio signal"},
        "fault": {
            "platform": "sensor",
            "name": "Audio fault",
            "device_class": "enum",
            "options": list(get_args(Fault)),
            "icon": "mdi:microphone-question",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/health",
            "value_template": "{{ value_json.fault }}",
            "json_attributes_topic": f"{root}/health",
        },
        "last_proven": {
            "platform": "sensor",
            "name": "Last proven",
            "device_class": "timestamp",
            "icon": "mdi:shield-check-outline",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/proof",
            "value_template": "{{ value_json.proven }}",
            "json_attributes_topic": f"{root}/proof",
        },
        "test_alarm": {**PRESS_TEST, "command_topic": f"{root}/test_alarm/set"},
    }
