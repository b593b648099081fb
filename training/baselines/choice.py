"""All methods of the comparison in the order of its table, and which of them a person asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from training.baselines.bfcc_ann import BfccAnn
from training.baselines.capsules import CapsuleNetwork
from training.baselines.majority import Majority
from training.baselines.method import Method
from training.baselines.mfcc_gmm import MfccGmm
from training.baselines.networks import EPOCHS
from training.baselines.rbm_cnn import RbmCnn
from training.baselines.spectrogram_cnn import SpectrogramCnn
from training.baselines.teacher import TeacherRegression
from training.baselines.vggish import Vggish
from training.baselines.waveform_cnn import WaveformCnn
from training.data.clips import ClipSet
from training.label.teachers import Mn04Teacher
from training.learn.initial_weights import load_initial_weights
from training.learn.paper_training import PaperParams

NETWORKS: Final = (RbmCnn, WaveformCnn, SpectrogramCnn, CapsuleNetwork)
KEYS: Final = tuple(method.key for method in (Majority, MfccGmm, BfccAnn, *NETWORKS, TeacherRegression, Vggish))
"""What `--only` takes, in the order of the table."""
TEACHER_FILE: Final = "mn04_as.onnx"
"""In the folder of teachers."""


def choose(
    clips: ClipSet,
    *,
    only: Sequence[str] = (),
    teachers: Path | None = None,
    start: Path | None = None,
    epochs: int | None = None,
    crossval: Path | None = None,
) -> list[Method]:
    """Builds the methods that were asked for, in the order of the table.

    Args:
        clips: What they will be trained and tested on.
        only: Their keys; without any all of them, the teacher's row only where there is a teacher.
        teachers: Folder with `mn04_as.onnx`.
        start: What VGGish starts from, as for `load_initial_weights`.
        epochs: Of every network; None leaves each method its own.
        crossval: What `crossval --work` left, for VGGish.

    Raises:
        ConfigError: A key is none of `KEYS`, `epochs` is not positive, or the teacher was asked for and is not there.
        BundleError: The start or the teacher is not what it should be.
    """
    unknown = [key for key in only if key not in KEYS]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: no such method; there are {', '.join(KEYS)}")
    if epochs is not None and epochs < 1:
        raise ConfigError(f"--epochs {epochs}: expected at least 1")
    if TeacherRegression.key in only and teachers is None:
        raise ConfigError(f"--only {TeacherRegression.key}: needs --teachers, a folder with {TEACHER_FILE}")
    wanted = only or [key for key in KEYS if key != TeacherRegression.key or teachers is not None]
    methods: list[Method] = [plain(clips) for plain in (Majority, MfccGmm, BfccAnn) if plain.key in wanted]
    methods += [network(clips, epochs or EPOCHS) for network in NETWORKS if network.key in wanted]
    if TeacherRegression.key in wanted and teachers is not None:
        methods.append(TeacherRegression(clips, Mn04Teacher(teachers / TEACHER_FILE)))
    if Vggish.key in wanted:
        methods.append(Vggish(clips, load_initial_weights(start), epochs or PaperParams().epochs, crossval))
    return methods
