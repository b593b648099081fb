"""What a family types into the app's page in Home Assistant: `options.json`, as the Supervisor writes it."""

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, field_validator, model_validator

from monitord.errors import ConfigError
from service.capture.spec import stream_spec
from service.messages.texts import languages
from service.settings.base import Part
from service.settings.errors import refusals
from service.settings.profiles import Threshold
from service.settings.yaml_lines import YamlFile

NAME_CHARS = 64
"""Longest name of a room, as on the page."""


def _or_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Typed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""As typed or pasted into the form: a space at an end is no part of it."""
OptionalText = Annotated[Typed | None, BeforeValidator(_or_none)]
"""Left out, or emptied in the form, which is the same."""


class RoomOption(Part):
    """One room."""

    name: Annotated[Typed, Field(max_length=NAME_CHARS)]
    """What people call it; its id is made of it."""
    microphone: OptionalText = None
    """`default`: the one that is chosen on the app's page; or a part of another's name."""
    stream: OptionalText = Field(default=None, repr=False)
    """Address of a camera or a phone; may hold a password."""

    @field_validator("microphone")
    @classmethod
    def _device(cls, value: str | None) -> str | None:
        if value is not None and "://" in value:
            raise ValueError("is a URL; write it as stream")
        return value

    @field_validator("stream")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                stream_spec(value, listen=False)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.microphone is None) == (self.stream is None):
            raise ValueError(
                f"{self.name!r} needs either microphone (default is the one that is chosen under Audio) or stream; a"
                " phone needs no entry, it is paired on the page"
            )
        return self


class Options(Part):
    """All of them."""

    rooms: tuple[RoomOption, ...] = Field(default=(), strict=False)
    language: OptionalText = None
    """Of what parents read."""
    threshold: Threshold | None = None
    """How sure the network must be, in every profile; None: the model's own."""
    owners: tuple[Typed, ...] = Field(default=(), strict=False)
    """Users of Home Assistant who may pair and remove devices."""

    @field_validator("language")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in languages():
            raise ValueError(f"{value!r} is not allowed; allowed are {', '.join(languages())}")
        return value


def read_options(path: Path) -> Options:
    """Reads the options.

    Raises:
        ConfigError: All that is wrong with them, one a line: which option, and what to do; no address of a stream.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the app's options: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON: save the app's options once more") from error
    try:
        return Options.model_validate(data)
    except ValidationError as error:
        form = YamlFile(Path("option"), data)
        raise ConfigError("\n".join(text.replace(":1:", "", 1) for text in refusals(form, error, Options))) from error
