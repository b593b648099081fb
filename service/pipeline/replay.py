"""`monitord replay`: the real worker over recordings, as fast as it goes; the same road as a night's listening."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from model.bundle import Bundle
from model.runtime import Choice, open_runtime
from monitord.errors import MonitordError, SourceError
from monitord.tally import Tally
from service.capture.child.decoder import Decoders
from service.messages import json_lines
from service.pipeline.recordings import hear, source_ids


def replay(
    files: Sequence[Path],
    bundle: Bundle,
    write: Callable[[str], object],
    *,
    runtime: Choice = "auto",
    trace: bool = False,
) -> list[MonitordError]:
    """Hears one recording after the other; writes JSON lines, last the tally of all.

    Args:
        files: Containers with sound; each is a source named after its file.
        bundle: Verified.
        write: Gets each line, without its end.
        runtime: What computes the network.
        trace: Whether it says between these lines how it came to them.

    Returns:
        What was wrong with recordings that give no sound or break off in the middle; the others, and what was heard
        of these, are in the lines.

    Raises:
        SourceError: No recording gives any sound. Nothing was written.
        BundleError: The runtime cannot load the network.
    """
    broken: list[MonitordError] = []
    tally = Tally()
    recordings = zip(source_ids(files), files, strict=True)
    opened = open_runtime(bundle, runtime)
    with Decoders() as decoders:
        for heard in hear(
            recordings, bundle, opened, lambda line: write(json.dumps(line)), decoders=decoders, trace=trace
        ):
            tally += heard.tally
            broken += [] if heard.error is None else [heard.error]
    if len(broken) == len(files) and not tally.captured:
        raise SourceError("\n".join(map(str, broken)))
    write(json.dumps(json_lines.replay_tally(tally)))
    return broken
