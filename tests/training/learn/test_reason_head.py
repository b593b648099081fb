"""The head for the reasons: what is learnt and by what weight, and the head as a layer of the network."""

import numpy as np
import pytest

from tests.support.training.reason_embeddings import WIDTH, even, everything, labelled
from training.learn.reason_head import Labelled, as_layer, fit_head


def test_every_reason_and_every_recording_weighs_the_same() -> None:
    """Twice as many windows of a recording, or ten times as many recordings of a reason, move nothing by themselves.

    Without evidence the fit says each reason equally often: the corpus' frequencies are not a family's.
    """
    reason = [0] * 30 + [1] * 3 + [2] * 3 + [3] * 3
    of = np.concatenate([np.repeat(np.arange(39), 1), np.zeros(50, np.int64)])  # the first has 51 windows
    nothing = np.random.default_rng(1).standard_normal((len(of), 2)).astype(np.float32) * 1e-3
    data = Labelled(nothing, of, np.array(reason), np.arange(39))
    model = fit_head(data, data.reason, everything(data))
    mean = model[-1].intercept_
    odds = np.exp(mean) / np.exp(mean).sum()
    np.testing.assert_allclose(odds, 0.25, atol=0.02)


def test_only_chosen_recordings_are_learnt_from() -> None:
    """A recording that was not chosen may say what it likes."""
    data = even()
    chosen = everything(data)
    chosen[::5] = False
    lies = data.embeddings.copy()
    lies[np.isin(data.recording, np.flatnonzero(~chosen))] = 100.0
    liar = Labelled(lies, data.recording, data.reason, data.group)
    honest, misled = (fit_head(one, data.reason, chosen) for one in (data, liar))
    np.testing.assert_array_equal(honest[-1].coef_, misled[-1].coef_)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_the_head_as_a_layer_of_the_network(classes: int) -> None:
    """Scaler and regression folded into one kernel and bias give the very probabilities, for two reasons too."""
    data = labelled([i % classes for i in range(40)], list(range(40)), noise=0.5)
    model = fit_head(data, data.reason, everything(data))
    kernel, bias = as_layer(model)
    assert kernel.shape == (WIDTH, 4)
    assert bias.shape == (4,)
    logits = data.embeddings @ kernel + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))[:, :classes]
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), model.predict_proba(data.embeddings), atol=1e-5)


def test_a_reason_without_recordings_is_never_said() -> None:
    """Its logit stands far under the others, so that four reasons come out all the same."""
    data = labelled([0, 1, 3] * 8, list(range(24)))
    kernel, bias = as_layer(fit_head(data, data.reason, everything(data)))
    assert not kernel[:, 2].any()
    logits = data.embeddings @ kernel + bias
    assert (logits.argmax(axis=1) == data.reason[data.recording]).all()
    assert (logits[:, 2] < logits.max(axis=1) - 9).all()
