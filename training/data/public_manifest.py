"""A manifest of public recordings whose reason a family told: donateacry's, so that the commands run on real data."""

import csv
import io
import os
from collections import Counter
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from training.data.corpus import read_corpus
from training.data.manifest_csv import REQUIRED
from training.results.whole_file import write_whole

LICENCE: Final = "ODbL 1.0, contents DbCL 1.0"
"""donateacry-corpus, https://github.com/gveres/donateacry-corpus."""
KEPT: Final = ("code", "age", "gender", "codec")
"""Columns of donateacry's index that may explain a figure: the family's own word, and what could be learnt instead."""


def write_public_manifest(data: Path, out: Path) -> Counter[str]:
    """Writes the manifest; paths are relative to its folder.

    Args:
        data: Folder that holds `donateacry/` and the other public recordings, each with its `index.csv`.
        out: The CSV file to write, whole or not at all.

    Returns:
        Recordings by reason.

    Raises:
        ConfigError: `data` is not that folder, or `out` cannot be written.
    """
    folder = data / "donateacry"
    recordings = [r for r in read_corpus(data) if r.dataset == "donateacry" and r.reason is not None]
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        index = {folder / row["path"]: row for row in csv.DictReader(file)}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*REQUIRED, "installation", *KEPT])
    reasons: Counter[str] = Counter()
    for recording in recordings:
        row = index[recording.path]
        missing = [name for name in KEPT if name not in row]
        if missing:
            raise ConfigError(f"{folder / 'index.csv'}: header: column {', '.join(missing)} is missing")
        path = os.path.relpath(recording.path.resolve(), out.parent.resolve())
        kept = [row[name] for name in KEPT]
        writer.writerow([path, recording.reason, "", recording.path.name, LICENCE, recording.group, *kept])
        reasons[str(recording.reason)] += 1
    write_whole(out, text.getvalue().encode())
    return reasons
