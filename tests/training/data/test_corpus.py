"""The corpus: what each row of the index files becomes, what is held out, and how wrong files are refused."""

from pathlib import Path

import pytest

from monitord.errors import ConfigError
from tests.support.paths import SHARED
from training.data.corpus import Recording, held_out_of_few, is_held_out, read_corpus

DATA = SHARED
NEEDS_DATA = pytest.mark.skipif(not DATA.is_dir(), reason="needs the recordings of ../shared/data")

DONATEACRY = """path,install,set,code,in_cleaned,mn04_cry,yamnet_cry
android/a.3gp,one,android,hu,1,0.4,0.3
android/b.3gp,one,android,bp,1,0.001,0.0
ios/c.caf,two,ios,lo,0,0.2,0.5
ios/d.caf,three,ios,ti,0,0.002,0.009
ios/e.caf,three,ios,dc,0,0.2,0.05
ios/f.caf,three,ios,dk,1,0.4,0.3
"""
ESC50 = "path,category,fold,freesound_id\n1-1-A-20.opus,crying_baby,1,1\n4-2-A-0.opus,dog,4,2\n"
SPEECH = "path,group,licence\nchild/x.opus,spk0001,free\n"
HOME = "path,group,licence\nblanket/rain.opus,rain,CC0\n"
CORVIN = "path,baby,context\nAMJ_D01.opus,AMJ,pain\n"
CATMEOWS = "path,cat,context\nB_ANI01.opus,ANI01,brushing\n"
EMOGATOR = "path,speaker,emotion\ny.opus,000002,Fear\nz.opus,000002,Awe\n"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Index files of every folder, with empty recordings beside them."""
    indexes = {"donateacry": DONATEACRY, "esc50": ESC50, "speech": SPEECH, "home": HOME}
    indexes |= {"corvin": CORVIN, "catmeows": CATMEOWS, "emogator": EMOGATOR}
    for folder, index in indexes.items():
        for line in index.splitlines()[1:]:
            recording = tmp_path / folder / line.split(",")[0]
            recording.parent.mkdir(parents=True, exist_ok=True)
            recording.touch()
        (tmp_path / folder / "index.csv").write_text(index)
    return tmp_path


def test_each_row_becomes_a_recording(data_dir: Path) -> None:
    """Cry, reason and kind follow the rules of the module, in the order of the files."""
    seen = [(r.path.stem, r.kind, r.group, r.is_cry, r.reason) for r in read_corpus(data_dir)]
    assert seen == [
        ("a", "phone:android", "one", True, "hunger"),
        ("b", "phone:android", "one", None, "discomfort"),  # chosen by the corpus, not heard by the teachers
        ("c", "phone:ios", "two", True, "boredom"),  # not chosen, both teachers sure
        ("d", "phone:ios", "three", False, None),
        ("e", "phone:ios", "three", None, None),  # the teachers disagree
        ("f", "phone:ios", "three", True, None),  # don't know is no reason
        ("1-1-A-20", "crying_baby", "1", True, None),
        ("4-2-A-0", "dog", "2", False, None),
        ("x", "speech:child", "spk0001", False, None),
        ("rain", "home:rain", "rain", False, None),
        ("AMJ_D01", "corvin:pain", "AMJ", True, None),  # no family told a reason
        ("B_ANI01", "catmeows:brushing", "ANI01", False, None),
        ("y", "emogator:distress", "000002", False, None),
        ("z", "emogator:calm", "000002", False, None),
    ]


def test_what_is_held_out_never_moves(data_dir: Path) -> None:
    """ESC-50 by its fold 4; the others by the first 8 bytes of a SHA-256, as sha256sum prints them."""
    assert [r.path.stem for r in read_corpus(data_dir) if r.dataset == "esc50" and r.held_out] == ["4-2-A-0"]
    assert 0x2EB8F3C78D7E3F97 % 5 == 3  # speech:spk0001
    assert not is_held_out("speech", "spk0001")
    assert 0x8A62374ED105495E % 5 == 0  # speech:spk0003
    assert is_held_out("speech", "spk0003")


def test_a_fifth_of_few_groups_is_held_out() -> None:
    """Those whose SHA-256 is lowest, in whatever order they come: of 14 cats three, none of them by chance."""
    cats = [f"CAT{number:02d}" for number in range(14)]
    chosen = held_out_of_few("catmeows", cats)
    assert len(chosen) == 3
    assert chosen == held_out_of_few("catmeows", [*reversed(cats), *cats])
    assert chosen != held_out_of_few("corvin", cats)
    assert held_out_of_few("corvin", ["AUP"]) == frozenset()


@NEEDS_DATA
def test_the_split_of_the_real_corpus() -> None:
    """No group on both sides, about a fifth of each held out, and cries with reasons on both sides."""
    corpus = read_corpus(DATA)
    assert len(corpus) == 915 + 1119 + 449 + 111 + 201 + 281 + 3430
    sides: dict[tuple[str, str], set[bool]] = {}
    for recording in corpus:
        sides.setdefault((recording.dataset, recording.group), set()).add(recording.held_out)
    assert all(len(side) == 1 for side in sides.values())

    def count(dataset: str, *, held_out: bool, is_cry: bool | None) -> int:
        return sum((r.dataset, r.held_out, r.is_cry) == (dataset, held_out, is_cry) for r in corpus)

    assert (count("donateacry", held_out=False, is_cry=True), count("donateacry", held_out=True, is_cry=True)) == (
        331,
        79,
    )
    assert (count("esc50", held_out=False, is_cry=True), count("esc50", held_out=True, is_cry=True)) == (24, 8)
    assert (count("speech", held_out=False, is_cry=False), count("speech", held_out=True, is_cry=False)) == (344, 105)
    assert (count("home", held_out=False, is_cry=False), count("home", held_out=True, is_cry=False)) == (98, 13)
    assert (count("corvin", held_out=False, is_cry=True), count("corvin", held_out=True, is_cry=True)) == (151, 50)
    assert (count("catmeows", held_out=False, is_cry=False), count("catmeows", held_out=True, is_cry=False)) == (
        207,
        74,
    )
    for held_out in (False, True):
        reasons = {r.reason for r in corpus if r.held_out == held_out and r.reason}
        assert reasons >= {"hunger", "tiredness", "discomfort"}


def _damage(data_dir: Path, old: str, new: str) -> Path:
    index = data_dir / "donateacry" / "index.csv"
    index.write_text(DONATEACRY.replace(old, new))
    return index


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mn04_cry", "mn05_cry", "index.csv:2: mn04_cry: found None"),
        ("0.4,0.3", "loud,0.3", "index.csv:2: mn04_cry: found 'loud', expected a number from 0 to 1"),
        ("android,bp", "android,zz", "index.csv:3: code: found 'zz', expected one of hu"),
        ("android/a.3gp", "android/gone.3gp", "index.csv:2: path: no such recording"),
    ],
)
def test_a_wrong_index_is_refused_by_file_line_and_column(data_dir: Path, old: str, new: str, expected: str) -> None:
    """The error says where to look and what belongs there."""
    _damage(data_dir, old, new)
    with pytest.raises(ConfigError, match=expected):
        read_corpus(data_dir)


def test_a_missing_index_is_refused_by_name(tmp_path: Path) -> None:
    """A wrong data directory is named."""
    with pytest.raises(ConfigError, match=r"donateacry.index\.csv: cannot read the index: No such file"):
        read_corpus(tmp_path)


def test_a_recording_is_a_value() -> None:
    """Frozen and hashable, so that it may be a key."""
    one = Recording(Path("a"), "home", "home:rain", "rain", is_cry=False, reason=None, held_out=False)
    assert hash(one) == hash(
        Recording(Path("a"), "home", "home:rain", "rain", is_cry=False, reason=None, held_out=False)
    )
