"""Hard negatives: only other sound, only what is taken for a cry, only what may be learnt from."""

from pathlib import Path

import numpy as np
import pytest

from model.bundle import load_bundle
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from training.label.held_out import rows_for
from training.label.mining import MISTAKEN_FROM, mistaken
from training.label.window_scores import score_windows


def test_only_other_sound_that_is_taken_for_a_cry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores in place of the network's: of each recording the first half of the windows is over the bound."""

    def first_half(prepared: object, rows: np.ndarray, classifier: object) -> np.ndarray:
        assert score_windows.__name__ == "score_windows"
        assert prepared is made
        assert classifier is not None
        return np.where(np.arange(len(rows)) < len(rows) // 2, MISTAKEN_FROM, 0.19)

    takes = [
        Take("cry", synthetic_cry()[:24_000], is_cry=True, p_cry=0.9, kind="crying_baby"),
        Take("cat", tone(700, 1.5), is_cry=False, kind="cat"),
        Take("held", tone(900, 1.5), is_cry=False, kind="cat", held_out=True),
        Take("doubted", tone(800, 1.5), is_cry=False, p_cry=0.3, dataset="donateacry"),
        Take("rain", noise(1.5, rms_dbfs=-20), is_cry=False, kind="rain"),
    ]
    made = prepared_from(tmp_path, takes)
    monkeypatch.setattr("training.label.mining.score_windows", first_half)
    found = mistaken(made, rows_for(made, held_out=False), load_bundle())
    allowed = np.flatnonzero(np.isin(made.windows.recording, [1, 4]))
    assert found.tolist() == allowed[: len(allowed) // 2].tolist()
