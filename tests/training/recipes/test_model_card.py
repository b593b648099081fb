"""The model card: what a manifest says, what it does not say, and whom the data ask to be named."""

import csv
import re
from dataclasses import replace
from typing import Any

import pytest

from model.bundle import load_bundle
from model.manifest import DataSet, Manifest
from monitord.tracker import TrackerParams
from tests.support.models.model_bundles import manifest
from tests.support.paths import SHARED
from tests.support.training import measured
from training.data import attributions
from training.recipes import model_card

DATA = SHARED
STREAMS = {
    "hours": 5,
    "quiet_hours": 9,
    "episodes": 203,
    "found": 0.961,
    "found_95": [0.924, 0.985],
    "false_per_hour": 0.44,
    "latency_p50_s": 1.31,
    "latency_p95_s": 2.75,
    "peers": [{"name": "YAMNet", "found": 0.78, "false_per_hour": 6.8, "latency_p50_s": 2.4}],
}
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


def reasons(right: float) -> dict[str, Any]:
    """What `fit` says of the reasons by one protocol."""
    found = measured.protocol(right)
    judged = {name: found[name] for name in ("model", "majority", "shuffled_labels")}
    return judged | {"folds": 5, "groups": 10, "recordings": {"hunger": 31, "tiredness": 9}}


def full(**grouped: Any) -> Manifest:
    """A manifest whose metrics hold all that a card can say."""
    everything = {
        "reasons": reasons(0.3),
        "streams": STREAMS,
        "frontend": "plain VGGish hears 0.007 better.",
        "false_by_kind": {"cat": 1, "laughing": 3, "hen": 0},
        "commands": ["monitord-train prepare --data DATA --out ALL"],
    }
    return manifest(metrics={"random": {"reasons": reasons(0.9)}, "grouped": everything | grouped})


def test_every_figure_of_the_streams_is_told() -> None:
    """Found, missed, false alarms, delays, hours, and the peers with what is known of them."""
    text = model_card.write(full())
    assert "raises the alarm 96.1 times and misses 3.9. Promised: at least 95." in text
    assert "0.44 false alarms an hour. Promised: fewer than 0.5." in text
    assert "takes 1.31 s at the median, 2.75 s at the 95th percentile. Promised: 1.5 s and 3 s." in text
    assert "All of it is kept. Measured on 5 hours with 203 crying episodes and 9 hours without a cry" in text
    assert "| **tiny** | 96.1 % (92.4 % to 98.5 %) | 3.9 % | 0.44 | 1.31 s | 2.75 s |" in text
    assert "| YAMNet | 78.0 % | 22.0 % | 6.80 | 2.40 s | - |" in text
    assert "What its false alarms were raised by: laughing 3, cat 1." in text
    assert "z-score on; plain VGGish hears 0.007 better." in text


def test_a_broken_promise_is_said() -> None:
    """Each part that is not kept is named to the parent."""
    text = model_card.write(full(streams=STREAMS | {"found": 0.9, "latency_p95_s": None}))
    assert "Not kept yet: cries found, longest delay." in text


def test_what_was_not_measured_is_said() -> None:
    """A manifest that holds next to nothing makes a card that says so, with the commands that measure it."""
    text = model_card.write(manifest())
    assert "was not measured for this bundle. This measures it: `monitord-train streams" in text
    assert "False alarms an hour, missed episodes and delay on streams: not measured" in text
    assert "Not measured for this bundle: `monitord-train crossval" in text
    assert "why these was not measured" in text


def test_both_protocols_of_reasons_stand_beside_chance() -> None:
    """The model, the majority and shuffled labels, random and grouped, in one table."""
    text = model_card.write(full())
    rows = re.findall(r"^\| (model|majority|shuffled labels) \|(.*)\|$", text, re.MULTILINE)
    assert [name for name, _ in rows] == ["model", "majority", "shuffled labels"]
    assert all(len(cells.split("|")) == 6 for _, cells in rows)
    random, grouped = reasons(0.9)["model"], reasons(0.3)["model"]
    assert f"{random['accuracy']:.3f}" in rows[0][1].split("|")[0]
    assert f"{grouped['accuracy']:.3f}" in rows[0][1].split("|")[3]
    assert "31 hunger, 9 tiredness, of 10 groups" in text


def test_a_parent_reads_what_reasons_are_worth() -> None:
    """Unsure nearly always, or a hint from a threshold on: by the tracker's own threshold."""
    assert "nearly always says `unsure`" in model_card.write(replace(full(), tracker=TrackerParams(unsure_below=0.95)))
    assert "only when its probability is 0.7 or more" in model_card.write(
        replace(full(), tracker=TrackerParams(unsure_below=0.7))
    )
    assert "**Not a medical device.**" in model_card.write(full())


def test_commands_are_the_manifests_own() -> None:
    """A bundle that carries its commands shows these; another shows none."""
    assert "```\nmonitord-train prepare --data DATA --out ALL\n```" in model_card.write(full())
    assert "monitord-train" not in model_card.write(manifest()).partition("## How it was made")[2]


def test_the_shipped_bundle_has_a_card_with_attributions() -> None:
    """The bundle that comes with monitord names its data and everybody whose licence asks for it."""
    shipped = load_bundle().manifest
    text = model_card.write(shipped)
    assert all(data.name in text and data.licence in text for data in shipped.data)
    for title in ("donateacry-corpus", "ESC-50", "speech and household sound", "measured rooms"):
        assert f"\n### {title}\n" in text
    assert "\n## Attributions" not in text


def test_a_familys_own_bundle_owes_nobody_else() -> None:
    """A bundle made from other recordings alone carries no list of ours."""
    assert "### ESC-50" not in model_card.write(full())
    ours = DataSet("ESC-50", "CC0 and CC-BY clips only", "Karol J. Piczak", "sounds")
    assert "### ESC-50" in model_card.write(replace(full(), data=(ours,)))


@needs_data
def test_every_cc_by_clip_is_attributed() -> None:
    """Title, author and number of every ESC-50 clip under CC-BY that training may hear stand in the list."""
    line = re.compile(r"- \[(\S+)\.ogg\]:\s+clip derived from (.*) \(https?://\S+/sounds/\d+/?\) by (.*) \[(CC\S*)\]")
    licence = (DATA / "esc50" / "LICENSE").read_text(encoding="utf-8")
    works = {match[1]: (match[2], match[3]) for match in map(line.match, licence.split("\n")) if match}
    listed = next(section for section in attributions.sections() if section.title == "ESC-50").items
    by_author = {item.partition(": ")[0]: f"; {item.partition(': ')[2]}; " for item in listed}
    with (DATA / "esc50" / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["licence"] == "CC-BY"]
    assert len(rows) > 500
    for row in rows:
        title, author = works[row["path"].removesuffix(".opus").rpartition("-")[0]]
        assert f"; {title} ({row['freesound_id']}); " in by_author[author]


@needs_data
@pytest.mark.parametrize("folder", ["speech", "home"])
def test_every_project_of_the_index_is_named(folder: str) -> None:
    """Each project in the index files' licence column is in the list, by its name."""
    named = {
        "blanket": "blanket",
        "KDE ocean": "Ocean sound theme of KDE",
        "Azure-Samples": "cognitive-services-speech-sdk",
    }
    section = next(s for s in attributions.sections() if s.title == "speech and household sound")
    text = "\n".join(section.items)
    with (DATA / folder / "index.csv").open(encoding="utf-8") as file:
        projects = {
            match[1] for row in csv.DictReader(file) if (match := re.search(r"\(([\w-]+(?: \w+)?)", row["licence"]))
        }
    assert len(projects) >= 5
    assert [p for p in projects if named.get(p, p.split()[-1] if " " in p else p) not in text] == []
