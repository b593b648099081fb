"""The published VGGish made into a bundle: download, assert, self-test, convert, write. A base for training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from model.bundle import Bundle, write_bundle
from model.calibration import Calibration
from model.frontend import FrontendParams
from model.manifest import DataSet, Manifest
from model.published.checkpoint import load_checkpoint
from model.published.download import Remote, download
from model.runtime import tensorflow_installed
from model.vggish import FULL, HEADS, build_classifier, named_weights
from monitord.errors import BundleError, ConfigError
from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams

NAME: Final = "vggish"
"""Of the bundle."""
REMOTES: Final = (
    # The PyTorch port comes first because it alone can be held against a checksum: the file's name carries it.
    Remote("https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth", sha256="10086976"),
    # Google publishes no checksum; the assertions on every array and the self-test stand in for it.
    Remote("https://storage.googleapis.com/audioset/vggish_model.ckpt", sha256=""),
)
_CARD: Final = """# VGGish

The network of Hershey et al., "CNN Architectures for Large-Scale Audio Classification" (2017), with the weights that
Google published (tensorflow/models, research/audioset/vggish, Apache-2.0), trained on a preliminary version of
YouTube-8M. Converted from `{source}`; every array was asserted and the published self-test passed.

**This bundle hears nothing.** The weights reach up to the embedding. The heads for cry and reasons on top of it are all
zero: every sound would get probability 0.5 and every reason 0.25. It is the base that training starts from; the daemon
refuses it until `monitord-train fit` has made a trained bundle of it.

Not a medical device.
"""


def fetch_vggish(directory: Path, downloads: Path, remotes: Sequence[Remote] = REMOTES) -> Bundle:
    """Downloads the published weights and writes the bundle `vggish`, heads untrained.

    Args:
        directory: Where the bundle will stand.
        downloads: Where the published file is kept; one that lies there by its own name is used without a download.
        remotes: Where it is published, in the order in which they are tried; one that lies in `downloads` goes first.

    Raises:
        BundleError: It cannot be had (the text says how to get it by hand), or it is not the published one.
        ConfigError: Converting needs TensorFlow, which is not installed.
    """
    if not tensorflow_installed():
        raise ConfigError("converting VGGish needs TensorFlow: install monitord[train]")
    checkpoint = _obtain(downloads, remotes)
    model = build_classifier(FULL)
    variables = named_weights(model)
    for head, _ in HEADS:
        for part in ("kernel", "bias"):
            variables[f"{head}/{part}"].assign(variables[f"{head}/{part}"] * 0.0)
    load_checkpoint(checkpoint, model)
    from model.export import export_litert, export_weights  # noqa: PLC0415 - brings TensorFlow

    return write_bundle(
        directory,
        _manifest(),
        tflite=export_litert(model),
        weights=export_weights(model),
        card=_CARD.format(source=checkpoint.name),
        exact=True,  # a base for training should be the published one to the last bit
    )


def _obtain(downloads: Path, remotes: Sequence[Remote]) -> Path:
    trouble: list[str] = []
    for remote in sorted(remotes, key=lambda remote: not (downloads / remote.name).exists()):
        try:
            return download(remote, downloads)
        except BundleError as error:
            trouble.append(str(error))
    by_hand = "\n".join(f"  {remote.url}\n    to {downloads / remote.name}" for remote in remotes)
    raise BundleError(
        "VGGish's weights cannot be had:\n  "
        + "\n  ".join(trouble)
        + f"\nBy hand: on any machine with a connection, download one of\n{by_hand}\n"
        "and give this command again: monitord bundle fetch vggish"
    )


def _manifest() -> Manifest:
    return Manifest(
        name=NAME,
        architecture=FULL,
        heads="untrained",
        calibration=Calibration(),
        frontend=FrontendParams(),
        listener=ListenerParams(),
        tracker=TrackerParams(),
        rests_on={},
        data=(
            DataSet(
                name="YouTube-8M, a preliminary version",
                licence="Apache-2.0 (the published weights)",
                attribution="Google, tensorflow/models, research/audioset/vggish",
                use="all weights up to the embedding",
            ),
        ),
        metrics={"random": {}, "grouped": {}},
    )
