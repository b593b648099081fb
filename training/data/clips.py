"""Labelled cry sounds: what `prepare --manifest` and `synth` write, and what every command about reasons reads.

A clip is one cry sound of 0.18 to 2.5 s, cut by the daemon's segmenter or by hand, with the windows that the daemon
would have scored in it. Windows look back into what was heard before the clip, as they do in the daemon.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import REASONS, Pcm

SOUNDS_FILE: Final = "clips.npz"
LIST_FILE: Final = "clips.json"


@dataclass(frozen=True, slots=True)
class Clip:
    """One cry sound and what the family told about it."""

    path: Path
    """The recording that it was cut from."""
    label: str
    """One of `REASONS`."""
    baby: str
    """Who cried; empty where unknown."""
    recording: str
    """Which recording; the file's own name where the manifest does not say."""
    installation: str
    """Which phone or app installation; empty where unknown."""
    licence: str
    start: int
    """First sample in the recording (samples at 16 kHz)."""
    end: int
    """One past the last (samples at 16 kHz)."""
    more: Mapping[str, str]
    """Columns of the manifest that we do not know, kept as they are."""


@dataclass(frozen=True)
class ClipSet:
    """Clips with their sound."""

    name: str
    """For tables: `donateacry`, `synthetic twin`, the manifest's file name."""
    synthetic: bool
    """Whether no baby ever cried in it: said wherever its figures appear."""
    clips: list[Clip]
    sounds: list[Pcm]
    """By clip int16 [WINDOW_SAMPLES + n + m] at 16 kHz: what was heard in front of it (zeros before the recording
    began), the clip, and what the segmenter heard behind it to know that it had ended (nothing behind a hand-cut one).
    """
    clip: NDArray[np.int64]
    """[windows], index of the clip that each window belongs to, ascending."""
    end: NDArray[np.int64]
    """[windows], one past each window's last sample in its clip's `sounds` (samples at 16 kHz)."""

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """[clips], index into `REASONS`."""
        return np.array([REASONS.index(clip.label) for clip in self.clips], np.int64)

    def cut(self, index: int) -> Pcm:
        """The clip alone, int16 [n] at 16 kHz."""
        clip = self.clips[index]
        return self.sounds[index][WINDOW_SAMPLES : WINDOW_SAMPLES + clip.end - clip.start]

    def window(self, row: int) -> Pcm:
        """One window, int16 [WINDOW_SAMPLES] at 16 kHz."""
        end = int(self.end[row])
        return self.sounds[int(self.clip[row])][end - WINDOW_SAMPLES : end]

    def windows(self) -> Iterator[Pcm]:
        """All windows in order."""
        return (self.window(row) for row in range(len(self.clip)))


def save_clips(clips: ClipSet, folder: Path) -> None:
    """Writes a folder that `load_clips` reads; what stood there is replaced only when all is written.

    Raises:
        ConfigError: The disk is full or the folder may not be written; what stood there stands there still.
    """
    make_folder(folder)
    lengths = np.array([len(sound) for sound in clips.sounds], np.int64)
    rows = [asdict(clip) | {"path": str(clip.path), "more": dict(clip.more)} for clip in clips.clips]
    listing = json.dumps({"name": clips.name, "synthetic": clips.synthetic, "clips": rows}, indent=0)
    parts = {SOUNDS_FILE: b"", LIST_FILE: listing.encode()}
    fresh = []
    try:
        for name, content in parts.items():
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            fresh.append((Path(temporary), folder / name))
            with os.fdopen(handle, "wb") as file:
                if content:
                    file.write(content)
                else:
                    np.savez(file, samples=np.concatenate(clips.sounds), length=lengths, clip=clips.clip, end=clips.end)
        for temporary_path, path in fresh:
            temporary_path.replace(path)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}; nothing was changed") from error
    finally:
        for temporary_path, _ in fresh:
            temporary_path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Makes a folder to write to, before the long work.

    Raises:
        ConfigError: It cannot be made, or nothing can be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}") from error


def load_clips(folder: Path) -> ClipSet:
    """Reads what `save_clips` wrote.

    Raises:
        ConfigError: The folder holds no clips.
    """
    try:
        listing = json.loads((folder / LIST_FILE).read_text(encoding="utf-8"))
        with (folder / SOUNDS_FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            samples, lengths = arrays["samples"], arrays["length"]
            clip, end = arrays["clip"], arrays["end"]
        clips = [Clip(**(row | {"path": Path(row["path"])})) for row in listing["clips"]]
        # Strict: as many sounds as clips.
        sounds = [sound for sound, _ in zip(np.split(samples, np.cumsum(lengths)[:-1]), clips, strict=True)]
        return ClipSet(listing["name"], listing["synthetic"], clips, sounds, clip, end)
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{folder}: no clips here ({error}); make some with `monitord-train prepare --manifest` or "
            "`monitord-train synth`"
        ) from error
