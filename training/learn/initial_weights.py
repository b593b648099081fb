"""What training starts from: a checkpoint of VGGish that learnt AudioSet, or a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import MANIFEST, Bundle, load_bundle
from model.calibration import p_cry
from model.export import export_weights
from model.frontend import FrontendParams, patches
from model.published.checkpoint import load_checkpoint
from model.vggish import FULL, Architecture, build_classifier, build_embedding, named_weights, weight_shapes
from monitord.errors import ConfigError
from training.data.clips import ClipSet

if TYPE_CHECKING:
    import keras

BATCH: Final = 64
"""Windows in a forward pass."""


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """Weights that learnt AudioSet, and the ear they learnt it with."""

    name: str
    """For tables: the bundle's, or the checkpoint's file name."""
    architecture: Architecture
    frontend: FrontendParams
    """The bundle's own; with a checkpoint the method's pre-emphasis and z-score, which it then has to learn anew."""
    weights: Mapping[str, NDArray[np.float32]]
    """Up to the embedding, by `layer/kernel` and `layer/bias`."""
    bundle: Bundle | None
    """Where it was one."""
    digest: str
    """SHA-256 over all weights, hexadecimal: another start, another result."""

    def put_into(self, model: "keras.Model") -> None:
        """Gives a network of the same architecture these weights; its heads keep what they have."""
        variables = named_weights(model)
        for name, array in self.weights.items():
            variables[name].assign(array)


@dataclass(frozen=True, slots=True)
class Seen:
    """A set of clips as the network sees it, computed once for all epochs and folds."""

    clips: ClipSet
    patches: NDArray[np.float32]
    """float32 [windows, 96, 64]."""
    weight: NDArray[np.float64]
    """float64 [windows], the window's say in its clip as the daemon pools; those of a clip sum to 1."""
    embedding: NDArray[np.float32]
    """float32 [clips, embedding], what the start makes of each clip, pooled."""


def load_initial_weights(path: Path | None) -> InitialWeights:
    """Reads what to start from.

    Args:
        path: A bundle's directory; or Google's `vggish_model.ckpt`, the PyTorch port's `.pth`, an `.npz`. None is the
            bundle that comes with the project.

    Raises:
        BundleError: It is neither.
        ConfigError: There is nothing at that path.
    """
    if path is None or (path / MANIFEST).exists():
        bundle = load_bundle(path)
        manifest = bundle.manifest
        weights = {
            name: array
            for name, array in bundle.weights().items()
            if name in weight_shapes(manifest.architecture, heads=False)
        }
        return InitialWeights(
            manifest.name, manifest.architecture, manifest.frontend, weights, bundle, _digest(weights)
        )
    if path.is_dir():
        raise ConfigError(
            f"{path}: no {MANIFEST} in it, so no bundle; give a bundle's directory or a checkpoint's file"
        )
    model = build_embedding(FULL)
    load_checkpoint(path, model)
    weights = export_weights(model)
    return InitialWeights(path.name, FULL, FrontendParams(), weights, None, _digest(weights))


def see(clips: ClipSet, start: InitialWeights) -> Seen:
    """Computes what the network sees of all windows, and what the start makes of them.

    A bundle that hears cries weighs the windows of a clip as the daemon does, by their probability of being a cry:
    the silence at a clip's edge has no say. A checkpoint hears none yet, and all windows of a clip weigh the same.

    Raises:
        ConfigError: A clip has no window.
    """
    counts = np.bincount(clips.clip, minlength=len(clips.clips))
    if not counts.all():
        empty = clips.clips[int(counts.argmin())]
        raise ConfigError(f"{clips.name}: a clip of {empty.path} has no window; run `prepare` again")
    x = patches(list(clips.windows()), start.frontend)
    model = build_classifier(start.architecture)
    start.put_into(model)
    heads = start.bundle.weights() if start.bundle is not None else {}
    variables = named_weights(model)
    for name in heads.keys() - start.weights.keys():
        variables[name].assign(heads[name])
    out = [model.predict_on_batch(x[first : first + BATCH]) for first in range(0, len(x), BATCH)]
    embedding = np.concatenate([np.asarray(part["embedding"]) for part in out])
    say = np.ones(len(x))
    if start.bundle is not None and start.bundle.manifest.heads == "trained":
        logits = np.concatenate([np.asarray(part["cry"])[:, 0] for part in out])
        say = p_cry(start.bundle.manifest.calibration, logits).astype(np.float64)
    weight = say / np.bincount(clips.clip, weights=say)[clips.clip]
    return Seen(clips, x, weight, pooled(embedding, weight, clips.clip).astype(np.float32))


def pooled(values: NDArray[np.floating], weight: NDArray[np.float64], clip: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weighted mean over the windows of each clip: [windows, k] to float64 [clips, k]; weights of a clip sum to 1."""
    out = np.zeros((int(clip.max()) + 1, values.shape[1]))
    np.add.at(out, clip, weight[:, None] * values)
    return out


def _digest(weights: Mapping[str, NDArray[np.float32]]) -> str:
    digest = sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].tobytes())
    return digest.hexdigest()
