"""What a parent's phone shows: golden texts in each language, and languages that cannot go wrong at night."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from monitord.errors import ConfigError
from monitord.faults import Fault
from monitord.types import REASONS
from service.messages import texts
from service.messages.texts import Kind, Text, Texts, environment_language, languages
from service.terminal.console_text import REASONS_IN_WORDS
from tests.support.time_zone import time_zone

KINDS: tuple[Kind, ...] = get_args(Kind)
FAULTS: list[Fault] = [fault for fault in get_args(Fault) if fault != "ok"]
SINCE = datetime(2026, 11, 22, 18, 2, 59, tzinfo=UTC).timestamp()
"""19:02 in Berlin."""

ENGLISH: dict[Kind, Text] = {
    "started": Text("Nursery: crying", "Since 19:02. Probably hungry."),
    "reason": Text("Nursery: crying", "Since 19:02. Probably hungry."),
    "escalated": Text("Nursery: still crying", "Nobody has answered for 3 min. Since 19:02. Probably hungry."),
    "acknowledged": Text("Nursery: somebody is going", "Crying since 19:02. Probably hungry."),
    "ended": Text("Nursery: quiet again", "Quiet again after 3 min. Cried from 19:02."),
    "snoozed": Text("Nursery: snoozed", "Until 19:12. Crying since 19:02."),
    "stopped": Text("Nursery: NOT LISTENING any more", "Cried from 19:02. Whether it is quiet is not known."),
    "restarted": Text("Nursery: listening again", "The monitor was restarted. Cried from 19:02."),
    "test": Text("TEST: Nursery", "This is what an alarm looks like. Sent at 19:02."),
    "not_hearing": Text("Nursery: NOT HEARD", "The microphone is muted or gone. Not heard since 19:02."),
    "heard_badly": Text("Nursery: HEARD BADLY", "The microphone is muted or gone. So it is since 19:02."),
    "hearing_again": Text("Nursery: heard again", "It was not heard for 3 min, from 19:02."),
    "not_saving": Text(
        "Baby monitor: DISK PROBLEM",
        "All rooms go on as before, but since 19:02 nothing can be saved. Free or repair its disk.",
    ),
    "saving_again": Text("Baby monitor: disk works again", "Nothing could be saved for 3 min, from 19:02."),
}
GERMAN: dict[Kind, Text] = {
    "started": Text("Kinderzimmer: Weinen", "Seit 19:02. Wahrscheinlich Hunger."),
    "reason": Text("Kinderzimmer: Weinen", "Seit 19:02. Wahrscheinlich Hunger."),
    "escalated": Text(
        "Kinderzimmer: weint immer noch",
        "Seit 3 min hat niemand reagiert. Weint seit 19:02. Wahrscheinlich Hunger.",
    ),
    "acknowledged": Text("Kinderzimmer: jemand geht hin", "Weint seit 19:02. Wahrscheinlich Hunger."),
    "ended": Text("Kinderzimmer: wieder ruhig", "Wieder ruhig nach 3 min. Weinte ab 19:02."),
    "snoozed": Text("Kinderzimmer: später erinnern", "Bis 19:12. Weint seit 19:02."),
    "stopped": Text("Kinderzimmer: wird NICHT mehr abgehört", "Weinte ab 19:02. Ob es ruhig ist, ist nicht bekannt."),
    "restarted": Text("Kinderzimmer: wird wieder abgehört", "Das Babyfon wurde neu gestartet. Weinte ab 19:02."),
    "test": Text("TEST: Kinderzimmer", "So sieht ein Alarm aus. Gesendet um 19:02."),
    "not_hearing": Text(
        "Kinderzimmer: NICHT ZU HÖREN", "Das Mikrofon ist stummgeschaltet oder weg. Seit 19:02 nicht zu hören."
    ),
    "heard_badly": Text(
        "Kinderzimmer: SCHLECHT ZU HÖREN", "Das Mikrofon ist stummgeschaltet oder weg. So ist es seit 19:02."
    ),
    "hearing_again": Text("Kinderzimmer: wieder zu hören", "War 3 min lang nicht zu hören, ab 19:02."),
    "not_saving": Text(
        "Babyfon: PROBLEM MIT DEM SPEICHER",
        "Alle Zimmer laufen weiter wie bisher, aber seit 19:02 lässt sich nichts speichern."
        " Speicher freimachen oder reparieren.",
    ),
    "saving_again": Text("Babyfon: Speicher geht wieder", "3 min lang ließ sich nichts speichern, ab 19:02."),
}


@pytest.fixture(autouse=True)
def _in_berlin() -> Iterator[None]:
    with time_zone("Europe/Berlin"):
        yield


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("code", "room", "golden"), [("en", "Nursery", ENGLISH), ("de", "Kinderzimmer", GERMAN)])
def test_what_a_parent_reads(code: str, room: str, golden: dict[Kind, Text], kind: Kind) -> None:
    """Which room, since when by the clock on the wall, the sure reason, and what is wrong."""
    said = Texts.load(code).say(
        kind,
        room=room,
        since=SINCE,
        lasted_s=3 * 60 + 5,
        until=SINCE + 600,
        reason="hunger",
        fault="digital_silence",
    )
    assert said == golden[kind]


@pytest.mark.parametrize(("code", "sentence"), [("en", "Crying hard."), ("de", "Weint heftig.")])
def test_hard_crying_is_said_as_what_it_is(code: str, sentence: str) -> None:
    """In what a phone shows while it cries and nobody has answered; never why."""
    said = Texts.load(code)
    for kind in KINDS:
        hard = said.say(kind, room="Nursery", since=SINCE, reason="hunger", hard=True).message
        calm = said.say(kind, room="Nursery", since=SINCE, reason="hunger").message
        assert hard.replace(f"{sentence} ", "") == calm
        assert (sentence in hard) is (kind in ("started", "reason", "escalated"))


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize("reason", ["unsure", "none"])
def test_an_unsure_reason_is_not_said(code: str, reason: str) -> None:
    """A guess at night is worse than none; no gap is left where it would stand."""
    said = Texts.load(code)
    unsure = said.say("started", room="Nursery", since=SINCE, reason=reason)
    sure = [said.say("started", room="Nursery", since=SINCE, reason=name).message for name in REASONS]
    assert len({unsure.message, *sure}) == 1 + len(REASONS)
    assert unsure.message.endswith("19:02.")


@pytest.mark.parametrize("code", languages())
def test_no_text_has_leftovers(code: str) -> None:
    """Every kind with every reason and fault is filled in to the end, and short enough for a locked phone."""
    for kind in KINDS:
        for reason in (*REASONS, "unsure", "none"):
            for fault in FAULTS:
                said = Texts.load(code).say(
                    kind, room="Baby {room}", since=SINCE, lasted_s=90, reason=reason, fault=fault, test=True
                )
                title, message = said.title.replace("Baby {room}", "Nursery"), said.message
                assert not re.search(r"[{}]|\s\s|^\s|\s$", title + "|" + message), said
                assert len(title) <= 40
                assert len(message) <= 120


@pytest.mark.parametrize("code", languages())
def test_every_language_says_the_same(code: str) -> None:
    """The same keys, and in each text the same placeholders: no language leaves out the room or the time."""
    language, english = Texts.load(code).language, Texts.load("en").language
    assert set(Texts.load(code).labels) == {"going", "snooze", "got_it"}
    for kind in KINDS:
        assert getattr(language, kind).placeholders == getattr(english, kind).placeholders, kind


def test_reasons_and_faults_are_complete() -> None:
    """A reason or a fault that somebody adds needs words here too."""
    english = Texts.load("en").language
    assert set(dict(english.reasons)) == set(REASONS)
    assert list(dict(english.faults)) == FAULTS


def test_the_phone_and_the_console_agree() -> None:
    """Both name a reason in the same English words."""
    assert dict(Texts.load("en").language.reasons) == {
        reason: f"{words.capitalize()}." for reason, words in REASONS_IN_WORDS.items()
    }


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [(-1.0, "0 s"), (59.9, "59 s"), (60.0, "1 min"), (3599.0, "59 min"), (3600.0, "1 h 0 min"), (4380.0, "1 h 13 min")],
)
def test_durations_are_whole_units_that_passed(duration_s: float, words: str) -> None:
    """`3 min` after 3 min and 59 s: a parent reads the size, not the digits."""
    assert Texts.load("en").duration(duration_s) == words


def test_a_test_alarm_is_marked_in_every_title() -> None:
    """What a test alarm tells on its way looks like no real cry."""
    said = Texts.load("en").say("started", room="Nursery", since=SINCE, test=True)
    assert said.title == "TEST: Nursery: crying"


@pytest.mark.parametrize("code", ["xx", "EN", "../languages/en", ""])
def test_an_unknown_language_names_those_that_are_there(code: str) -> None:
    """The operator reads what may stand there."""
    with pytest.raises(ConfigError, match=r"allowed are de, en"):
        Texts.load(code)


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "tlh_KLINGON", "LC_ALL": ""}, "en"),
    ],
)
def test_without_a_language_that_of_the_environment(environ: dict[str, str], code: str) -> None:
    """Where it is there; else English."""
    assert environment_language(environ) == code


def test_another_language_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped beside the others, it is there; one with a wrong placeholder is refused before any alarm."""
    shutil.copytree(texts.FOLDER, tmp_path, dirs_exist_ok=True)
    english = (tmp_path / "en.yaml").read_text(encoding="utf-8")
    (tmp_path / "nl.yaml").write_text(english.replace("I'm going", "Ik ga"), encoding="utf-8")
    (tmp_path / "fr.yaml").write_text(english.replace("Since {time}", "Depuis {heure}"), encoding="utf-8")
    (tmp_path / "it.yaml").write_text(english.replace("labels:", "etichette:"), encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    assert languages() == ["de", "en", "fr", "it", "nl"]
    assert Texts.load("nl").labels["going"] == "Ik ga"
    with pytest.raises(ConfigError, match=r"fr\.yaml:\d+: started: unknown placeholder \{heure\}; allowed are room"):
        Texts.load("fr")
    with pytest.raises(ConfigError, match=r"it\.yaml:\d+: etichette: unknown key"):
        Texts.load("it")
