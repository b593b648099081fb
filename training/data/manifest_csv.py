"""A manifest: the CSV in which a family or a researcher says which recording is which cry.

    path,label,baby,recording,licence
    monday.m4a,hunger,ana,,
    clips/0017.wav,tiredness,ana,tuesday,CC0

Every mistake is told by file, line and column, all at once, before any sound is decoded.
"""

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from monitord.listening.segmenter import SegmenterParams
from monitord.types import RATE_HZ, REASONS
from training.data.splits import FOLD_COLUMN, KINSHIP

REQUIRED: Final = ("path", "label", "baby", "recording", "licence")
"""Columns that must be there; only `path` and `label` may not be empty."""
MARKS: Final = ("start_s", "end_s")
"""Columns with a person's own cut marks (seconds from the start of the recording), both or none."""
_KNOWN: Final = (*REQUIRED, "installation", *MARKS)
_FRAME_S: Final = SegmenterParams().frame_ms / 1000
LEAST_S: Final = SegmenterParams().least_frames * _FRAME_S
"""Seconds, the shortest clip: 0.18."""
MOST_S: Final = SegmenterParams().most_frames * _FRAME_S
"""Seconds, the longest clip: 2.5."""
_ROUNDING_S: Final = 1e-6
"""Seconds by which a clip's length may miss the bounds: what adding decimal fractions costs."""
_MOST_TOLD: Final = 20
"""Mistakes told at once: a screen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    line: int
    """Of the manifest, from 1."""
    path: Path
    """The recording, as it can be opened."""
    label: str
    """One of `REASONS`."""
    baby: str
    """Empty where unknown."""
    recording: str
    """The path as the manifest spells it where the column is empty: a file is a recording."""
    installation: str
    """Empty where unknown."""
    licence: str
    """Empty where unknown."""
    marks: tuple[int, int] | None
    """First sample and one past the last (samples at 16 kHz), where a person cut the clip; else the ear cuts."""
    more: Mapping[str, str]
    """Columns that we do not know, and `fold`."""


def read_manifest(manifest: Path, *, least_labels: int = 1) -> list[Entry]:
    """Reads all lines, in their order.

    Args:
        manifest: CSV in UTF-8, separated by commas, with a header; paths are relative to its folder.
        least_labels: How many reasons the caller needs.

    Raises:
        ConfigError: Something is wrong with it: each mistake with its line, its column and what was expected.
    """
    rows = _rows(manifest)
    mistakes: list[str] = []
    entries: list[Entry] = []
    for line, values in rows:
        row = _Row(manifest, line, values, mistakes)
        entry = row.entry()
        if entry is not None:
            entries.append(entry)
    mistakes += _doubles(manifest, entries)
    mistakes += _broken_folds(manifest, entries)
    refuse(mistakes)
    if not entries:
        raise ConfigError(f"{manifest}: no line but the header; add one for each recording or clip")
    labels = {entry.label for entry in entries}
    if len(labels) < least_labels:
        raise ConfigError(
            f"{manifest}: label: every line says {', '.join(sorted(labels))}; this needs at least {least_labels} "
            f"different ones of {', '.join(REASONS)}"
        )
    return entries


def refuse(mistakes: Sequence[str]) -> None:
    """Raises `ConfigError` with all mistakes, a line each, if there are any."""
    if len(mistakes) > _MOST_TOLD:
        mistakes = [*mistakes[:_MOST_TOLD], f"and {len(mistakes) - _MOST_TOLD} more"]
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def _rows(manifest: Path) -> list[tuple[int, dict[str, str]]]:
    """Line numbers with values by column, blank lines left out."""
    try:
        raw = manifest.read_bytes()
    except OSError as error:
        raise ConfigError(f"{manifest}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")  # spreadsheets begin UTF-8 with a mark
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{manifest}:{line}: not UTF-8; save the table as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(manifest, header)
        for fields in reader:
            if not any(fields):
                continue
            if len(fields) != len(header):
                raise ConfigError(
                    f"{manifest}:{reader.line_num}: found {len(fields)} values, expected {len(header)}, one for each "
                    "column of the header; put a value with a comma in it into double quotes"
                )
            rows.append((reader.line_num, {n: value.strip() for n, value in zip(header, fields, strict=True)}))
    except csv.Error as error:
        raise ConfigError(f"{manifest}:{reader.line_num}: not CSV: {error}") from error
    return rows


def _check_header(manifest: Path, header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        hint = "; separate the columns by commas" if len(header) == 1 and ";" in header[0] else ""
        raise ConfigError(
            f"{manifest}:1: header: column {', '.join(missing)} is missing: found {','.join(header)!r}, expected a "
            f"first line with at least {','.join(REQUIRED)}{hint}"
        )
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise ConfigError(f"{manifest}:1: header: column {', '.join(doubled)} stands there twice; leave one out")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line on its way to an entry; it notes what is wrong with it."""

    manifest: Path
    line: int
    values: dict[str, str]
    mistakes: list[str]

    def entry(self) -> Entry | None:
        before = len(self.mistakes)
        values = self.values
        path = self.manifest.parent / values["path"]
        if not values["path"]:
            self._wrong("path", "the name of a recording")
        elif not path.is_file():
            self.mistakes.append(f"{self.manifest}:{self.line}: path: no such recording: {path}")
        if values["label"] not in REASONS:
            self._wrong("label", f"one of {', '.join(REASONS)}")
        if FOLD_COLUMN in values and not _is_integer(values[FOLD_COLUMN]):
            self._wrong(FOLD_COLUMN, "an integer; leave the column out to have the folds made")
        marks = self._marks()
        if len(self.mistakes) > before:
            return None
        return Entry(
            line=self.line,
            path=path,
            label=values["label"],
            baby=values["baby"],
            recording=values["recording"] or os.path.normpath(values["path"]),
            installation=values.get("installation", ""),
            licence=values["licence"],
            marks=marks,
            more={name: value for name, value in values.items() if name not in _KNOWN},
        )

    def _marks(self) -> tuple[int, int] | None:
        given = [self.values.get(name, "") for name in MARKS]
        if not any(given):
            return None
        seconds = [_number(text) for text in given]
        for name, number in zip(MARKS, seconds, strict=True):
            if not (math.isfinite(number) and number >= 0.0):
                self._wrong(name, "seconds from the start of the recording, 0 or more; fill in both cut marks or none")
                return None
        start_s, end_s = seconds
        if not LEAST_S - _ROUNDING_S <= end_s - start_s <= MOST_S + _ROUNDING_S:
            self.mistakes.append(
                f"{self.manifest}:{self.line}: end_s: the clip is {end_s - start_s:.3f} s long, expected "
                f"{LEAST_S:g} to {MOST_S:g} s, one cry sound; move the marks, or leave both empty to have it cut"
            )
            return None
        start = round(start_s * RATE_HZ)
        return start, start + round((end_s - start_s) * RATE_HZ)

    def _wrong(self, column: str, expected: str) -> None:
        found = self.values.get(column, "")
        self.mistakes.append(f"{self.manifest}:{self.line}: {column}: found {found!r}, expected {expected}")


def _doubles(manifest: Path, entries: Sequence[Entry]) -> list[str]:
    """Lines that say of one sound twice what it is, or of one file that it is two recordings."""
    mistakes = []
    by_file: dict[Path, list[Entry]] = {}
    for entry in entries:
        others = by_file.setdefault(entry.path.resolve(), [])
        for other in others:
            if None in (entry.marks, other.marks) or entry.marks == other.marks:
                mistakes.append(
                    f"{manifest}:{entry.line}: path: the same sound as in line {other.line}; keep one of the lines, or "
                    "give each its own start_s and end_s"
                )
                break
            if entry.recording != other.recording:
                mistakes.append(
                    f"{manifest}:{entry.line}: recording: found {entry.recording!r}, expected {other.recording!r} as "
                    f"in line {other.line}, which is of the same file"
                )
                break
        others.append(entry)
    return mistakes


def _broken_folds(manifest: Path, entries: Sequence[Entry]) -> list[str]:
    """Babies, recordings and installations on both sides of the manifest's own folds."""
    mistakes = []
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        for kin in KINSHIP:
            name = getattr(entry, kin)
            if FOLD_COLUMN not in entry.more or not name:
                continue
            other = first.setdefault((kin, name), entry)
            if int(other.more[FOLD_COLUMN]) != int(entry.more[FOLD_COLUMN]):
                mistakes.append(
                    f"{manifest}:{entry.line}: {kin}: {name} is in fold {entry.more[FOLD_COLUMN]} and in fold "
                    f"{other.more[FOLD_COLUMN]} (line {other.line}); all its clips belong in one fold"
                )
                break
    return mistakes


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
