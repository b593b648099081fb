"""The entities of a room that tell what is heard, and what happened."""

from typing import Final

from monitord.tracker import NONE, UNSURE
from monitord.types import REASONS
from service.homeassistant.device import Component

EVENT_TYPES: Final = ("started", "reason", "escalated", "acknowledged", "ended", "test")
LEVEL_EXPIRES_S: Final = 15
"""Seconds without a level after which it is unknown: a dead source is told within 10 s, so this is the second net."""

_MIDNIGHT = "{{ as_timestamp(value_json.date ~ 'T00:00:00') | timestamp_local }}"

_INTENSITY = "{{ (value_json.distress * 100) | round(0) | int if value_json.distress is number else none }}"


def heard(root: str) -> dict[str, Component]:
    """Returns what is there only while the source is online; `root` is its topic."""
    return {
        "crying": {
            "platform": "binary_sensor",
            "name": "Crying",
            "device_class": "sound",
            "icon": "mdi:emoticon-cry-outline",
            "state_topic": f"{root}/state",
            # The boolean as it is: a template with `else` would make `off` of what is missing.
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
        "cry_intensity": {  # unknown while it is calm: what nobody cries has no intensity
            "platform": "sensor",
            "name": "Cry intensity",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            "icon": "mdi:signal-cellular-3",
            "state_topic": f"{root}/state",
            "value_template": _INTENSITY,
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


def happened(root: str) -> dict[str, Component]:
    """Returns what goes on, or is remembered, while the source is offline; `root` is its topic."""
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
