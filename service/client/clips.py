"""`monitord clips`: the cries whose reason the family told, with a manifest to fit a model to; the daemon need not run.

The folder grows: what an earlier call copied stays when its clip has become too old for the page.
"""

import csv
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.messages.corrections import CRY
from service.settings.command import command
from service.storage.history import HISTORY, Correction
from service.storage.history_reading import corrections_in
from service.web.past.clip_store import CLIPS, ENDING, ClipStore
from service.web.past.settings import ClipSettings

MANIFEST: Final = "manifest.csv"
COLUMNS: Final = ("path", "label", "baby", "recording", "licence")
"""As `monitord-train` takes them. Which baby it was nobody says here: a family with two fills it in by hand."""


def copy_told_clips(config_file: Path | None, out: Path) -> int:
    """Copies the clips, says how many were left out and why, and returns the exit status: 1 where there is none.

    Args:
        config_file: Of the daemon; None: as without one.
        out: Folder to copy to; made if missing.

    Raises:
        ConfigError: The configuration has mistakes, a clip cannot be read, or the folder cannot be written.
    """
    config = Config() if config_file is None else load_config(config_file)
    said = corrections_in(config.state_dir / HISTORY)
    store = ClipStore(config.state_dir / CLIPS, ClipSettings())
    newest = {one.episode: one for one in said if one.episode is not None}
    left_out = Counter({"missed by the monitor, so there is no clip": sum(one.episode is None for one in said)})
    manifest = out / MANIFEST
    rows = _rows(manifest)
    try:
        for episode, word in newest.items():
            name = f"{episode}{ENDING}"
            why = _useless(word) or _copied(store.path(episode), out / name)
            left_out[why] += 1
            if why:
                rows.pop(name, None)
            else:
                blank = dict.fromkeys(COLUMNS, "")
                rows[name] = {**blank, **rows.get(name, {}), "path": name, "label": str(word.reason)}
        _tell(left_out)
        if not rows:
            return 1
        _write(manifest, rows)
    except OSError as error:
        raise ConfigError(
            f"{error.filename}: {error.strerror}; run `{command('clips')}` as the user of the daemon, or with sudo, and"
            " with an --out where there is room"
        ) from error
    print(f"To learn from them: monitord-train fit --from BUNDLE --manifest {manifest} --out NEW", file=sys.stderr)
    print(manifest)
    return 0


def _useless(word: Correction) -> str:
    """Says why an episode is nothing to learn a reason from; empty where it is."""
    if word.was != CRY:
        return "no cry"
    return "a cry without a reason" if word.reason is None else ""


def _copied(clip: Path | None, to: Path) -> str:
    """Copies a clip, or keeps an earlier copy; says why there is neither, else nothing."""
    if to.is_file():
        return ""
    if clip is None:
        return "not kept, deleted, or too old"
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = to.with_suffix(".part")
    shutil.copy(clip, part)  # with its mode: readable by one user alone
    part.replace(to)
    return ""


def _rows(manifest: Path) -> dict[str, dict[str, str]]:
    """Lines of an earlier call by their path, with what somebody filled in."""
    if not manifest.is_file():
        return {}
    with manifest.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(None in row or None in row.values() or "path" not in row for row in rows):
        raise ConfigError(f"{manifest}: is none that this command wrote; choose another --out")
    return {row["path"]: row for row in rows}


def _write(manifest: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    columns = dict.fromkeys([*COLUMNS, *(name for row in rows.values() for name in row)])
    part = manifest.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    part.replace(manifest)


def _tell(left_out: Counter[str]) -> None:
    print(f"{left_out.pop('', 0)} clips with a reason", file=sys.stderr)
    for why, n in left_out.items():
        if n:
            print(f"left out: {n}: {why}", file=sys.stderr)
