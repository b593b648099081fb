"""A manifest's recordings to clips: by the daemon's own ear, or by a person's cut marks.

The ear finds every sound; of those in which the bundle hears no cry, the label of the recording would be a lie, so
they are left out and counted. What a person cut is trusted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.bundle import Bundle
from model.classifier import Classifier, pool
from model.runtime import open_runtime
from monitord.errors import ConfigError, SourceError
from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Pcm, Segment, Window
from training.data.clips import Clip, ClipSet
from training.data.manifest_csv import Entry, read_manifest, refuse
from training.data.recordings import load_audio
from training.data.windows import cut, hear

CRY_P: Final = 0.5
"""Calibrated probability, pooled over a segment as the daemon pools it, from which the segment is a cry."""
SYNTHETIC_COLUMN: Final = "synthetic"
"""Column of a manifest that says `yes` where no baby cried."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One clip on its way."""

    entry: Entry
    start: int
    """First sample in the recording (samples at 16 kHz)."""
    end: int
    """One past the last (samples at 16 kHz)."""
    sound: Pcm
    """As in `ClipSet.sounds`."""
    ends: tuple[int, ...]
    """As in `ClipSet.end`, ascending; at least one."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """What came of a manifest."""

    clips: ClipSet
    without_cry: int
    """Segments that were left out because the bundle hears no cry in them."""
    empty: list[Entry]
    """Lines of which nothing is left: silence, or no cry."""


def cut_clips(manifest: Path, bundle: Bundle, *, every_segment: bool = False) -> Cutting:
    """Cuts all recordings of a manifest.

    Args:
        manifest: As `read_manifest` takes it. Every recording is decoded once before the long work begins, so that a
            bad line does not waste it.
        bundle: Its ear cuts, and its network says what is a cry.
        every_segment: Whether sounds without a cry are kept too.

    Raises:
        ConfigError: The manifest, a recording or a cut mark is wrong, or nothing is left; each mistake by its line.
    """
    entries = read_manifest(manifest)
    _check_recordings(manifest, entries)
    listener = bundle.manifest.listener
    classifier = None if every_segment else Classifier(bundle, open_runtime(bundle, "litert"))
    pieces: list[Piece] = []
    empty: list[Entry] = []
    without_cry = 0
    for path, of in tqdm(_by_file(entries), desc="cut", unit="recording", mininterval=1.0):
        samples = load_audio(path)
        for entry in of:
            if entry.marks is not None:
                pieces.append(by_marks(entry, samples, listener))
                continue
            heard, quiet = _by_ear(entry, samples, listener, classifier)
            pieces += heard
            without_cry += quiet
            if not heard:
                empty.append(entry)
    if not pieces:
        raise ConfigError(
            f"{manifest}: no cry is heard in any recording ({without_cry} other sounds); --every-segment keeps every "
            "sound, and start_s and end_s in the manifest cut by hand"
        )
    order = {entry.line: row for row, entry in enumerate(entries)}
    pieces.sort(key=lambda piece: order[piece.entry.line])
    return Cutting(clip_set(manifest.name, pieces), without_cry, empty)


def by_marks(entry: Entry, samples: Pcm, params: ListenerParams) -> Piece:
    """Cuts one clip by its marks, or all of the recording without marks.

    Windows end on the ear's grid and at the clip's end, each with as much of the clip in it as the shortest clip has.

    Args:
        entry: The line.
        samples: int16 [n] at 16 kHz, the whole recording.
        params: The ear, for its grid.
    """
    start, end = entry.marks or (0, len(samples))
    frame = params.segmenter.frame_ms * RATE_HZ // 1000  # samples
    hop, least = params.windows.hop_frames * frame, params.segmenter.least_frames * frame
    grid = range(-(-(start + least) // hop) * hop, end, hop)
    return _piece(entry, samples, start, end, (*grid, end))


def clip_set(name: str, pieces: Sequence[Piece]) -> ClipSet:
    """Puts pieces together, in their order."""
    clips = [
        Clip(
            path=piece.entry.path,
            label=piece.entry.label,
            baby=piece.entry.baby,
            recording=piece.entry.recording,
            installation=piece.entry.installation,
            licence=piece.entry.licence,
            start=piece.start,
            end=piece.end,
            more=piece.entry.more,
        )
        for piece in pieces
    ]
    of: NDArray[np.int64] = np.repeat(np.arange(len(pieces)), [len(piece.ends) for piece in pieces])
    ends = np.array([end for piece in pieces for end in piece.ends], np.int64)
    synthetic = any(clip.more.get(SYNTHETIC_COLUMN) == "yes" for clip in clips)
    return ClipSet(name, synthetic, clips, [piece.sound for piece in pieces], of, ends)


def _check_recordings(manifest: Path, entries: Sequence[Entry]) -> None:
    mistakes = []
    for path, of in tqdm(_by_file(entries), desc="check", unit="recording", mininterval=1.0):
        where = f"{manifest}:{of[0].line}: path"
        try:
            length = len(load_audio(path))
        except SourceError as error:
            mistakes.append(f"{where}: {error}; give a recording or a video with sound, or take the line out")
            continue
        if length == 0:
            mistakes.append(f"{where}: {path}: holds no sound at all; take the line out")
        mistakes += [
            f"{manifest}:{entry.line}: end_s: found {entry.marks[1] / RATE_HZ:.3f}, expected at most "
            f"{length / RATE_HZ:.3f}, the length of {path} (seconds)"
            for entry in of
            if entry.marks is not None and entry.marks[1] > length
        ]
    refuse(mistakes)


def _by_file(entries: Sequence[Entry]) -> list[tuple[Path, list[Entry]]]:
    """Each file once, with its lines, so that it is decoded once."""
    ordered = sorted(entries, key=lambda entry: (str(entry.path), entry.line))
    return [(path, list(of)) for path, of in groupby(ordered, key=lambda entry: entry.path)]


def _by_ear(
    entry: Entry, samples: Pcm, params: ListenerParams, classifier: Classifier | None
) -> tuple[list[Piece], int]:
    """One recording's pieces, and how many sounds were left out because no cry is heard in them."""
    windows, segments = hear(samples, params)
    pieces: list[Piece] = []
    without_cry = 0
    for segment, over in _windows_over(segments, windows):
        if classifier is not None and pool(classifier.score(over)).p_cry < CRY_P:
            without_cry += 1
            continue
        end = segment.start + len(segment.samples)
        pieces.append(_piece(entry, samples, segment.start, end, tuple(window.end for window in over)))
    return pieces, without_cry


def _windows_over(segments: Sequence[Segment], windows: Sequence[Window]) -> Iterator[tuple[Segment, list[Window]]]:
    """Each segment with the windows that the daemon would pool for it: the ear makes at least one for each."""
    for segment in segments:
        over = [window for window in windows if segment.start < window.end <= segment.closed]
        assert over, f"the ear made no window for the segment at sample {segment.start}"
        yield segment, over


def _piece(entry: Entry, samples: Pcm, start: int, end: int, ends: tuple[int, ...]) -> Piece:
    before = start - WINDOW_SAMPLES  # where the piece's own sound begins, in samples of the recording
    last = max(end, ends[-1])
    return Piece(entry, start, end, cut(samples, last, last - before), tuple(e - before for e in ends))
