"""How exactly the network's inside is computed while it is trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import keras

CPU_FLAGS: Final = frozenset({"amx_bf16", "avx512_bf16"})
"""What Linux calls processors that multiply bfloat16: half as fast again with AVX-512, twice as fast with AMX."""
CPU_INFO: Final = Path("/proc/cpuinfo")


def multiplies_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Says whether this machine's processor does so by itself; no where nothing tells."""
    try:
        return not CPU_FLAGS.isdisjoint(cpu_info.read_text(encoding="utf-8").split())
    except OSError:
        return False


@contextmanager
def fastest() -> Iterator[None]:
    """Builds networks that compute in bfloat16 where that is faster; weights, embedding and logits stay float32.

    TensorFlow only: other backends have their own ways.
    """
    before = keras.config.dtype_policy()
    if keras.config.backend() == "tensorflow" and multiplies_bfloat16():
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
