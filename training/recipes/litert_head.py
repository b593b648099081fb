"""Another linear head in a finished LiteRT file: its few floats are replaced, every other byte stays.

A head of 128 x 4 weights is under the converter's least size for int8, so it lies in the file as float32. Replacing it
leaves the network up to the embedding, and the other head, as they are to the last bit, which a new conversion of
rounded weights would not; and it needs no TensorFlow.
"""

from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from monitord.errors import BundleError

_FLOAT32: Final = 0
"""`TensorType.FLOAT32` of LiteRT's schema."""


def replace_head(
    network: bytes, name: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], where: str
) -> bytes:
    """Returns the network with another head: output `name` becomes embedding @ kernel + bias.

    Args:
        network: Content of a `model.tflite` that `model.export` wrote.
        name: Of the output that the head gives, such as `reasons`.
        kernel: float32 [embedding, logits].
        bias: float32 [logits].
        where: The file's path, for the error.

    Raises:
        BundleError: The file holds no such head in float32 on the embedding.
    """
    changed = bytearray(network)
    # Any: generated code without types.
    model: Any = schema.Model.GetRootAs(changed)
    made_from = _makers(model)
    outputs = _outputs(model)
    head = made_from.get(outputs.get(name, -1), [])
    if len(head) != 3 or "embedding" not in outputs:  # noqa: PLR2004 - what goes in, kernel, bias
        raise BundleError(f"{where}: found outputs {sorted(outputs)}, expected an embedding and a linear head {name}")
    if head[0] != outputs["embedding"]:
        # The converter lets the heads branch off before the embedding's own bias and counts it into theirs.
        embedding = made_from.get(outputs["embedding"], [])
        if embedding[:1] != head[:1] or len(embedding) != 2:  # noqa: PLR2004 - what goes in, bias
            raise BundleError(f"{where}: head {name} does not sit on the embedding")
        shift = _floats(model, embedding[1], kernel.shape[:1], where).view(np.float32)
        bias = np.asarray(bias + shift.astype(np.float64) @ kernel, np.float32)
    for tensor, values in ((head[1], kernel.T), (head[2], bias)):
        place = _floats(model, tensor, values.shape, f"{where}: head {name}")
        place[:] = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint8)
    return bytes(changed)


def _makers(model: Any) -> dict[int, list[int]]:  # noqa: ANN401 - generated code without types
    """By tensor the tensors that it is made from."""
    graph = model.Subgraphs(0)
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    return {int(out): one.InputsAsNumpy().tolist() for one in operators for out in one.OutputsAsNumpy()}


def _outputs(model: Any) -> dict[str, int]:  # noqa: ANN401 - as above
    """By name the tensors that the network gives."""
    signature = model.SignatureDefs(0) if model.SignatureDefsLength() else None
    outputs = [signature.Outputs(i) for i in range(signature.OutputsLength())] if signature else []
    return {output.Name().decode(): int(output.TensorIndex()) for output in outputs}


def _floats(model: Any, index: int, shape: tuple[int, ...], where: str) -> NDArray[np.uint8]:  # noqa: ANN401 - as above
    """The bytes of a constant float32 tensor, writable in place."""
    tensor = model.Subgraphs(0).Tensors(index)
    buffer = model.Buffers(tensor.Buffer())
    found = tuple(tensor.ShapeAsNumpy().tolist())
    if tensor.Type() != _FLOAT32 or found != shape or buffer.DataLength() != 4 * int(np.prod(shape)):
        raise BundleError(f"{where}: found type {tensor.Type()} {list(found)}, expected float32 {list(shape)}")
    data: NDArray[np.uint8] = buffer.DataAsNumpy()
    return data
