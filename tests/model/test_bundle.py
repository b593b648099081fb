"""Bundles: written whole, verified before use, refused with a reason."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import FILES, MANIFEST, WEIGHTS, default_bundle_path, load_bundle, write_bundle
from model.calibration import Calibration
from model.classifier import Classifier
from model.forward import Outputs
from model.manifest import frontend_proof
from model.strict_json import dump_json, from_json, load_json
from monitord.errors import BundleError
from monitord.listening.listener import ListenerParams
from monitord.listening.windows import WindowParams
from monitord.tracker import TrackerParams
from tests.support.models.model_bundles import CARD, make_dead_bundle, manifest, weights


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A whole bundle."""
    return make_dead_bundle(tmp_path / "tiny").directory


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the manifest in place."""
    path = bundle / MANIFEST
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_round_trip(tmp_path: Path) -> None:
    """Pins that every parameter comes back as it went in, and the weights within float16."""
    listener = ListenerParams(windows=WindowParams(hop_frames=7))
    calibration = Calibration(1.5, -0.25, 0.7, (0.1, 0.2, 0.3, -0.6))
    tracker = TrackerParams(on_p=0.625)
    written = make_dead_bundle(tmp_path / "new" / "tiny", listener=listener, calibration=calibration, tracker=tracker)
    read = load_bundle(tmp_path / "new" / "tiny")
    assert read == written
    assert (read.manifest.listener, read.manifest.calibration, read.manifest.tracker) == (
        listener,
        calibration,
        tracker,
    )
    assert set(read.manifest.files) == set(FILES)
    assert (read.directory / "MODEL_CARD.md").read_text() == CARD
    for name, array in read.weights().items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, weights()[name], rtol=2**-11, atol=2**-25)  # float16: 11 bits, then subnormal


def test_exact_weights_are_exact(tmp_path: Path) -> None:
    """Pins that a base for training keeps float32 to the last bit."""
    bundle = write_bundle(tmp_path / "b", manifest(), tflite=b"", weights=weights(), card=CARD, exact=True)
    for name, array in bundle.weights().items():
        np.testing.assert_array_equal(array, weights()[name])


def test_id_follows_every_byte(tmp_path: Path) -> None:
    """Pins that the short hash is the same for the same bundle anywhere and another for any change."""
    first, same = make_dead_bundle(tmp_path / "a"), make_dead_bundle(tmp_path / "b")
    other = make_dead_bundle(tmp_path / "c", calibration=Calibration(cry_bias=1e-6))
    assert first.id == same.id != other.id
    assert len(first.id) == 12


def test_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Pins that a refused bundle leaves the old one standing and nothing half-written beside it."""
    old = make_dead_bundle(tmp_path / "tiny")
    broken = dict(weights()) | {"fc2/bias": np.zeros(7, np.float32)}
    with pytest.raises(BundleError, match=r"fc2/bias is float16 \[7\], expected float \[128\]"):
        write_bundle(tmp_path / "tiny", manifest(), tflite=b"", weights=broken, card=CARD)
    assert load_bundle(tmp_path / "tiny") == old
    new = make_dead_bundle(tmp_path / "tiny", name="newer")
    assert load_bundle(tmp_path / "tiny") == new
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize("name", FILES)
def test_damaged_or_missing_file_is_refused(bundle: Path, name: str) -> None:
    """Pins that a flipped bit, a cut and a missing file are each named."""
    path = bundle / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleError, match=f"{name}: found SHA-256 .* damaged or changed"):
        load_bundle(bundle)
    path.write_bytes(content[:-1])
    with pytest.raises(BundleError, match=f"{name}: found {len(content) - 1} bytes, the manifest says {len(content)}"):
        load_bundle(bundle)
    path.unlink()
    with pytest.raises(BundleError, match=f"{name}: cannot be read: No such file"):
        load_bundle(bundle)


def test_no_bundle_is_refused(tmp_path: Path) -> None:
    """Pins the errors for a path that holds nothing, something else, or no text."""
    with pytest.raises(BundleError, match=r"no bundle: cannot read manifest.json: No such file"):
        load_bundle(tmp_path)
    (tmp_path / MANIFEST).write_bytes(b"\xff\xfe")
    with pytest.raises(BundleError, match="no text in UTF-8"):
        load_bundle(tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match="no JSON"):
        load_bundle(tmp_path)
    (tmp_path / MANIFEST).write_text(" " * 1_000_001)
    with pytest.raises(BundleError, match="no manifest"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.update(format_version=3), "found format_version 3, this version of monitord reads 1 to 2"),
        (lambda m: m.update(format_version=True), "found format_version True"),
        (lambda m: m.pop("format_version"), "found format_version None"),
        (lambda m: m.update(colour="blue"), "unknown key colour; this version of monitord expects"),
        (lambda m: m["listener"]["windows"].update(hop_ms=3), r"listener.windows: unknown key hop_ms"),
        (lambda m: m["listener"]["gate"].pop("margin_db"), r"listener.gate: missing key margin_db"),
        (lambda m: m["input"].update(frames="3"), r"json\.input\.frames: Input should be a valid integer, found '3'"),
        (lambda m: m["input"].update(frames=True), r"json\.input\.frames: Input should be a valid integer, found True"),
        (lambda m: m["tracker"].update(on="9"), r"json\.tracker\.on: Input should be a valid number, found '9'"),
        (lambda m: m["tracker"].update(on_p=True), r"json\.tracker\.on_p: Input should be a valid number, found True"),
        (
            lambda m: m["tracker"].update(on_p=2**53),
            r"json\.tracker\.on_p: found 9007199254740992, expected .* 2\*\*53",
        ),
        (lambda m: m["tracker"].update(on_p=10**400), r"json\.tracker\.on_p: found 1000.*, expected .* 2\*\*53"),
        (lambda m: m["calibration"].update(cry_scale=-1), r"json\.calibration: .*cry_scale is -1.0, expected above 0"),
        (lambda m: m["calibration"].update(reason_bias=[0, 0]), r"reason_bias\[2\]: Field required, found \[0, 0\]"),
        (lambda m: m["calibration"].update(reason_bias=[0] * 5), r"reason_bias: .* at most 4 items .*, not 5"),
        (lambda m: m.update(heads="dreamt"), r"json\.heads: Input should be 'trained' or 'untrained', found 'dreamt'"),
        (lambda m: m.update(labels=["a", "b", "c", "d"]), "found labels"),
        (lambda m: m["input"].update(rate_hz=8000), "made for Input"),
        (lambda m: m.update(metrics={"random": {}}), "expected both protocols"),
        (lambda m: m["rests_on"].pop("tracker.on_p"), "must say what"),
        (lambda m: m["frontend"].update(pre_emphasis=0.95), "hears otherwise"),
        (lambda m: m.update(frontend_proof=[1.0]), "hears otherwise"),
        (lambda m: m["files"].pop(WEIGHTS), r"files: found .*expected"),
        (lambda m: m["files"].update({"../../etc/passwd": m["files"][WEIGHTS]}), r"files: found .*expected"),
        (
            lambda m: m["files"].update({WEIGHTS: "x"}),
            r"json\.files\.weights\.npz: Input should be an object, found 'x'",
        ),
        (lambda m: m["files"][WEIGHTS].pop("sha256"), r"json\.files\.weights\.npz\.sha256: Field required"),
        (
            lambda m: m["data"][0].update(colour="blue"),
            r"json\.data\[0\]: unknown key colour; .* expects name, licence",
        ),
        (lambda m: m.pop("input"), r"json: missing key input; this version of monitord expects"),
    ],
)
def test_foreign_manifest_is_refused(bundle: Path, change: Callable[[dict[str, Any]], object], says: str) -> None:
    """Pins that each key that is unknown, missing, of the wrong kind or of another version is named."""
    edit(bundle, change)
    with pytest.raises(BundleError, match=says):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "key 'a' stands twice"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": -Infinity}', "-Infinity is no JSON number"),
        ('{"a": 1e999}', "no JSON"),
        ("[]", "format_version None"),
        ("[" * 100_000, "no JSON"),
        ('{"a": "\\ud800"}', "no JSON"),
    ],
)
def test_lax_json_is_refused(bundle: Path, text: str, says: str) -> None:
    """Pins what Python's JSON reader would let pass."""
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=says):
        load_bundle(bundle)


def test_link_out_of_the_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Pins that a file of the bundle lies in the bundle, whatever its hash says."""
    shutil.move(bundle / WEIGHTS, tmp_path / "elsewhere.npz")
    (bundle / WEIGHTS).symlink_to(tmp_path / "elsewhere.npz")
    with pytest.raises(BundleError, match="leads out of the bundle"):
        load_bundle(bundle)


def test_pickled_weights_are_never_run(bundle: Path) -> None:
    """Pins that an array of objects is refused even where all hashes are right."""
    arrays: dict[str, Any] = dict(weights()) | {"fc2/bias": np.array([print], dtype=object)}
    np.savez(bundle / WEIGHTS, allow_pickle=True, **arrays)
    content = (bundle / WEIGHTS).read_bytes()
    record = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    edit(bundle, lambda m: m["files"].update({WEIGHTS: record}))
    with pytest.raises(BundleError, match=r"fc2/bias is \|O \[1\], expected float"):
        load_bundle(bundle).weights()


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
def test_pipes_and_devices_are_no_files(bundle: Path, name: str) -> None:
    """Pins that what would be read for ever is not read at all."""
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError, match=f"{name}: no regular file"):
        load_bundle(bundle)
    (bundle / name).unlink()
    (bundle / name).symlink_to("/dev/zero")
    with pytest.raises(BundleError, match=f"{name}: (no regular file|leads out)"):
        load_bundle(bundle)


def test_a_file_larger_than_any_disk_is_refused_by_its_size(bundle: Path) -> None:
    """Pins that a file of holes is not read to find that out."""
    with (bundle / WEIGHTS).open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(BundleError, match=f"found {2**40} bytes, the manifest says"):
        load_bundle(bundle)


def replaced(bundle: Path, write: Callable[[Path], object]) -> Path:
    """Writes other weights and a manifest that knows their hash: what a hostile bundle is like."""
    write(bundle / WEIGHTS)
    content = (bundle / WEIGHTS).read_bytes()
    record = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    edit(bundle, lambda m: m["files"].update({WEIGHTS: record}))
    return bundle


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 100000), }\n", "expected float"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 1, 8), }\n", "not as many values"),
        (b"{'descr': '|O', 'fortran_order': False, 'shape': (128,), }\n", "expected float"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': " + b"(" * 10_000 + b"\n", "header"),
        (b"__import__('os').system('true')\n", "header"),
    ],
)
def test_an_array_that_lies_is_not_believed(bundle: Path, header: bytes, says: str) -> None:
    """Pins that neither memory is made nor Python read for what a header asks."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in weights():
                length = len(header).to_bytes(2, "little")
                archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + length + header + bytes(10_000_000))

    with pytest.raises(BundleError, match=says):
        load_bundle(replaced(bundle, write)).weights()


def test_untrained_bundle_is_no_ear(tmp_path: Path) -> None:
    """Pins that a base for training loads but is refused as a classifier, saying what to do."""

    class NoRuntime:
        name = "none"
        fault = ""

        def forward(self, patches: Any) -> Outputs:
            raise AssertionError(patches)

    bundle = make_dead_bundle(tmp_path / "base", heads="untrained", rests_on={})
    with pytest.raises(BundleError, match="untrained heads: it is a base for training"):
        Classifier(load_bundle(bundle.directory), NoRuntime())


def test_manifest_survives_json() -> None:
    """Pins that what is written is what is read, for every field, by reflection over the dataclasses."""
    original = manifest(frontend_proof=frontend_proof(manifest().frontend))
    assert from_json(type(original), load_json(dump_json(original), "here"), "here") == original


def test_default_bundle_is_whole_and_small() -> None:
    """Pins that the bundle in the repository verifies, is trained and takes at most 12 MB."""
    path = default_bundle_path()
    if not path.exists():
        pytest.skip(f"{path} is not made yet")
    bundle = load_bundle(path).require_trained()
    bundle.weights()
    assert sum(file.stat().st_size for file in path.iterdir()) <= 12_000_000


def test_a_bundle_of_the_version_before_is_read(tmp_path: Path) -> None:
    """Its threshold, hold and bound of `unsure` are kept, votes become evidence; what is no such is refused."""
    bundle = make_dead_bundle(tmp_path / "tiny")
    path = bundle.directory / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest.pop("distress") is None
    votes = {"on_p": 0.7, "off_p": 0.4, "n": 6, "m": 7, "span_s": 4.0, "hold_s": 12.0, "unsure_below": 0.9}
    path.write_text(json.dumps(manifest | {"format_version": 1, "tracker": votes}))
    read = load_bundle(bundle.directory).manifest
    assert read.distress is None
    tracker = read.tracker
    assert (tracker.on_p, tracker.hold_s, tracker.unsure_below) == (0.7, 12.0, 0.9)
    assert 0.0 < tracker.off < tracker.on
    path.write_text(json.dumps(manifest | {"format_version": 1, "tracker": votes | {"quorum": 3}}))
    with pytest.raises(BundleError, match=r"tracker: .*unknown key"):
        load_bundle(bundle.directory)
    path.write_text(json.dumps(manifest | {"format_version": 1, "tracker": votes, "distress": None}))
    with pytest.raises(BundleError, match=r"tracker: .*unknown key"):
        load_bundle(bundle.directory)
