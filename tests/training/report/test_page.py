"""The report's page: it refers to nothing outside itself, and each of its figures stands in a result."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from model.bundle import Bundle, load_bundle
from tests.support.training import measured
from tests.support.training.reason_clips import reason_clips
from training.report.page import render
from training.results import number_text
from training.results.result_files import Kind, Result
from training.streams import promise

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page's elements, held to be closed in the order they were opened."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As `HTMLParser` calls it."""
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> says an attribute twice"
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As `HTMLParser` calls it."""
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """As `HTMLParser` calls it."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """As `HTMLParser` calls it."""
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every such element."""
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle()


@pytest.fixture(scope="module")
def every() -> list[Result]:
    return [*[measured.result(kind) for kind in measured.EVERY], measured.result("crossval", synthetic=True)]


@pytest.fixture(scope="module")
def html(bundle: Bundle, every: list[Result]) -> str:
    return render(every, bundle, [reason_clips(8)])


def section(html: str, anchor: str) -> str:
    """One section's HTML."""
    start = html.index(f'<section id="{anchor}"')
    return html[start : html.index("</section>", start) + len("</section>")]


def read(html: str) -> str:
    """Its text as a person reads it, one space between words."""
    return " ".join(" ".join(Page(html).text).split())


def test_the_page_is_well_formed(html: str) -> None:
    """Every element is closed in its turn, no id stands twice, and every link within the page leads somewhere."""
    page = Page(html)
    ids = Counter(attrs["id"] for _, attrs in page.found if "id" in attrs)
    assert [name for name, n in ids.items() if n > 1] == []
    links = {attrs["href"] for attrs in page.all("a")}
    assert {link[1:] for link in links if link} <= set(ids)
    assert page.all("html")[0]["lang"] == "en"
    headings = [int(tag[1]) for tag, _ in page.found if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert max(b - a for a, b in pairwise(headings)) == 1


def test_the_page_refers_to_nothing_outside(html: str) -> None:
    """It opens without a network and runs nothing: no script, no frame, no address but data and places in the page."""
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.found}
    for tag, attrs in page.found:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset", "poster", "data", "action"):
            address = attrs.get(name) or "#"
            assert address.startswith(("#", "data:image/png;base64,")), f"<{tag} {name}={address[:60]}>"
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}


def test_what_is_drawn_and_listed_is_said_in_words_too(html: str) -> None:
    """Every picture has a text for those who do not see it, every table a caption and named rows and columns."""
    page = Page(html)
    pictures = page.all("svg")
    assert len(pictures) >= 12
    assert all(len(picture["aria-label"] or "") > 30 for picture in pictures)
    assert len(page.all("figcaption")) == len(page.all("figure")) == len(pictures)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attrs.get("scope") in {"row", "col"} for attrs in page.all("th"))


def test_a_summary_figure_is_the_results(bundle: Bundle, html: str) -> None:
    """Other figures in the JSON are other figures on the first screen, and nothing of the old ones stays."""
    found = measured.streams()
    found["systems"][0] |= {"found": 0.914, "false_per_hour": 1.25, "latency_p50_s": 1.77, "latency_p95_s": 2.51}
    changed = section(render([measured.result("streams", systems=found["systems"])], bundle, []), "summary")
    before, after = (">96.3<", ">0.38<", ">1.32<", ">3.24<"), (">91.4<", ">1.25<", ">1.77<", ">2.51<")
    first = section(html, "summary")
    assert [[text in page for text in (*before, *after)] for page in (first, changed)] == [
        [True] * 4 + [False] * 4,
        [False] * 4 + [True] * 4,
    ]


def test_hours_peers_and_reasons_of_the_summary_are_the_results(bundle: Bundle) -> None:
    """What stands around the large figures comes from the results too."""
    streams = measured.result("streams", hours=7, episodes=281, quiet_hours=31)
    streams.figures["systems"][1] |= {"found": 0.777}
    reasons = measured.result("crossval")
    reasons.figures["grouped"]["model"] |= {
        "unweighted_average_recall": 0.413,
        "unweighted_average_recall_95": [0.351, 0.467],
    }
    text = read(section(render([streams, reasons], bundle, []), "summary"))
    assert "7 hours with 281 crying episodes and 31 hours without" in text
    assert "77.7" in text
    assert "right in 41.3 of 100" in text
    assert "(35.1 to 46.7), and guessing gives 25: better than guessing (measured on donateacry)" in text


def test_the_promise_is_judged(html: str) -> None:
    """Three parts are kept, the fourth is not, and the page says which; the peers are judged alike."""
    summary = section(html, "summary")
    states = re.findall(r'class="tile (\w+)"', summary)
    assert states == ["kept", "kept", "kept", "broken"]
    assert promise.kept(0.95, 0.49, 1.5, 3.0) == dict.fromkeys(("found", "false_per_hour", "p50", "p95"), True)
    assert promise.kept(0.949, 0.5, 1.51, None) == dict.fromkeys(("found", "false_per_hour", "p50", "p95"), False)
    assert summary.count('class="broken"') == 1 + 4 + 4 + 4


def test_seconds_are_told_by_loudness_and_after_a_teacher(html: str) -> None:
    """The deepest cries: 1.60 s at the median and 3.50 s; over all, half a second after a teacher hears it."""
    text = read(section(html, "hearing"))
    assert "-5 to 0 54 1.60 s, 3.50 s 1.60 s, 3.50 s" in text
    assert "0.82 s, 2.74 s" in text
    assert "false alarms an hour, of all hours" in text


def test_each_network_at_its_best_rules(html: str) -> None:
    """A row for each rate: the best on these hours, and what was chosen on one half and judged on the other."""
    text = read(section(html, "hearing"))
    assert "0.1 95, 1.60 s (-) 70, 2.80 s (-) 80, 2.20 s (-)" in text
    assert "0.5 96, 1.50 s (94 at 1.00, 1.50 s) 71, 2.70 s (69 at 1.00, 2.70 s)" in text


@pytest.mark.parametrize("kind", [*measured.EVERY, "family"])
def test_what_nobody_measured_is_said(bundle: Bundle, kind: Kind) -> None:
    """A kind without a result says so, with the command that measures it; the page is whole all the same."""
    other: Kind = "frontends" if kind != "frontends" else "evaluate"
    html = render([measured.result(other)], bundle, [])
    anchors: dict[str, str] = {"crossval": "reasons", "compare": "methods", "streams": "hearing"}
    said = section(html, anchors.get(kind, kind))
    assert "Not measured." in said
    assert "<code>monitord-train " in said
    assert "Not measured." not in section(html, other)
    assert re.findall(r'class="tile (\w+)"', html) == ["unknown"] * 4
    Page(html)


def test_synthetic_data_are_called_so_at_every_table(bundle: Bundle, html: str) -> None:
    """Every table and picture of synthetic data says SYNTHETIC, those of real data do not, the summary says it too."""
    real, twin = (part.split("</section>")[0] for part in section(html, "reasons").split('<div class="source">')[1:])
    assert "SYNTHETIC" not in real
    assert twin.count("<caption>") + twin.count("<figcaption>") + 1 == twin.count("SYNTHETIC")
    alone = render([measured.result("crossval", synthetic=True)], bundle, [reason_clips(4, synthetic=True)])
    assert "SYNTHETIC" in section(alone, "summary")
    assert section(alone, "examples").count("SYNTHETIC") == 1 + 4
    assert "SYNTHETIC" not in section(html, "examples")


def test_the_papers_tables_stand_beside_both_protocols(html: str) -> None:
    """Table 2 by both protocols with baselines and intervals, Table 3, both confusions, and the paper's own figures."""
    text = read(section(html, "reasons"))
    for name in ("model", "majority", "shuffled labels"):
        assert f"{name}, random" in text
        assert f"{name}, grouped" in text
    assert "96.5 % 95.4 % 96.0 % 95.9 % 97.7 % 96.3 %" in text
    f = measured.crossval()["grouped"]["model"]
    assert number_text.within(f["accuracy"], f["accuracy_95"]) in text
    for row in f["confusion"]:
        assert " ".join(map(str, row)) in text


def test_every_command_and_every_licence_is_there(html: str, every: list[Result], bundle: Bundle) -> None:
    """A reader can type what was typed, and sees whom to name."""
    commands, data = section(html, "commands"), section(html, "data")
    assert all(result.command in commands for result in every)
    assert all(dataset.name in data and dataset.licence in data for dataset in bundle.manifest.data)
    assert "BoilingSand: toddler cry 1" in data


def test_what_stands_in_a_result_is_text(bundle: Bundle) -> None:
    """A name from a family's file cannot bring HTML into the page."""
    result = replace(measured.result("crossval"), data="<script>alert(1)</script>")
    html = render([result], bundle, [])
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_perfect_and_a_deaf_system_are_drawn(bundle: Bundle) -> None:
    """No false alarm at all, nothing found and so no latency, no noise levels: the page says a dash and is whole."""
    every = [measured.system("vggish-compact", 0.99, 0.0, 1.0, 2.0), measured.system("YAMNet", 0.0, 0.0, 1.0, 1.0)]
    none = ("latency_p50_s", "latency_p95_s", "after_teacher_p50_s", "after_teacher_p95_s")
    every[1] |= dict.fromkeys(none) | {"found_95": [0.0, 0.04]}
    deaf = {"at_most": 0.1, "rule": "none", **every[1], "crossed": None}
    curves = [measured.curve("vggish-compact", 0.9, 1.5), {"name": "YAMNet", "points": [deaf]}]
    streams = measured.result(
        "streams", systems=every, curves=curves, by_snr=[], false_by_kind={"vggish-compact": {}, "YAMNet": {}}
    )
    clean = [row for row in measured.noise()["rows"] if row["snr_db"] is None]
    html = render([streams, measured.result("noise", rows=clean)], bundle, [])
    assert "no false alarm at all" in html
    Page(html)
