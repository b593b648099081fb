"""The device of the daemon itself: does it run, does it hear everywhere, and does an alarm reach the family."""

from service.homeassistant.device import PRESS_TEST, Component, connectivity, device_payload
from service.homeassistant.house import House

HEARTBEAT_EXPIRES_S = 90
"""Seconds after which a heartbeat is too old: three of its periods of 30 s."""

DEFAULT_NODE = "home"
"""The node of a configuration that names none: the only one in most families, so its device needs no second name."""

_HEALTHY = "{{ value_json.sources_ok == value_json.sources_total and value_json.sources_total > 0 }}"


def hub_payload(house: House) -> dict[str, object]:
    """Returns the hub's discovery payload."""
    node = house.node
    name = "Baby monitor" if node.name == DEFAULT_NODE else f"Baby monitor {node.name}"
    return device_payload(
        house,
        {"name": name, "model": "Demo" if node.demo else "Cry monitor"},
        device_id=house.device_id,
        slug=name.lower().replace(" ", "_"),
        available=(f"{node.root}/status",),
        components=_components(node.root),
    )


def hub_retained(house: House) -> tuple[str, ...]:
    """Returns the topics of the hub on which the broker keeps something."""
    return (f"{house.node.root}/status", f"{house.node.root}/info")


def _components(root: str) -> dict[str, Component]:
    return {
        "monitoring": {
            "platform": "binary_sensor",
            "name": "Monitoring healthy",
            "device_class": "running",
            "icon": "mdi:shield-check-outline",
            "state_topic": f"{root}/heartbeat",
            "value_template": _HEALTHY,
            "payload_on": "True",
            "payload_off": "False",
            "expire_after": HEARTBEAT_EXPIRES_S,
            "json_attributes_topic": f"{root}/heartbeat",
        },
        "connection": {
            **connectivity(f"{root}/status"),
            "name": "Connectivity",
            "availability": [],  # it says itself that the daemon is away
        },
        "heartbeat": {
            "platform": "sensor",
            "name": "Last heartbeat",
            "device_class": "timestamp",
            "icon": "mdi:heart-pulse",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/heartbeat",
            "value_template": "{{ value_json.ts }}",
            "expire_after": HEARTBEAT_EXPIRES_S,
        },
        "problem": {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/info",
            "value_template": "{{ 'ON' if value_json.fault else 'OFF' }}",
            "json_attributes_topic": f"{root}/info",
            "json_attributes_template": "{{ {'fault': value_json.fault} | tojson }}",
        },
        "model": {
            "platform": "sensor",
            "name": "Model",
            "icon": "mdi:brain",
            "entity_category": "diagnostic",
            "state_topic": f"{root}/info",
            "value_template": "{{ value_json.model }}",
            "json_attributes_topic": f"{root}/info",
        },
        "test_alarm": {**PRESS_TEST, "command_topic": f"{root}/test_alarm/set"},
        "restart": {
            "platform": "button",
            "name": "Restart",
            "device_class": "restart",
            "entity_category": "config",
            "command_topic": f"{root}/restart/set",
            "payload_press": "PRESS",
        },
    }
