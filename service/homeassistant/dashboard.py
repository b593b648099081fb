"""A ready dashboard for Home Assistant: YAML text, made from the same payloads by which it knows our devices.

It turns red by itself: the hub's sensors expire with the heartbeat, and no room says "calm" without them. Built-in
cards only, so nothing must be installed for it.
"""

from collections.abc import Mapping
from string import Template
from typing import Any, Final

import yaml

from service.homeassistant.dashboard_words import WORDS, Words
from service.homeassistant.house import House
from service.homeassistant.hub import hub_payload
from service.homeassistant.room import room_payload

Card = dict[str, Any]
"""One card, as Home Assistant reads it. Any: values of YAML."""

HISTORY_H: Final = 24
"""Hours shown: a night and the day before it."""

RED: Final = "#e53935"
"""Of what must not be overlooked: Material's red, which reads on a light and on a dark page."""

_WIDE: Final[Card] = {"grid_options": {"columns": "full"}}

_HEAD: Final = """\
# A dashboard for the baby monitor: Settings > Dashboards > Add dashboard > New dashboard from scratch, then in its
# three-dot menu Edit > Raw configuration editor, and this in place of what is there.
# Made by `monitord dashboard` for the rooms of its configuration: make it again for your own.
"""


def dashboard(house: House, language: str = "en") -> str:
    """Returns the dashboard of this house.

    Args:
        house: As it is announced to Home Assistant.
        language: A key of `WORDS`; any other is English. Rooms keep their own names.
    """
    words = WORDS.get(language, WORDS["en"])
    hub = _entities(hub_payload(house))
    rooms = [(room.name, _entities(room_payload(house, room))) for room in house.rooms]
    # On a phone all rooms stand under each other: first what is going on in each, then the rest of each.
    sections = [
        _top(hub, [entities for _, entities in rooms], words),
        *(_now(name, {**hub, **mine}, words) for name, mine in rooms),
        *(_more(name, mine, words) for name, mine in rooms),
    ]
    view = {
        "title": words["title"],
        "path": "home",
        "icon": "mdi:baby-face-outline",
        "type": "sections",
        "max_columns": _columns(len(house.rooms)),
        "sections": sections,
    }
    layout = {"title": words["title"], "views": [view]}
    return _HEAD + yaml.dump(layout, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _entities(payload: Mapping[str, Any]) -> dict[str, str]:
    """Entity ids by the key of the component."""
    return {key: component["default_entity_id"] for key, component in payload["components"].items()}


def _top(hub: Mapping[str, str], rooms: list[dict[str, str]], words: Words) -> Card:
    """The banner: whether anybody listens at all."""
    listed = str([(entities["signal"], entities["enabled"]) for entities in rooms])
    return {
        "type": "grid",
        "column_span": _columns(len(rooms)),
        "cards": [
            {
                "type": "markdown",
                "content": _fill(_BANNER, words, {**hub, "rooms": listed}),
                "text_only": True,
                **_WIDE,
            }
        ],
    }


def _columns(rooms: int) -> int:
    """A room beside a room; the banner stands over as many."""
    return max(2, min(rooms, 3))


def _now(name: str, entities: Mapping[str, str], words: Words) -> Card:
    """What is going on in a room, and what to do about it."""
    crying = [{"condition": "state", "entity": entities["crying"], "state": "on"}]
    broken = [{"condition": "state", "entity": entities["fault"], "state_not": ["ok", "unavailable", "unknown"]}]
    return {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": name, "heading_style": "title", "icon": "mdi:baby-face-outline"},
            {"type": "markdown", "content": _fill(_STATE, words, entities), "text_only": True, **_WIDE},
            _press(words["going"], "mdi:run-fast", entities["acknowledge"], crying),
            _press(words["snooze"], "mdi:alarm-snooze", entities["snooze"], crying),
            {**_tile(entities["fault"], words["fault"], "red"), "visibility": broken, **_WIDE},
            _tile(entities["level"], words["level"], "blue"),
            {**_tile(entities["enabled"], words["listening"], "green"), "tap_action": {"action": "toggle"}},
            _tile(entities["episodes_today"], words["episodes"], "amber"),
            _tile(entities["crying_minutes_today"], words["minutes"], "amber"),
        ],
    }


def _more(name: str, entities: Mapping[str, str], words: Words) -> Card:
    """What a room tells of itself at leisure."""
    profile = {**_tile(entities["profile"], words["profile"], "indigo"), "hide_state": True}
    test = {**_tile(entities["test_alarm"], words["test"], "teal"), "hide_state": True}
    return {
        "type": "grid",
        "cards": [
            {"type": "heading", "heading": name, "heading_style": "subtitle"},
            {**profile, "features": [{"type": "select-options"}], **_WIDE},
            {
                "type": "picture-entity",
                "entity": entities["spectrogram"],
                "show_name": False,
                "show_state": False,
                "aspect_ratio": "16x9",
                **_WIDE,
            },
            {
                "type": "history-graph",
                "title": words["history"],
                "hours_to_show": HISTORY_H,
                "entities": [
                    {"entity": entities["crying"], "name": words["crying"].capitalize()},
                    {"entity": entities["level"], "name": words["level"]},
                ],
                **_WIDE,
            },
            _tile(entities["last_proven"], words["proven"], "teal"),
            {**test, "tap_action": _pressed(entities["test_alarm"])},
        ],
    }


def _tile(entity: str, name: str, color: str) -> Card:
    return {"type": "tile", "entity": entity, "name": name, "color": color, "grid_options": {"columns": 6}}


def _press(name: str, icon: str, button: str, visibility: list[Card]) -> Card:
    """A large button, for a thumb in the dark."""
    return {
        "type": "button",
        "name": name,
        "icon": icon,
        "entity": button,
        "show_state": False,
        "tap_action": _pressed(button),
        "visibility": visibility,
        "grid_options": {"columns": 6, "rows": 2},
    }


def _pressed(button: str) -> Card:
    return {"action": "perform-action", "perform_action": "button.press", "target": {"entity_id": button}}


def _fill(template: str, words: Words, entities: Mapping[str, str]) -> str:
    named = {f"w_{key}": text for key, text in words.items()}
    return Template(template).substitute(named, red=RED, **entities)


# In an alert, the tags stand on lines of their own: else Markdown takes what is inside for a paragraph, and the heading
# falls out of it.

_BANNER: Final = """\
{% set beat = states('$heartbeat') | as_datetime(none) %}
{% set missed = namespace(deaf=0, off=0) %}
{% for signal, listening in $rooms if not is_state(signal, 'on') %}
{% if is_state(listening, 'off') %}{% set missed.off = missed.off + 1 %}
{% else %}{% set missed.deaf = missed.deaf + 1 %}{% endif %}
{% endfor %}
{% if states('$monitoring') not in ['on', 'off'] or beat is none %}
<ha-alert alert-type="error">
<h1><font color="$red">$w_away</font></h1>
$w_away_more
</ha-alert>
{% elif missed.off == $rooms | count %}
<ha-alert alert-type="warning">
<h2>$w_off</h2>
$w_off_more
</ha-alert>
{% elif is_state('$monitoring', 'off') and not (missed.off and not missed.deaf) %}
<ha-alert alert-type="error">
<h2><font color="$red">$w_partly</font></h2>
</ha-alert>
{% else %}
<ha-alert alert-type="success">$w_well {{ (beat | as_local).strftime('%H:%M:%S') }}</ha-alert>
{% endif %}
"""

_STATE: Final = """\
{% set crying = states('$crying') %}
{% set since = state_attr('$crying', 'since') | as_datetime(none) %}
{% set reasons = {'hunger': '$w_hunger', 'boredom': '$w_boredom', 'tiredness': '$w_tiredness',
                  'discomfort': '$w_discomfort'} %}
{% set reason = reasons.get(states('$reason')) %}
{% set quiet = states('$snoozed_until') | as_datetime(none) %}
{% if states('$monitoring') in ['on', 'off'] and is_state('$enabled', 'off') %}
<ha-alert alert-type="warning">
<h2>$w_off</h2>
$w_off_more
</ha-alert>
{% elif states('$monitoring') not in ['on', 'off'] or not is_state('$signal', 'on') or crying not in ['on', 'off'] %}
<ha-alert alert-type="error">
<h1><font color="$red">$w_deaf</font></h1>
$w_deaf_more
</ha-alert>
{% elif crying == 'on' %}
<ha-alert alert-type="error">
<h1><font color="$red">$w_crying {{ '$w_since ' ~ (since | as_local).strftime('%H:%M') if since }}</font></h1>
{{ reason ~ ' (' ~ states('$reason_confidence') | float(0) | round | int ~ ' %).' if reason }}
{{ '$w_coming' if is_state_attr('$crying', 'acknowledged', true) }}
</ha-alert>
{% else %}
<ha-alert alert-type="success">
<h2>$w_calm</h2>
{% if since %}$w_last_cry {{ (since | as_local).strftime('%d.%m. %H:%M') }}{% endif %}
</ha-alert>
{% endif %}
{% if quiet and quiet > now() %}
<ha-alert alert-type="warning">$w_snoozed {{ (quiet | as_local).strftime('%H:%M') }}</ha-alert>
{% endif %}
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a person can read and change them."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
