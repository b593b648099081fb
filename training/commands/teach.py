"""Draws views of the recordings and has both AudioSet teachers label each of them.

A view is a window through a room, a codec, another speed, under other sound, at another level: what a nursery's
microphone might deliver. 40 shards are 160,000 views, 5 GB; two processes take half an hour. Finished shards are kept,
so a stopped run goes on. With --engine ray each shard is a task; --prepared and --out lie at the same path on every
machine, and the shards are the same.

  monitord-train teach --prepared runs/prepared --out runs/views

--mine draws other sound more often in which a bundle hears a cry: a network that is taught again learns from the
mistakes of the one before.
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "augmented windows with the teachers' labels, for pretrain"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the shards")
    command.add_argument("--shards", type=int, default=40, help="of 4,096 views each (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    command.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    command.add_argument(
        "--engine", choices=("ray",), help="shards on the cores of a Ray cluster, RAY_ADDRESS says which (extra `ward`)"
    )
    command.add_argument("--mine", type=Path, metavar="BUNDLE", help="whose mistakes are drawn more often")
    command.add_argument("--clean", action="store_true", help="mix no other sound in: for the noise table's `before`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.label.augmented_windows import AugmentationParams  # noqa: PLC0415
    from training.label.labelled_shards import Engine, teach  # noqa: PLC0415

    params = AugmentationParams(p_noise=0.0, p_hiss=0.0) if arguments.clean else AugmentationParams()
    prepared = load_prepared(arguments.prepared.absolute())  # another machine is in another folder
    engine: Engine | None = None
    if arguments.engine is not None:
        from model.cluster.ray_tasks import ray_tasks as engine  # noqa: PLC0415 - only where asked for
    teach(
        prepared,
        arguments.out.absolute(),
        params,
        shards=arguments.shards,
        seed=arguments.seed,
        workers=arguments.workers,
        miner=None if arguments.mine is None else load_bundle(arguments.mine),
        engine=engine,
    )
    return 0
