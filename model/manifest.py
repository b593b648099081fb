"""What a bundle says about itself: everything that the weights were trained with, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from pydantic import JsonValue

from model.calibration import Calibration
from model.distress.head import DistressHead
from model.frontend import N_FRAMES, N_MELS, FrontendParams, patches
from model.manifest_versions import FORMAT_VERSION, upgraded
from model.strict_json import from_json, load_json
from model.vggish import Architecture
from monitord.errors import BundleError
from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ, REASONS

PROOF_TOLERANCE: Final = 1e-3
"""Largest difference between two front ends that count as the same (natural log of mel energy): ten times what the
front end promises against its reference, a hundredth of what a decibel changes."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the network takes: fixed in the code; a bundle made for anything else is foreign."""

    rate_hz: int = RATE_HZ
    """Hertz."""
    window_samples: int = WINDOW_SAMPLES
    """Samples at `rate_hz` in one window."""
    frames: int = N_FRAMES
    """STFT frames in a patch."""
    bands: int = N_MELS
    """Mel bands in a patch."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Recordings that the weights were made from."""

    name: str
    licence: str
    attribution: str
    """Whom to name, and where the works are listed."""
    use: str
    """What it taught, and how much of it."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of the bundle."""

    sha256: str
    """64 hexadecimal digits."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `manifest.json`. Every key is required there; defaults serve the writer."""

    name: str
    """Of the bundle, such as `vggish-compact`."""
    architecture: Architecture
    heads: Literal["trained", "untrained"]
    """`untrained`: a base for training; its probabilities mean nothing and the daemon refuses it."""
    calibration: Calibration
    frontend: FrontendParams
    listener: ListenerParams
    tracker: TrackerParams
    rests_on: Mapping[str, str]
    """By threshold (`tracker.on_p`): the data set, the fold protocol and the operating point it was chosen at."""
    data: tuple[DataSet, ...]
    metrics: Mapping[str, JsonValue]
    """By protocol, `random` (over clips, the paper's) and `grouped` (no family on both sides), with their baselines."""
    distress: DistressHead | None = None
    """How hard it cries; None: nobody fitted that."""
    frontend_proof: tuple[float, ...] = ()
    """What the front end made of the proof sound when the bundle was written; see `frontend_proof`."""
    labels: tuple[str, ...] = REASONS
    """Reasons, in the order of the network's output."""
    input: Input = field(default_factory=Input)
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    """By name in the bundle's directory."""
    format_version: int = FORMAT_VERSION


def parse_manifest(text: str, where: str) -> Manifest:
    """Reads `manifest.json` and holds it against this code; an older version comes as one of this version.

    Args:
        text: The file's content.
        where: Its path, for the error.

    Raises:
        BundleError: It is no manifest of this format, or its parameters are not those of this code.
    """
    loaded = load_json(text, where)
    version = loaded.get("format_version") if isinstance(loaded, dict) else None
    if not isinstance(loaded, dict) or version not in range(1, FORMAT_VERSION + 1) or isinstance(version, bool):
        raise BundleError(
            f"{where}: found format_version {version!r}, this version of monitord reads 1 to {FORMAT_VERSION}"
        )
    manifest = from_json(Manifest, upgraded(loaded), where)
    if manifest.input != Input():
        raise BundleError(f"{where}: made for {manifest.input}, this version of monitord feeds {Input()}")
    if manifest.labels != REASONS:
        raise BundleError(f"{where}: found labels {manifest.labels}, expected {REASONS}")
    if set(manifest.metrics) != {"random", "grouped"}:
        raise BundleError(
            f"{where}.metrics: found {sorted(manifest.metrics)}, expected both protocols, random and grouped"
        )
    if manifest.heads == "trained" and not {"tracker.on_p", "tracker.unsure_below"} <= set(manifest.rests_on):
        raise BundleError(f"{where}.rests_on: must say what tracker.on_p and tracker.unsure_below rest on")
    proof = frontend_proof(manifest.frontend)
    found = manifest.frontend_proof
    if len(found) != len(proof) or not np.allclose(found, proof, rtol=0.0, atol=PROOF_TOLERANCE):
        raise BundleError(
            f"{where}.frontend_proof: the front end of this version of monitord hears otherwise than the one that the "
            f"weights were trained with (found {found}, computed {proof}); use the bundle with the "
            "version that made it, or train again"
        )
    return manifest


def frontend_proof(params: FrontendParams) -> tuple[float, ...]:
    """What the front end makes of one fixed sound: 16 values (natural log of mel energy) over the whole patch.

    A rising tone of 100 Hz to 7 kHz at -12 dBFS reaches every band, so a change of window, scale, offset or
    normalisation shows.
    """
    t = np.arange(WINDOW_SAMPLES) / RATE_HZ
    cycles = 100.0 * t + 0.5 * (7000.0 - 100.0) / t[-1] * t**2
    sound = np.rint(8192.0 * np.sin(2.0 * np.pi * cycles)).astype(np.int16)
    patch = patches([sound], params)[0]  # [96, 64]
    return tuple(round(float(x), 4) for x in patch[12::24, 8::16].reshape(-1))
