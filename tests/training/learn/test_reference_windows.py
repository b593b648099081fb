"""What a bundle carries to check corrections against: cries of all families, other sound that was held out, evenly."""

import numpy as np
import pytest

from model.bundle import Bundle
from monitord.errors import ConfigError
from tests.support.models.model_bundles import make_bundle
from tests.support.sound.sounds import noise, synthetic_cry, tone
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared
from training.learn import reference_windows
from training.learn.reference_windows import make_reference

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, in NumPy 2


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "b")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    takes = [
        Take("seen", synthetic_cry(seed=1)[:48_000], is_cry=True, p_cry=0.9),
        Take("stranger", synthetic_cry(seed=2)[:48_000], is_cry=True, p_cry=0.9, held_out=True),
        Take("hum", tone(230, 3.0), is_cry=False, kind="hum", held_out=True),
        Take("rain", noise(3.0, rms_dbfs=-25), is_cry=False, kind="rain", held_out=True),
        Take("known rain", noise(3.0, rms_dbfs=-25, seed=2), is_cry=False, kind="rain"),
    ]
    return prepared_from(tmp_path_factory.mktemp("prepared"), takes)


def test_it_is_drawn_evenly(prepared: Prepared, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each family and each kind the same number, as the bundle hears them; the same each time."""
    monkeypatch.setattr(reference_windows, "EACH_FAMILY", 4)
    monkeypatch.setattr(reference_windows, "EACH_KIND", 3)
    one, two = make_reference(prepared, bundle), make_reference(prepared, bundle)
    assert (len(one.cries), len(one.others)) == (2 * 4, 2 * 3)
    np.testing.assert_array_equal(one.cries.embedding, two.cries.embedding)
    assert one.cries.embedding.shape == (8, 128)
    assert np.isfinite(one.others.log_odds).all()


def test_strangers_can_be_left_out(prepared: Prepared, bundle: Bundle) -> None:
    """Whoever is judged by must not be in it."""
    whole, part = (
        make_reference(prepared, bundle, belongs) for belongs in (lambda _: True, lambda name: name != "home:stranger")
    )
    assert 0 < len(part.cries) < len(whole.cries)


def test_nothing_to_check_against(prepared: Prepared, bundle: Bundle) -> None:
    """Is said, with what is missing."""
    with pytest.raises(ConfigError, match="needs cries among what is prepared"):
        make_reference(prepared, bundle, lambda name: name == "home:rain")
    with pytest.raises(ConfigError, match="needs other sound among what is prepared"):
        make_reference(prepared, bundle, lambda name: name == "home:seen")
