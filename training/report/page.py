"""The page itself: results in, one HTML text out that refers to nothing outside itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model.bundle import Bundle
from monitord.errors import ConfigError
from training.data import attributions
from training.data.clips import ClipSet
from training.recipes import model_card
from training.report import compare, crossval, examples, frontends, hearing, noise, others, summary
from training.report.parts import Cell, Picture, Section, Table
from training.results.result_files import Kind, Result

TEMPLATE: Final = "page.html.j2"
"""In this package."""


def render(results: Sequence[Result], bundle: Bundle, clips: Sequence[ClipSet]) -> str:
    """Returns the page.

    Args:
        results: Every result to show, in this order within its kind.
        bundle: Whose name, data and front end the page speaks of.
        clips: Sets to show examples of.

    Raises:
        ConfigError: A result lacks a figure that its command writes.
    """
    by_kind = {kind: [result for result in results if result.kind == kind] for kind in get_args(Kind)}
    manifest = bundle.manifest
    builders: list[tuple[Kind, Callable[[], Section]]] = [
        ("streams", lambda: hearing.section(by_kind["streams"], manifest.name)),
        ("households", lambda: others.section("households", by_kind["households"])),
        ("noise", lambda: noise.section(by_kind["noise"])),
        ("evaluate", lambda: others.section("evaluate", by_kind["evaluate"])),
        ("frontends", lambda: frontends.section(by_kind["frontends"])),
        ("crossval", lambda: crossval.section(by_kind["crossval"])),
        ("compare", lambda: compare.section(by_kind["compare"])),
        ("adapt", lambda: others.section("adapt", by_kind["adapt"])),
        ("family", lambda: others.section("family", by_kind["family"])),
    ]
    sections = [_built(kind, by_kind[kind], build) for kind, build in builders]
    sections.append(examples.section(clips, manifest.frontend))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    environment.filters["cell"] = lambda value: value if isinstance(value, Cell) else Cell(value)
    return environment.get_template(TEMPLATE).render(
        bundle=bundle,
        manifest=manifest,
        summary=summary.summarise(by_kind, manifest.name),
        sections=sections,
        commands=list(dict.fromkeys([*model_card.commands(manifest), *[result.command for result in results]])),
        attributions=attributions.sections() if attributions.owed(manifest.data) else (),
    )


def _built(kind: Kind, results: Sequence[Result], build: Callable[[], Section]) -> Section:
    try:
        return build()
    except (KeyError, IndexError, TypeError, ValueError) as error:
        commands = ", ".join(result.command for result in results)
        raise ConfigError(
            f"a result of kind {kind} is not what this version of monitord-train writes ({error!r}); "
            f"measure it again: {commands}"
        ) from error
