"""The reference in a bundle: written beside the rest, read back, and refused where it is missing or something else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.adaptation.reference import Reference, Windows, load_reference, reference_file
from model.bundle import FILES, REFERENCE, load_bundle, with_reference
from monitord.errors import BundleError
from tests.support.models.model_bundles import make_dead_bundle
from tests.support.models.taught_sounds import reference


def test_it_is_added_and_all_else_stays(tmp_path: Path) -> None:
    """Every other file bit for bit, another id, and the numbers as they were in float16."""
    bundle = make_dead_bundle(tmp_path / "b")
    before = {name: (bundle.directory / name).read_bytes() for name in FILES}
    added = with_reference(bundle, reference_file(reference()))
    assert {name: (bundle.directory / name).read_bytes() for name in FILES} == before
    assert added == load_bundle(bundle.directory)
    assert added.id != bundle.id
    assert replace(added.manifest, files=bundle.manifest.files) == bundle.manifest
    read, written = load_reference(added), reference()
    for kind in ("cries", "others"):
        np.testing.assert_array_equal(getattr(read, kind).embedding, getattr(written, kind).embedding)
        np.testing.assert_array_equal(getattr(read, kind).log_odds, getattr(written, kind).log_odds)


def test_a_second_one_takes_its_place(tmp_path: Path) -> None:
    """Nobody has to take the first one out."""
    bundle = with_reference(make_dead_bundle(tmp_path / "b"), reference_file(reference()))
    again = with_reference(bundle, reference_file(reference(seed=7)))
    np.testing.assert_array_equal(load_reference(again).cries.log_odds, reference(seed=7).cries.log_odds)


def test_a_bundle_without_one_says_so(tmp_path: Path) -> None:
    """And how to get one."""
    with pytest.raises(BundleError, match=r"cannot adapt to a home: it has no reference\.npz"):
        load_reference(make_dead_bundle(tmp_path / "b"))


def test_numbers_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """As many log-odds as embeddings, and both finite."""
    good = reference()
    short = Reference(Windows(good.cries.embedding[:-1], good.cries.log_odds), good.others)
    bundle = with_reference(make_dead_bundle(tmp_path / "b"), reference_file(short))
    with pytest.raises(BundleError, match="cries have 799 embeddings and 800 log-odds"):
        load_reference(bundle)
    other = make_dead_bundle(tmp_path / "c")
    with pytest.raises(BundleError, match=r"reference\.npz: no readable"):
        load_reference(with_reference(other, b"nothing"))


def test_a_damaged_reference_is_found_when_the_bundle_is_loaded(tmp_path: Path) -> None:
    """Its hash stands in the manifest like every other file's."""
    bundle = with_reference(make_dead_bundle(tmp_path / "b"), reference_file(reference()))
    raw = bytearray((bundle.directory / REFERENCE).read_bytes())
    raw[100] ^= 1
    (bundle.directory / REFERENCE).write_bytes(raw)
    with pytest.raises(BundleError, match=r"reference\.npz: found SHA-256"):
        load_bundle(bundle.directory)
