"""Distress judged and shipped, from end to end, on made-up babies: what tells is found, and nothing else is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.bundle import CARD, TFLITE, WEIGHTS, load_bundle
from monitord.errors import ConfigError
from monitord.types import Pcm
from tests.support.sound.sounds import noise, synthetic_cry, write_wav
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared
from training.evaluate import distress, window_auc
from training.evaluate.distress import fit_and_judge, markdown
from training.recipes.distress_bundle import knows_distress, with_distress
from training.sound.random_channel import ROOMS

BABIES = 6


def cry(seed: int, *, rough: bool) -> Pcm:
    """Two seconds of a made-up cry; a rough one trembles eight times a second."""
    sound = synthetic_cry(seed=seed)[:32_000].astype(np.float64)
    trembling = 1.0 + (0.9 * np.sin(2 * np.pi * 8.0 * np.arange(len(sound)) / 16_000) if rough else 0.0)
    return np.asarray(np.rint(0.5 * sound * trembling), np.int16)


def babies(folder: Path, *, told: bool, number: int = BABIES) -> Prepared:
    """Two baths and two vaccinations of each baby; whether these are the rough ones, or chance says which are."""
    rough = np.random.default_rng(3).permutation(4 * number) % 2 == 1
    takes = [
        Take(
            f"{baby}_{context}{take}",
            cry(10 * baby + take, rough=(context == "pain") if told else bool(rough[4 * baby + 2 * take + i])),
            is_cry=True,
            kind=f"corvin:{context}",
            group=f"baby{baby}",
        )
        for baby in range(number)
        for i, context in enumerate(("discomfort", "pain"))
        for take in range(2)
    ]
    hum = [Take(f"rain{held}", noise(2.0, seed=held), is_cry=False, kind="rain", held_out=held == 1) for held in (0, 1)]
    (folder / "rooms").mkdir(parents=True)
    for name in ("hall", "kitchen"):
        write_wav(folder / "rooms" / f"{name}.flac", np.array([16_000, *[0] * 100, 2_000], np.int16))
    return prepared_from(folder, takes + hum)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_auc, "RESAMPLES", 20)
    monkeypatch.setattr(distress, "TAKES", 1)
    monkeypatch.setattr(distress, "SHUFFLES", 2)
    monkeypatch.setattr(distress, "LEARNT", (ROOMS,))


def test_rough_cries_are_told_apart_on_babies_left_out_and_shipped(tmp_path: Path) -> None:
    """The area is large, chance and loudness are not, levels say nothing; the bundle changes in its papers alone."""
    prepared = babies(tmp_path / "prepared", told=True)
    assert knows_distress(prepared)
    old = load_bundle()
    new = with_distress(prepared, old, tmp_path / "bundle")
    figures = new.manifest.metrics["grouped"]["distress"]  # type: ignore[index, call-overload]  # JSON values
    assert (figures["babies"], figures["hard"], figures["mild"]) == (BABIES, 2 * BABIES, 2 * BABIES)
    assert figures["rows"][0]["auc"] > 0.95
    assert all(row["auc"] > 0.8 for row in figures["rows"][:2])
    assert figures["levels"]["largest_change"] < 0.05
    assert [line.count("|") for line in markdown(figures).splitlines()[2:7]] == [7] * 5
    for name in (TFLITE, WEIGHTS):
        assert new.manifest.files[name] == old.manifest.files[name]
    assert new.manifest.distress is not None
    unchanged = {"distress": None, "rests_on": {}, "metrics": {}, "data": (), "files": {}}
    assert replace(new.manifest, **unchanged) == replace(old.manifest, **unchanged)
    assert {one.name for one in new.manifest.data} == {one.name for one in old.manifest.data} | {"corvin"}
    assert "## How hard it cries" in (new.directory / CARD).read_text(encoding="utf-8")


def test_where_nothing_tells_nothing_is_found(tmp_path: Path) -> None:
    """Contexts given by chance stay at chance on babies left out."""
    figures = fit_and_judge(babies(tmp_path, told=False), load_bundle()).figures
    assert 0.1 < figures["rows"][0]["auc"] < 0.8


def test_too_few_babies_are_refused(tmp_path: Path) -> None:
    """By what is missing."""
    prepared = babies(tmp_path, told=True, number=3)
    with pytest.raises(
        ConfigError, match="3 babies were recorded both in the bath and vaccinated, expected at least 5"
    ):
        fit_and_judge(prepared, load_bundle())
