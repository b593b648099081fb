"""The recordings to train and test with: seven folders with their index files, read into one list.

What is held out is decided here, once, for every command: ESC-50's fold 4, and a fifth of the groups (installations,
speakers, kinds of household sound, babies, cats) of the other sets, by a hash of the group's name, so that it never
moves.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from monitord.errors import ConfigError

Dataset = Literal["donateacry", "esc50", "speech", "home", "corvin", "catmeows", "emogator"]

REASON_OF_CODE: Final = {
    "hu": "hunger",
    "ti": "tiredness",
    "lo": "boredom",
    "dc": "discomfort",
    "bp": "discomfort",
    "bu": "discomfort",
    "ch": "discomfort",
    "sc": None,
    "dk": None,
}
"""donateacry's codes as the four reasons; scared and don't know are none of them."""

CLEANED_CRY_FLOOR: Final = 0.02
"""mn04 score above which the corpus' own choice is believed: 317 of 371."""
CONFIRMED_CRY_FLOOR: Final = 0.1
"""Score above which both teachers together make an unchosen upload a cry."""
NO_CRY_CEILING: Final = 0.01
"""Score below which both teachers together make an unchosen upload a negative: 348 of 544."""
HELD_OUT_FOLD: Final = "4"
"""ESC-50's fold that training never sees."""
HELD_OUT_SHARE: Final = 5
"""One group in so many is held out."""
BURST_OF_EMOTION: Final = {
    **dict.fromkeys(("Anger", "Distress", "Fear", "Pain", "Surprise (Negative)"), "distress"),
    **dict.fromkeys(("Disappointment", "Guilt", "Sadness", "Shame", "Sympathy"), "sorrow"),
    **dict.fromkeys(("Amusement", "Ecstasy", "Elation", "Surprise (Positive)", "Triumph"), "joy"),
}
"""EmoGator's emotions that are screamed and groaned, sobbed, laughed and shouted; all others are `calm`. Four kinds and
not thirty, because each kind of sound is drawn as often as any other."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file with what is known about it."""

    path: Path
    """The file, in any container that FFmpeg reads."""
    dataset: Dataset
    """Folder that it comes from."""
    kind: str
    """ESC-50's category, or `phone:android`, `speech:child`, `home:rain`, `corvin:pain`, `catmeows:brushing`,
    `emogator:joy`, ..."""
    group: str
    """Never on both sides of a split: installation, Freesound source, speaker, kind of household sound, baby, cat."""
    is_cry: bool | None
    """A baby's cry is in it; None where that is unclear, so no hard label."""
    reason: str | None
    """One of `REASONS` as the family chose it; only chosen or confirmed cries have one."""
    held_out: bool
    """For testing only."""


def read_corpus(data_dir: Path) -> list[Recording]:
    """Returns all recordings, in the order of the index files: donateacry, esc50, speech, home, corvin, ...

    Args:
        data_dir: Folder that holds the seven folders.

    Raises:
        ConfigError: An index file, a column or a recording is missing, or a value is not what the column holds.
    """
    return [
        *_donateacry(data_dir / "donateacry"),
        *_esc50(data_dir / "esc50"),
        *_grouped(data_dir / "speech", "speech"),
        *_grouped(data_dir / "home", "home"),
        *_few(data_dir / "corvin", "corvin", "baby"),
        *_few(data_dir / "catmeows", "catmeows", "cat"),
        *_emogator(data_dir / "emogator"),
    ]


def is_held_out(dataset: Dataset, group: str) -> bool:
    """Says whether a group is in the fifth for testing: SHA-256 of `dataset:group`, first 8 bytes, modulo 5, is 0."""
    digest = hashlib.sha256(f"{dataset}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % HELD_OUT_SHARE == 0


def held_out_of_few(dataset: Dataset, groups: Iterable[str]) -> frozenset[str]:
    """Returns the fifth for testing of a set with few groups: those whose SHA-256 of `dataset:group` is lowest.

    Of 14 cats a fair fifth by each one's own hash may be none, and is.
    """
    by_hash = sorted(set(groups), key=lambda group: hashlib.sha256(f"{dataset}:{group}".encode()).digest())
    return frozenset(by_hash[: round(len(by_hash) / HELD_OUT_SHARE)])


def _donateacry(folder: Path) -> Iterator[Recording]:
    for row in _rows(folder / "index.csv"):
        cleaned = row.one_of("in_cleaned", ("0", "1")) == "1"
        is_cry = _is_cry(cleaned=cleaned, mn04=row.score("mn04_cry"), yamnet=row.score("yamnet_cry"))
        reason = REASON_OF_CODE[row.one_of("code", tuple(REASON_OF_CODE))]
        yield Recording(
            path=row.recording(),
            dataset="donateacry",
            kind=f"phone:{row.text('set')}",
            group=row.text("install"),
            is_cry=is_cry,
            reason=reason if cleaned or is_cry else None,
            held_out=is_held_out("donateacry", row.text("install")),
        )


def _is_cry(*, cleaned: bool, mn04: float, yamnet: float) -> bool | None:
    if cleaned:
        return True if mn04 >= CLEANED_CRY_FLOOR else None
    if min(mn04, yamnet) >= CONFIRMED_CRY_FLOOR:
        return True
    return False if max(mn04, yamnet) < NO_CRY_CEILING else None


def _esc50(folder: Path) -> Iterator[Recording]:
    for row in _rows(folder / "index.csv"):
        yield Recording(
            path=row.recording(),
            dataset="esc50",
            kind=row.text("category"),
            group=row.text("freesound_id"),
            is_cry=row.text("category") == "crying_baby",
            reason=None,
            held_out=row.text("fold") == HELD_OUT_FOLD,
        )


def _grouped(folder: Path, dataset: Literal["speech", "home"]) -> Iterator[Recording]:
    for row in _rows(folder / "index.csv"):
        # Speech is told apart by its folder (child, adult, ...), household sound by what it is (rain, ...).
        kind = row.text("path").split("/")[0] if dataset == "speech" else row.text("group")
        yield Recording(
            path=row.recording(),
            dataset=dataset,
            kind=f"{dataset}:{kind}",
            group=row.text("group"),
            is_cry=False,
            reason=None,
            held_out=is_held_out(dataset, row.text("group")),
        )


def _few(folder: Path, dataset: Literal["corvin", "catmeows"], group: Literal["baby", "cat"]) -> Iterator[Recording]:
    rows = list(_rows(folder / "index.csv"))
    held_out = held_out_of_few(dataset, (row.text(group) for row in rows))
    for row in rows:
        yield Recording(
            path=row.recording(),
            dataset=dataset,
            kind=f"{dataset}:{row.text('context')}",
            group=row.text(group),
            is_cry=dataset == "corvin",
            # Bath and vaccination were recorded in other surroundings each: no reason that a family would tell.
            reason=None,
            held_out=row.text(group) in held_out,
        )


def _emogator(folder: Path) -> Iterator[Recording]:
    for row in _rows(folder / "index.csv"):
        yield Recording(
            path=row.recording(),
            dataset="emogator",
            kind=f"emogator:{BURST_OF_EMOTION.get(row.text('emotion'), 'calm')}",
            group=row.text("speaker"),
            is_cry=False,
            reason=None,
            held_out=is_held_out("emogator", row.text("speaker")),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of an index file; it refuses by file, line and column."""

    index: Path
    line: int
    values: dict[str, str | None]

    def text(self, column: str) -> str:
        value = self.values.get(column)
        if not value:
            raise self._refusal(column, value, "something")
        return value

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        value = self.text(column)
        if value not in allowed:
            raise self._refusal(column, value, f"one of {', '.join(allowed)}")
        return value

    def score(self, column: str) -> float:
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0.0 <= number <= 1.0:
            raise self._refusal(column, value, "a number from 0 to 1")
        return number

    def recording(self) -> Path:
        path = self.index.parent / self.text("path")
        if not path.is_file():
            raise ConfigError(f"{self.index}:{self.line}: path: no such recording: {path}")
        return path

    def _refusal(self, column: str, value: str | None, expected: str) -> ConfigError:
        return ConfigError(f"{self.index}:{self.line}: {column}: found {value!r}, expected {expected}")


def _rows(index: Path) -> Iterator[_Row]:
    try:
        text = index.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{index}: cannot read the index: {error.strerror}") from error
    reader = csv.DictReader(text.splitlines())
    for values in reader:
        yield _Row(index, reader.line_num, values)
