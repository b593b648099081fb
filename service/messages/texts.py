"""What a parent's phone shows, in the family's language: one file of `languages/` for each language."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ValidationError

from monitord.errors import ConfigError
from monitord.faults import Fault
from monitord.types import REASONS
from service.messages.faults import FAULTS
from service.settings.base import Part
from service.settings.base import Text as NonEmpty
from service.settings.errors import refusals
from service.settings.yaml_lines import read_yaml

Kind = Literal[
    "started", "reason", "escalated", "acknowledged", "snoozed", "ended", "stopped", "restarted", "test",
    "not_hearing", "heard_badly", "hearing_again", "not_saving", "saving_again",
]  # fmt: skip
"""What is told: the event types of MQTT, where an acknowledgement may be a snooze, and an end may be
the monitor's and not the cry's; that a room is not heard, heard badly, or heard again; and that
nothing can be saved, or can again."""

FOLDER: Final = Path(__file__).parent / "languages"
FALLBACK: Final = "en"
"""Where the family and the environment name no language that is there."""


@dataclass(frozen=True, slots=True)
class Text:
    """One notification."""

    title: str
    """Which room, and what; a phone shows about 40 characters of it."""
    message: str
    """One to three short sentences."""


class Wording(Part):
    """Title and message of one kind, with placeholders."""

    title: NonEmpty
    message: NonEmpty

    @property
    def placeholders(self) -> set[str]:
        """Names that are filled in."""
        return _placeholders(self.title) | _placeholders(self.message)


def _filled_by(*allowed: str) -> AfterValidator:
    """Refuses other placeholders at the door: an alarm is no time to find one without a value."""

    def check(value: str | Wording) -> str | Wording:
        try:
            found = _placeholders(value) if isinstance(value, str) else value.placeholders
        except ValueError as error:
            raise ValueError(f"is no text with placeholders ({error}); write {{{{ for a brace") from error
        if strange := sorted(found - set(allowed)):
            raise ValueError(f"unknown placeholder {{{strange[0]}}}; allowed are {', '.join(allowed) or 'none'}")
        return value

    return AfterValidator(check)


_Plain = Annotated[NonEmpty, _filled_by()]
_Crying = Annotated[Wording, _filled_by("room", "time", "hard", "reason")]
_Lasted = Annotated[Wording, _filled_by("room", "time", "duration")]


class Durations(Part):
    """How long, in the largest unit that fits."""

    seconds: Annotated[NonEmpty, _filled_by("seconds")]
    minutes: Annotated[NonEmpty, _filled_by("minutes")]
    hours: Annotated[NonEmpty, _filled_by("hours", "minutes")]


def _for_each(names: Collection[str]) -> AfterValidator:
    """Refuses a language that has no words for one of them, or words for another."""

    def check(words: dict[str, str]) -> dict[str, str]:
        if wrong := set(names) ^ set(words):
            raise ValueError(f"must say {', '.join(names)} and no others; see {', '.join(sorted(wrong))}")
        return words

    return AfterValidator(check)


class Language(Part):
    """A file of `languages/`."""

    started: _Crying
    reason: _Crying
    escalated: Annotated[Wording, _filled_by("room", "time", "duration", "hard", "reason")]
    acknowledged: _Crying
    snoozed: Annotated[Wording, _filled_by("room", "time", "until")]
    ended: _Lasted
    stopped: Annotated[Wording, _filled_by("room", "time")]
    restarted: Annotated[Wording, _filled_by("room", "time")]
    test: Annotated[Wording, _filled_by("room", "time")]
    not_hearing: Annotated[Wording, _filled_by("room", "time", "fault")]
    heard_badly: Annotated[Wording, _filled_by("room", "time", "fault")]
    hearing_again: _Lasted
    not_saving: Annotated[Wording, _filled_by("time")]
    saving_again: Annotated[Wording, _filled_by("time", "duration")]
    test_mark: Annotated[NonEmpty, _filled_by("title")]
    hard: _Plain
    """A sentence for where it is crying hard."""
    reasons: Annotated[dict[str, _Plain], _for_each(REASONS)]
    """A sentence for each; `unsure` and `none` are not said."""
    faults: Annotated[dict[str, _Plain], _for_each([fault for fault in FAULTS if fault != "ok"])]
    """A sentence for each fault but `ok`."""
    labels: Annotated[dict[str, _Plain], _for_each(("going", "snooze", "got_it"))]
    """Under the buttons of a notification."""
    durations: Durations


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language."""

    code: str
    """Name of its file, `en`."""
    language: Language

    @classmethod
    def load(cls, code: str | None = None) -> Self:
        """Reads a language; None takes that of the environment where it is there, else English.

        Raises:
            ConfigError: There is no such language (it names those that are there), or its file has mistakes.
        """
        code = environment_language(os.environ) if code is None else code
        if code not in languages():
            raise ConfigError(no_language(code))
        return cls(code, _read(code))

    @property
    def labels(self) -> dict[str, str]:
        """Texts of the buttons: `going`, `snooze`, `got_it`."""
        return self.language.labels

    def say(
        self,
        kind: Kind,
        *,
        room: str,
        since: float,
        lasted_s: float = 0.0,
        until: float = 0.0,
        reason: str = "none",
        hard: bool = False,
        fault: Fault = "ok",
        test: bool = False,
    ) -> Text:
        """Returns one notification.

        Args:
            kind: What is told.
            room: Name of the source; empty where it is about none.
            since: Wall time of the first sound, or since when a room is not heard (Unix seconds); shown in local time.
            lasted_s: `escalated`: how long nobody answered; of what is over: how long it was (seconds).
            until: `snoozed`: wall time of its end (Unix seconds); shown in local time.
            reason: One of `REASONS`, `unsure` or `none`; the last two are not said.
            hard: Whether it is crying hard.
            fault: Why a room is not heard; `ok` where nobody knows.
            test: Whether it belongs to a test alarm; the kind `test` always does.
        """
        wording: Wording = getattr(self.language, kind)
        sentences: Mapping[str, str] = {**self.language.reasons, **self.language.faults}
        values = {
            "room": room,
            "time": f"{datetime.fromtimestamp(since, UTC).astimezone():%H:%M}",
            "until": f"{datetime.fromtimestamp(until, UTC).astimezone():%H:%M}",
            "duration": self.duration(lasted_s),
            "reason": sentences.get(reason, ""),
            "hard": self.language.hard if hard else "",
            "fault": sentences.get(fault, ""),
        }
        title = wording.title.format_map(values)
        if test or kind == "test":
            title = self.language.test_mark.format(title=title)
        # A sentence that is not said leaves a gap of two spaces.
        return Text(title, " ".join(wording.message.format_map(values).split()))

    def duration(self, duration_s: float) -> str:
        """Says `40 s`, `3 min` or `1 h 12 min`: whole units that have passed."""
        minutes, seconds = divmod(max(int(duration_s), 0), 60)
        hours, minutes_left = divmod(minutes, 60)
        units = self.language.durations
        if hours:
            return units.hours.format(hours=hours, minutes=minutes_left)
        return units.minutes.format(minutes=minutes) if minutes else units.seconds.format(seconds=seconds)


def languages() -> list[str]:
    """Returns the languages that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def no_language(code: str) -> str:
    """Says that there is no such language."""
    return f"there is no language {code!r}; allowed are {', '.join(languages())}"


def environment_language(environ: Mapping[str, str]) -> str:
    """Returns the language of messages in an environment (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    named = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    code = named.replace(".", "_").split("_")[0].lower()
    return code if code in languages() else FALLBACK


@cache
def _read(code: str) -> Language:
    file = read_yaml(FOLDER / f"{code}.yaml")
    try:
        return Language.model_validate(file.data)
    except ValidationError as error:
        raise ConfigError("\n".join(refusals(file, error, Language))) from error


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
