"""The entities of a room with which a family answers, sets and tests."""

import json
from typing import Final, get_args

from monitord.faults import Fault
from service.homeassistant.device import PRESS_TEST, Component, connectivity
from service.settings.profiles import PROFILES

SNOOZE_MIN: Final = 10
"""Minutes that the button asks for: a feed, or a nappy."""
NO_CRY: Final = "other"
"""What a button can say of the room's newest episode: none, without saying what else it was."""
THRESHOLD_RANGE: Final = (0.01, 0.99)
"""A probability that can be reached at all; 0 and 1 are refused."""

_THRESHOLD = "{{{{ [[value_json.threshold, {}] | max, {}] | min }}}}".format(*THRESHOLD_RANGE)


def answers(root: str) -> dict[str, Component]:
    """Returns what a parent presses when it cries, or did; `root` is the source's topic."""
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
        "no_cry": {
            "platform": "button",
            "name": "That was no cry",
            "icon": "mdi:cat",
            "command_topic": f"{root}/correct/set",
            "payload_press": json.dumps({"was": NO_CRY}),
        },
        "snoozed_until": {
            "platform": "sensor",
            "name": "Snoozed until",
            "device_class": "timestamp",
            "icon": "mdi:sleep",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/settings",
            "value_template": "{{ value_json.snoozed_until | default(none) }}",
        },
    }


def settings(root: str) -> dict[str, Component]:
    """Returns what can be set; `root` is the source's topic."""

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


def diagnosis(root: str) -> dict[str, Component]:
    """Returns what says whether it works; `root` is the source's topic."""
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
