"""What every part of the configuration is made of: frozen models that refuse unknown keys, and the types of values."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationInfo

from monitord.errors import ConfigError
from service.settings.paths import absolute

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=64)]
"""A part of topics and of Home Assistant's unique ids: a person renames with `name`, the id stays."""

Text = Annotated[str, StringConstraints(min_length=1)]


def in_words(source_id: str) -> str:
    """`baby_room`: `Baby room`."""
    return source_id.replace("_", " ").strip().capitalize() or source_id


def _path(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str) or not value:
        return value
    folder = (info.context or {}).get("folder", Path())
    try:
        return absolute(value, folder)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def existing_file(path: Path) -> Path:
    """Returns the path of a file that is there; ValueError for the operator where it is not."""
    try:
        found = path.exists() and not path.is_dir()  # a pipe is one, too
    except OSError as error:
        raise ValueError(f"cannot look at {path}: {error.strerror}") from error
    if not found:
        raise ValueError(f"there is no file {path}")
    return path


FilePath = Annotated[Path, BeforeValidator(_path)]
"""Absolute; what was relative in the file is seen from the file's own directory."""


ExistingFile = Annotated[FilePath, AfterValidator(existing_file)]
"""One that is there."""


class Part(BaseModel):
    """Frozen; an unknown key, or a text where a number belongs, is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
