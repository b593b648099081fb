"""The peers on the same streams as ours: as people use them, and by every rule that is tried."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.training.halves import both_halves
from tests.support.training.prepared import prepared_from
from training.data.prepared import Prepared
from training.streams import mixing
from training.streams.comparison import streams_of
from training.streams.false_alarms import Heard
from training.streams.mixing import HALVES, StreamParams
from training.streams.peer_rules import rules
from training.streams.peers import as_used, hear_peers, try_rules


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """Streams of 20 s in place of an hour."""
    short = StreamParams(length_s=20.0, cry_every_s=(6.0, 8.0), cry_dbfs=(-20.0, -20.0), bed_dbfs=(-70.0, -60.0))
    monkeypatch.setattr(mixing, "StreamParams", partial(replace, short))
    return prepared_from(tmp_path, both_halves())


def test_without_teachers_the_peers_are_left_out(prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    """And that is said."""
    assert hear_peers(prepared.data / "teachers", {"a": [], "b": []}) == {}
    assert as_used({}) == []
    assert "teachers: no such folder, so YAMNet and mn04 are left out" in capsys.readouterr().err


def test_peers_hear_the_same_streams(prepared: Prepared, shared_data: Path) -> None:
    """YAMNet as people use it and mn04 by two rules, on both halves, with cries and without."""
    (prepared.data / "teachers").symlink_to(shared_data / "teachers")
    unheard = {half: [Heard(stream, (), ()) for stream in streams_of(prepared, half, 1)] for half in HALVES}
    heard = hear_peers(prepared.data / "teachers", unheard)
    systems = as_used(heard)
    assert [system.name for system in systems] == ["YAMNet", "mn04", "mn04"]
    assert len({system.rule for system in systems}) == 3
    assert [system.episodes.hours for system in systems] == pytest.approx([4 * 20 / 3600] * 3)
    assert len({len(system.episodes.found) for system in systems}) == 1
    assert systems[0].episodes.share_found > 0.5  # a synthetic cry in a quiet room
    tried = try_rules(heard["YAMNet"])
    assert [one.rule for one in tried["a"]] == [one.rule for one in tried["b"]] == [str(rule) for rule in rules()]
    halves = zip(tried["a"], tried["b"], strict=True)
    assert [a.episodes + b.episodes for a, b in halves if a.rule == "any window at 0.5"] == [systems[0].episodes]
