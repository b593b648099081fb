"""What a measuring command leaves for `report`: one JSON file each, written whole or not at all."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from monitord.errors import ConfigError
from training.results.whole_file import write_whole

Kind = Literal["crossval", "compare", "streams", "households", "noise", "frontends", "evaluate", "adapt", "family"]
KINDS: Final = ("crossval", "compare", "streams", "households", "noise", "frontends", "evaluate", "adapt", "family")


@dataclass(frozen=True, slots=True)
class Result:
    """One command's figures."""

    kind: Kind
    command: str
    """What a person types to print it again, without paths of one machine: `monitord-train crossval --clips CLIPS`."""
    data: str
    """Name of the data."""
    synthetic: bool
    """Whether the data are: said wherever the figures appear."""
    figures: dict[str, Any]
    """JSON values as the command's own module describes them."""


def write_result(path: Path, result: Result) -> None:
    """Writes a file that `read_results` reads.

    Raises:
        ConfigError: The disk is full or the folder may not be written; what stood there stands there still.
    """
    write_whole(path, (json.dumps(asdict(result), indent=1) + "\n").encode())


def read_results(folder: Path) -> list[Result]:
    """Reads every `*.json` of a folder, in the order of their names.

    Raises:
        ConfigError: There is none, or one is not what a command wrote.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise ConfigError(f"{folder}: no results here; crossval, compare, streams and the others write them (--out)")
    results = []
    for path in paths:
        try:
            result = Result(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError) as error:
            raise ConfigError(f"{path}: not a result of monitord-train: {error}") from error
        if result.kind not in KINDS:
            raise ConfigError(f"{path}: kind: found {result.kind!r}, expected one of {', '.join(KINDS)}")
        results.append(result)
    return results


def frontend_why(results: Sequence[Result]) -> str:
    """What the choice of the front end rests on, by the last `frontends` on real data; empty where there is none."""
    found = [r.figures for r in results if r.kind == "frontends" and not r.synthetic and r.figures.get("why")]
    return f"measured best: {found[-1]['chosen']}, {found[-1]['why']}" if found else ""
