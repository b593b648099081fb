"""The synthetic twin of the paper's private data set, as files: what `prepare` takes, and what it would make of it."""

import csv
import io
import shutil
import tempfile
import wave
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from model.bundle import load_bundle
from monitord.errors import ConfigError
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.data.clips import LIST_FILE, SOUNDS_FILE, ClipSet, load_clips, make_folder, save_clips
from training.data.cutting import SYNTHETIC_COLUMN, Piece, by_marks, clip_set
from training.data.manifest_csv import MARKS, REQUIRED, Entry
from training.data.synthetic_babies import BABIES, Baby, CrySound, cry_sounds
from training.results.whole_file import write_whole

NAME: Final = "synthetic twin"
MANIFEST: Final = "manifest.csv"
SOUNDS: Final = "wav"
"""Folder of the clips, each a file of its own."""
LICENCE: Final = "CC0 1.0"
"""Made from formulas: nobody's voice."""


def synthesise(folder: Path, seed: int, babies: tuple[Baby, ...] = BABIES) -> ClipSet:
    """Writes WAV files, `manifest.csv` and the clips into `folder`. The same seed, the same bytes.

    `prepare --manifest` over what it writes gives the same clips.

    Raises:
        ConfigError: The folder holds something else, may not be written, or the disk is full; what stood there stands
            there still.
    """
    make_folder(folder)
    _refuse_other_files(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".synth.") as name:
        fresh = Path(name)
        try:
            pieces = _write_sounds(fresh / SOUNDS, folder, seed, babies)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}; nothing was changed") from error
        write_whole(fresh / MANIFEST, _manifest(folder, [piece.entry for piece in pieces]).encode())
        clips = replace(clip_set(NAME, pieces), synthetic=True)
        save_clips(clips, fresh)
        shutil.rmtree(folder / SOUNDS, ignore_errors=True)  # an earlier twin's
        for part in (SOUNDS, MANIFEST, SOUNDS_FILE, LIST_FILE):
            (fresh / part).replace(folder / part)
    return clips


def _refuse_other_files(folder: Path) -> None:
    """Raises `ConfigError` unless the folder is empty or holds an earlier twin, which may be replaced."""
    if any(folder.iterdir()) and not ((folder / LIST_FILE).is_file() and load_clips(folder).name == NAME):
        raise ConfigError(f"{folder}: holds other files; give a new folder, or one with an earlier twin to replace")


def _write_sounds(sounds: Path, folder: Path, seed: int, babies: tuple[Baby, ...]) -> list[Piece]:
    sounds.mkdir()
    listener = load_bundle().manifest.listener
    pieces: list[Piece] = []
    total = sum(sum(baby.clips) for baby in babies)
    for cry in tqdm(cry_sounds(seed, babies), total=total, desc="synthesise", unit="clip", mininterval=1.0):
        samples = np.rint(cry.sound * (FULL_SCALE - 1)).astype(np.int16)
        number = len(pieces) + 1
        path = Path(SOUNDS) / f"{number:04d}-{cry.baby.name}-{cry.label}.wav"
        _write_wav(sounds / path.name, samples)
        pieces.append(by_marks(_entry(cry, folder / path, number + 1, len(samples)), samples, listener))
    return pieces


def _entry(cry: CrySound, path: Path, line: int, length: int) -> Entry:
    return Entry(
        line=line,
        path=path,
        label=cry.label,
        baby=f"{cry.baby.name} ({cry.baby.months} month{'s' if cry.baby.months > 1 else ''} {cry.baby.sex})",
        recording=cry.recording,
        installation="",
        licence=LICENCE,
        marks=(0, length),
        more={SYNTHETIC_COLUMN: "yes"},
    )


def _manifest(folder: Path, entries: list[Entry]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*REQUIRED, *MARKS, SYNTHETIC_COLUMN])
    for entry in entries:
        path = entry.path.relative_to(folder).as_posix()
        start, end = entry.marks or (0, 0)
        seconds = [repr(start / RATE_HZ), repr(end / RATE_HZ)]
        writer.writerow([path, entry.label, entry.baby, entry.recording, entry.licence, *seconds, *entry.more.values()])
    return text.getvalue()


def _write_wav(path: Path, samples: Pcm) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
