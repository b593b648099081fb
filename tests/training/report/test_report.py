"""`monitord-train report`: the page and the card that it writes, and what it refuses."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model.bundle import load_bundle
from monitord.errors import ConfigError
from tests.support.training import measured
from tests.support.training.reason_clips import reason_clips
from training.commands import report
from training.data.clips import save_clips
from training.report.files import write_report
from training.results.result_files import write_result


def run(*words_typed: str) -> int:
    """`monitord-train report` with these arguments."""
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    return report.run(parser.parse_args(words_typed))


def test_the_command_writes_the_page_and_the_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From folders of results and clips to two files whose figures agree; nothing else is left there."""
    measured.write_every(tmp_path / "results")
    save_clips(reason_clips(4, synthetic=True), tmp_path / "clips")
    out = tmp_path / "out" / "report.html"
    assert run("--results", f"{tmp_path / 'results'}", "--clips", f"{tmp_path / 'clips'}", "--out", f"{out}") == 0
    assert sorted(path.name for path in out.parent.iterdir()) == ["MODEL_CARD.md", "report.html"]
    assert f"{out}: 8 results" in capsys.readouterr().out
    card = (out.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "raises the alarm 96.3 times and misses 3.7" in card
    assert "| YAMNet, any window at 0.5 | 78.0 % | 22.0 % | 6.80 | 2.40 s | 6.10 s |" in card
    assert "laughing 2, cat 1" in card
    assert "measured best: plain VGGish, hears 0.007 better." in card
    assert ">96.3<" in out.read_text(encoding="utf-8")


def missing_recall(folder: Path) -> None:
    """A result that an older version might have written."""
    result = measured.result("crossval")
    del result.figures["grouped"]["model"]["unweighted_average_recall"]
    write_result(folder / "old.json", result)


def no_kind(folder: Path) -> None:
    """A result of a command that does not exist."""
    folder.mkdir()
    found = {"kind": "horoscope", "command": "", "data": "", "synthetic": False, "figures": {}}
    (folder / "other.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "out", "refusal"),
    [
        (Path.mkdir, "r.html", "no results here; crossval, compare, streams"),
        (no_kind, "r.html", "kind: found 'horoscope'"),
        (
            missing_recall,
            "r.html",
            r"kind crossval.*unweighted_average_recall.*measure it again: monitord-train crossval",
        ),
        (measured.write_every, "r.pdf", r"r\.pdf: expected the name of a file that ends in \.html"),
    ],
)
def test_refusals_say_what_to_mend(tmp_path: Path, prepare: Callable[[Path], None], out: str, refusal: str) -> None:
    """No results, foreign results, old results, no page's name: one line, and nothing is written."""
    prepare(tmp_path / "results")
    with pytest.raises(ConfigError, match=refusal):
        run("--results", f"{tmp_path / 'results'}", "--out", f"{tmp_path / 'out' / out}")
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    """Where the card cannot be put beside the page, the old page stands there still and no other file is left."""
    page = tmp_path / "report.html"
    page.write_text("the old page", encoding="utf-8")
    results = [measured.result("frontends")]
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigError, match="nothing was changed"):
        write_report(results, load_bundle(), [], tmp_path / "file" / "report.html")
    (tmp_path / "MODEL_CARD.md").mkdir()
    with pytest.raises(ConfigError, match=r"MODEL_CARD\.md"):
        write_report(results, load_bundle(), [], page)
    assert page.read_text(encoding="utf-8") == "the old page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MODEL_CARD.md", "file", "report.html"]
