"""Precision in training: bfloat16 only where the processor has it, and never in what is learnt or given out."""

from pathlib import Path

import keras
import pytest

from model.vggish import COMPACT, build_classifier
from training.learn import precision
from training.learn.precision import fastest, multiplies_bfloat16


def test_the_processor_says_what_it_can(tmp_path: Path) -> None:
    """By its flags, whole words; no where there is no such file."""
    info = tmp_path / "cpuinfo"
    assert not multiplies_bfloat16(info)
    info.write_text("flags\t\t: fpu avx512f avx512_vnni\n")
    assert not multiplies_bfloat16(info)
    info.write_text("flags\t\t: fpu avx512_bf16 avx512f\n")
    assert multiplies_bfloat16(info)


@pytest.mark.parametrize("can", [True, False])
def test_weights_embedding_and_logits_stay_exact(monkeypatch: pytest.MonkeyPatch, *, can: bool) -> None:
    """Only what is computed between layers is short, and the next network is built as before."""
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: can)
    before = keras.config.dtype_policy().name
    with fastest():
        model = build_classifier(COMPACT)
    assert keras.config.dtype_policy().name == before
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert {str(output.dtype) for output in model.output.values()} == {"float32"}
    assert model.get_layer("conv1").compute_dtype == ("bfloat16" if can else "float32")
