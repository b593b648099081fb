"""From a trained Keras network to what a bundle holds: LiteRT bytes and plain arrays. Loads TensorFlow late."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.frontend import N_FRAMES, N_MELS
from model.vggish import named_weights

if TYPE_CHECKING:
    import keras


def export_litert(model: "keras.Model") -> bytes:
    """Converts a classifier to LiteRT with int8 weights (dynamic range: activations are quantised as they come).

    Of the variants measured, this one needs no calibration data, is as fast on one core as full int8, and moves the
    outputs by about 2 %. The number of windows stays open.

    Args:
        model: From `build_classifier`, on the TensorFlow backend.
    """
    import keras  # noqa: PLC0415 - loaded only where a network is converted
    import tensorflow as tf  # noqa: PLC0415 - the same

    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"the converter needs Keras on TensorFlow, found {keras.backend.backend()}")
    archive = keras.export.ExportArchive()
    archive.track(model)
    spec = tf.TensorSpec((None, N_FRAMES, N_MELS), tf.float32, name="patches")
    archive.add_endpoint("serve", lambda patches: model(patches, training=False), input_signature=[spec])
    with tempfile.TemporaryDirectory(prefix="monitord-export-") as directory:
        # By way of a saved model: conversion straight from a function leaves Keras 3's variables behind, and the file
        # it writes answers NaN.
        archive.write_out(str(Path(directory)), verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(directory)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def export_weights(model: "keras.Model") -> dict[str, NDArray[np.float32]]:
    """Copies the weights out, float32, by `layer/kernel` and `layer/bias`."""
    return {name: np.asarray(weight).astype(np.float32) for name, weight in named_weights(model).items()}
