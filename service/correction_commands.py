"""`monitord correct`, `adapt` and `clips`: what the family says of sounds, as a person types it."""

import argparse
from pathlib import Path

from monitord.errors import ConfigError
from service.terminal.log_level import add_log_level

_CORRECT = """\
Says what a sound was, so that this home is heard better: from then on, and without a restart. What an alarm was:

  monitord correct --was cat                           the newest alarm of the only room was the cat
  monitord correct --source nursery --was cry --reason hunger
  monitord correct --missed-at 02:13                   the baby cried then, and nobody was told: within an hour
"""
_ADAPT = """\
Without an option: learns anew from all corrections, as it does after each of them and once a night, and says what came
of it. It is in force only where it loses at most one in two hundred of strangers' cries.
"""


_CLIPS = """\
Copies the clips of cries whose reason the family gave, on the page or by `monitord correct`, into a folder with
manifest.csv, which `monitord-train fit --from BUNDLE --manifest` takes. Clips are kept with `web: {clips: {}}` only.
Call it again into the same folder before they are too old for the page: what is there stays.
"""


def add_correction_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the three commands."""
    raw = argparse.RawDescriptionHelpFormatter
    correct = commands.add_parser(
        "correct", help="tell a running daemon what a sound was", description=_CORRECT, formatter_class=raw
    )
    correct.add_argument("--config", type=Path, metavar="FILE", help="configuration (YAML)")
    correct.add_argument("--source", metavar="ID", help="the room; left out: the only one")
    correct.add_argument("--episode", metavar="ID", help="left out: the room's newest")
    correct.add_argument("--was", metavar="WORD", help="cry, or what else it was: cat, door, laughter")
    correct.add_argument("--reason", metavar="REASON", help="why the baby cried: kept, not learnt from yet")
    correct.add_argument("--missed-at", metavar="TIME", help="a cry that nobody was told of: 02:13, or date and time")
    add_log_level(correct)
    correct.set_defaults(command=_correct)

    adapt = commands.add_parser(
        "adapt",
        help="learn from corrections now, show what was learnt, undo it",
        description=_ADAPT,
        formatter_class=raw,
    )
    adapt.add_argument("--config", type=Path, metavar="FILE", help="configuration (YAML)")
    which = adapt.add_mutually_exclusive_group()
    which.add_argument("--show", action="store_true", help="only say what is in force")
    which.add_argument("--undo", action="store_true", help="forget all corrections: hear again as the bundle does")
    add_log_level(adapt)
    adapt.set_defaults(command=_adapt)

    clips = commands.add_parser(
        "clips", help="copy the cries whose reason you gave, to fit a model to", description=_CLIPS, formatter_class=raw
    )
    clips.add_argument("--config", type=Path, metavar="FILE", help="configuration (YAML)")
    clips.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to; made if missing")
    add_log_level(clips)
    clips.set_defaults(command=_clips)


def _correct(arguments: argparse.Namespace) -> int:
    from service.client.correction import give_correction  # noqa: PLC0415 - each command loads only what it needs

    said = {name: getattr(arguments, name) for name in ("episode", "was", "reason", "missed_at")}
    given = {name: value for name, value in said.items() if value is not None}
    if not given.keys() - {"episode"}:
        raise ConfigError("say what it was: --was, --reason or --missed-at")
    return give_correction(arguments.config, arguments.source, given)


def _adapt(arguments: argparse.Namespace) -> int:
    from service.client.correction import ask_adaptation  # noqa: PLC0415

    return ask_adaptation(arguments.config, show=arguments.show, undo=arguments.undo)


def _clips(arguments: argparse.Namespace) -> int:
    from service.client.clips import copy_told_clips  # noqa: PLC0415

    return copy_told_clips(arguments.config, arguments.out)
