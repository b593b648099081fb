"""A handful of figures out of a manifest: those of the model that comes with the project, and of one that has none."""

import json

from model.bundle import load_bundle
from service.messages.model_figures import headline


def test_the_model_that_comes_with_the_project() -> None:
    """Each figure is there, and all of them fit on a line of a terminal."""
    metrics = load_bundle(None).manifest.metrics
    figures = headline(metrics)
    assert set(figures) == {"window_auc", "episodes_found", "false_per_hour", "latency_p50_s", "reasons_macro_f1"}
    assert len(json.dumps(figures)) < 160
    assert figures["episodes_found"] == metrics["grouped"]["streams"]["found"]  # type: ignore[index, call-overload]  # JSON


def test_a_model_without_figures() -> None:
    """What is not there is left out, whatever stands in its place."""
    assert headline({}) == headline({"grouped": {"cry": 3, "streams": {"found": "many"}}, "random": {}}) == {}
