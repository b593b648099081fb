"""Any bytes as a model: a bundle that is what its manifest says, or a `BundleError`, and no code is ever run."""

import ast
import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.bundle import FILES, MANIFEST, WEIGHTS, load_bundle
from model.manifest import parse_manifest
from model.npz import read_npz
from model.published.torch_file import read_torch
from monitord.errors import BundleError
from tests.support.models.model_bundles import make_dead_bundle, weights
from tests.support.models.torch_files import write_torch
from tests.support.paths import ROOT

EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6), st.integers(0, 6)), max_size=6)
"""Where (share of the whole), what comes in, how many bytes go out."""

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, 1e308, -1.0, 0, "", "../../x", "\ud800", [[]], {}, {"": None}]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=5),
)


def edited(content: bytes, edits: list[tuple[float, bytes, int]]) -> bytes:
    """Replaces, inserts and removes bytes."""
    for share, extra, gone in edits:
        at = int(share * len(content))
        content = content[:at] + extra + content[at + gone :]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle in `tiny`, and room beside it."""
    folder = tmp_path_factory.mktemp("fuzz")
    make_dead_bundle(folder / "tiny")
    write_torch(folder / "zip.pth", SMALL, legacy=False)
    write_torch(folder / "legacy.pth", SMALL, legacy=True)
    return folder


SMALL = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "a.bias": np.ones(4, np.float32)}


def refusal(read: Callable[[], object]) -> str | None:
    """Reads; returns the words of the refusal, None where there is none. Any other exception fails the test."""
    try:
        read()
    except BundleError as error:
        return str(error)
    return None


def _same(found: object, expected: object) -> None:
    assert found == expected


def refused_or_the_same(folder: Path, name: str, content: bytes) -> None:
    """Loads the bundle with another content of one file, then puts it back."""
    path = folder / "tiny" / name
    before = path.read_bytes()
    path.write_bytes(content)
    said = refusal(lambda: load_bundle(folder / "tiny").weights())
    path.write_bytes(before)
    if name != MANIFEST:
        assert (said is None) == (content == before)


@given(name=st.sampled_from([*FILES, MANIFEST]), edits=EDITS)
def test_any_damage_to_any_file(folder: Path, name: str, edits: list[tuple[float, bytes, int]]) -> None:
    """Flipped, cut and grown files are told by their hash, a manifest by what it says."""
    refused_or_the_same(folder, name, edited((folder / "tiny" / name).read_bytes(), edits))


@settings(max_examples=300)
@given(data=st.data(), junk=JUNK)
def test_any_value_anywhere_in_the_manifest(folder: Path, data: st.DataObject, junk: object) -> None:
    """Every value of the manifest may be anything, its keys may be missing, doubled or strange."""
    content: Any = json.loads((folder / "tiny" / MANIFEST).read_text())
    place, key = content, data.draw(st.sampled_from(sorted(content)))
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)))
    match data.draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            place[key] = junk
        case "remove":
            del place[key]
        case "add":
            place[f"{key}{data.draw(st.text(max_size=3))}"] = junk
    said = refusal(lambda: parse_manifest(json.dumps(content), "here"))
    assert said is None or said.startswith("here")


@given(text=st.text(alphabet='{}[]",:0123456789.eE+-\\untrfalse \n', max_size=60))
def test_any_text_as_a_manifest(text: str) -> None:
    """What is no JSON, or no manifest, is refused."""
    with pytest.raises(BundleError, match=r"^here"):
        parse_manifest(text, "here")


@settings(max_examples=200)
@given(edits=EDITS)
def test_any_damage_to_arrays(folder: Path, edits: list[tuple[float, bytes, int]]) -> None:
    """Without any hash: a damaged zip of arrays is refused, or gives arrays of the shapes that were asked for."""
    shapes = {"a": (3, 4), "b": (7,)}
    whole = io.BytesIO()
    np.savez_compressed(whole, a=np.ones((3, 4), np.float32), b=np.zeros(7, np.float16))
    path = folder / "x.npz"
    path.write_bytes(edited(whole.getvalue(), edits))
    said = refusal(lambda: _same({name: array.shape for name, array in read_npz(path, shapes).items()}, shapes))
    assert said is None or str(path) in said


@settings(max_examples=200)
@given(layout=st.sampled_from(["zip", "legacy"]), edits=EDITS)
def test_any_damage_to_a_torch_file(folder: Path, layout: str, edits: list[tuple[float, bytes, int]]) -> None:
    """A damaged state dict is refused, or holds float32."""
    path = folder / "x.pth"
    path.write_bytes(edited((folder / f"{layout}.pth").read_bytes(), edits))
    said = refusal(lambda: _same({array.dtype.name for array in read_torch(path).values()} - {"float32"}, set()))
    assert said is None or str(path) in said


OPCODES = st.lists(
    st.sampled_from([bytes([code]) for code in range(0x28, 0x98)]) | st.binary(min_size=1, max_size=5), max_size=25
).map(b"".join)


@settings(max_examples=300)
@given(opcodes=OPCODES)
@example(opcodes=b"i\\\x00\n\n")  # an escape that Python warns of
def test_any_pickle_in_a_torch_file(folder: Path, opcodes: bytes) -> None:
    """Any program of a pickle ends as a refusal: it can name nothing that does anything."""
    path = folder / "y.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + opcodes + b".")
    said = refusal(lambda: _same(read_torch(path), {}))
    assert said is None or str(path) in said


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["npz", "pth"])
def test_code_in_a_file_is_never_run(tmp_path: Path, kind: str) -> None:
    """A pickle that would write a file, where weights belong: refused, and the file is not there."""
    evil = _Evil(tmp_path / "was-here")
    path = tmp_path / f"weights.{kind}"
    with zipfile.ZipFile(path, "w") as archive:
        if kind == "pth":
            archive.writestr("archive/data.pkl", pickle.dumps(evil, protocol=2))
        else:
            header = np.lib.format.magic(1, 0) + (118).to_bytes(2, "little")
            text = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
            archive.writestr("a.npy", header + text + pickle.dumps(np.array([evil], object), protocol=2))
    with pytest.raises(BundleError):
        read_torch(path) if kind == "pth" else read_npz(path, {"a": (1,)})
    assert not evil.path.exists()


def test_a_view_larger_than_its_storage_is_refused(tmp_path: Path) -> None:
    """A tensor of a step of zero would be petabytes, made of one value."""
    path = tmp_path / "x.pth"
    write_torch(path, {"a": np.ones(1, np.float32)}, legacy=True)
    content = path.read_bytes()
    assert b"K\x01\x85" in content  # the size (1,), then the step (1,)
    at = content.index(b"K\x01\x85")
    size = b"(" + b"J" + (10**6).to_bytes(4, "little") + b"J" + (10**6).to_bytes(4, "little") + b"t"
    after = content[at + 3 :]
    step = after.index(b"K\x01\x85")
    path.write_bytes(content[:at] + size + after[:step] + b"K\x00K\x00\x86" + after[step + 3 :])
    with pytest.raises(BundleError, match="no state dict"):
        read_torch(path)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "sub/model.tflite", "model.tflite\0", ""])
def test_a_path_never_leaves_the_bundle(tmp_path: Path, name: str) -> None:
    """Only the three names that a bundle has are read, whatever its manifest lists."""
    bundle = make_dead_bundle(tmp_path / "b").directory
    content = json.loads((bundle / MANIFEST).read_text())
    record = content["files"].pop("model.tflite")
    content["files"][name] = record
    (bundle / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BundleError, match=r"manifest\.json\.files: found"):
        load_bundle(bundle)


def test_hostile_weights_with_the_right_hash(tmp_path: Path) -> None:
    """Somebody who writes the manifest, too, gets no further: names, shapes and kinds are the network's."""
    bundle = make_dead_bundle(tmp_path / "b").directory
    np.savez(bundle / WEIGHTS, **{name: array[..., :0] for name, array in weights().items()})  # type: ignore[arg-type]
    raw = (bundle / WEIGHTS).read_bytes()
    content = json.loads((bundle / MANIFEST).read_text())
    content["files"][WEIGHTS] = {"sha256": hashlib.sha256(raw).hexdigest(), "size_bytes": len(raw)}
    (bundle / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BundleError, match="expected float"):
        load_bundle(bundle).weights()


FORBIDDEN = {
    "pickle": {"model/published/torch_file.py"},  # knows four names, and refuses all others
    "cPickle": set(), "dill": set(), "cloudpickle": set(), "joblib": set(), "shelve": set(), "marshal": set(),
    "jsonpickle": set(), "torch": set(), "code": set(),
}  # fmt: skip
"""Modules that make code of data: where they may be imported."""


def test_no_data_becomes_code() -> None:
    """Nothing in the daemon's floors unpickles, evaluates, or lets NumPy, YAML or a shell do so."""
    found = []
    for package in ("monitord", "model", "service"):
        for path in sorted((ROOT / package).rglob("*.py")):
            where = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Import(names):
                        used = [alias.name.split(".")[0] for alias in names]
                    case ast.ImportFrom(module=str(module)):
                        used = [module.split(".")[0]]
                    case ast.Call(func=ast.Name(id=("eval" | "exec" | "__import__") as name)):
                        used = [name]
                    case ast.keyword(arg=("allow_pickle" | "shell") as name, value=ast.Constant(True)):
                        used = [name]
                    case ast.Attribute(attr=("unsafe_load" | "full_load" | "UnsafeLoader" | "FullLoader") as name):
                        used = [name]
                    case ast.Attribute(value=ast.Name(id="os"), attr=("system" | "popen") as name):
                        used = [name]
                    case _:
                        used = []
                allowed = {name for name, places in FORBIDDEN.items() if where in places}
                strange = {*FORBIDDEN, "eval", "exec", "__import__", "allow_pickle", "shell", "unsafe_load"}
                strange |= {"full_load", "UnsafeLoader", "FullLoader", "system", "popen"}
                found += [f"{where}: {name}" for name in used if name in strange - allowed]
    assert found == []


def test_a_torch_file_that_asks_for_a_place_far_away(folder: Path) -> None:
    """An object put in place 2^30 would make the unpickler fill 16 GB: the file is refused before."""
    path = folder / "far.pth"
    path.write_bytes(b"\x80\x02K\x01r" + (2**30).to_bytes(4, "little") + b".")
    with pytest.raises(BundleError, match="place 1073741824"):
        read_torch(path)
