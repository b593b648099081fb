"""What `report` leaves: the page and, beside it, the model card with the same results in it; both or neither."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from errno import EISDIR
from pathlib import Path
from typing import Any, Final

from model.bundle import Bundle
from model.manifest import Manifest
from monitord.errors import ConfigError
from training.data.clips import ClipSet
from training.recipes import model_card
from training.report import systems
from training.report.page import render
from training.results.result_files import Result, frontend_why

CARD: Final = "MODEL_CARD.md"


def write_report(results: Sequence[Result], bundle: Bundle, clips: Sequence[ClipSet], path: Path) -> Path:
    """Writes the page to `path` and the card beside it; returns the card's path.

    Raises:
        ConfigError: A result is not what its command writes, or nothing can be written there. What stood there stands
            there still.
    """
    if path.suffix != ".html":
        raise ConfigError(f"--out {path}: expected the name of a file that ends in .html")
    page = render(results, bundle, clips)
    beside = path.parent / CARD
    _write({path: page, beside: model_card.write(with_results(bundle.manifest, results))})
    return beside


def with_results(manifest: Manifest, results: Sequence[Result]) -> Manifest:
    """The manifest with what the results of real data say of its bundle, where they say it newer."""
    grouped: dict[str, Any] = dict(manifest.metrics["grouped"])  # type: ignore[arg-type]  # JSON values
    for result in results:
        if result.kind == "streams" and not result.synthetic:
            grouped |= _streams(result.figures, manifest.name)
    if frontend_why(results):
        grouped["frontend"] = frontend_why(results)
    return replace(manifest, metrics={**manifest.metrics, "grouped": grouped})


def _streams(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """As the card reads them. Any: JSON values as `streams` describes them."""
    mine = systems.ours(found["systems"], name)
    figures = ("found", "found_95", "false_per_hour", "latency_p50_s", "latency_p95_s")
    streams = {key: found[key] for key in ("hours", "quiet_hours", "episodes")} | {key: mine[key] for key in figures}
    streams["peers"] = [{k: s[k] for k in ("name", "rule", *figures)} for s in found["systems"] if s is not mine]
    kinds = systems.value_of(found.get("false_by_kind", {}), mine)
    return {"streams": streams} | ({} if kinds is None else {"false_by_kind": kinds})


def _write(contents: Mapping[Path, str]) -> None:
    """Writes all files under other names first, so that a full disk changes none of them."""
    fresh: dict[Path, Path] = {}
    path = Path()
    try:
        for path, text in contents.items():
            if path.is_dir():
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            fresh[path] = Path(name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            fresh[path].chmod(0o644)  # a report is no secret
        for path, temporary in fresh.items():
            temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from error
    finally:
        for temporary in fresh.values():
            temporary.unlink(missing_ok=True)
