"""The daemon with parts that break on demand; imported by the tests, and run by them as a program.

`python -m tests.support.daemon.broken_daemon FOLDER run ...`

A file in FOLDER breaks a part for as long as it is there: `stuck` the worker, `network` the first network, `clock` the
wall clock (it holds the seconds by which it is off). Nothing else is changed.
"""

import os
import sys
import time
from pathlib import Path

from tests.support.daemon.daemon import Daemon


class BrokenDaemon(Daemon):
    """`monitord run` whose parts `breaks` and `mends`.

    Args:
        folder: Where its words are kept, and the files that break it.
        arguments: What follows `run`.
    """

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        super().__init__(folder, *arguments)
        self._folder = folder / "broken"
        self._folder.mkdir()
        after = self._command.index("run")
        self._command = [
            sys.executable,
            "-m",
            "tests.support.daemon.broken_daemon",
            str(self._folder),
            *self._command[after:],
        ]

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def breaks(self, part: str, how: str = "") -> None:
        """Breaks a part."""
        written = self._folder / f"{part}.new"
        written.write_text(how)
        written.rename(self._folder / part)

    def mends(self, part: str) -> None:
        """Mends it."""
        (self._folder / part).unlink()


def main(folder: Path, arguments: list[str]) -> int:
    """Runs the daemon with the breakable parts."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from model.forward import Outputs  # noqa: PLC0415 - after the path
    from model.litert import LiteRtRuntime  # noqa: PLC0415
    from service.cli import main as monitord  # noqa: PLC0415
    from service.pipeline.worker import Worker  # noqa: PLC0415

    real_round, real_forward, real_time = Worker.round, LiteRtRuntime.forward, time.time
    first: list[LiteRtRuntime] = []

    def round_(worker: Worker) -> bool:
        while (folder / "stuck").exists():
            time.sleep(0.05)
        return real_round(worker)

    def forward(runtime: LiteRtRuntime, patches: object) -> Outputs:
        first.append(runtime)
        if runtime is first[0] and (folder / "network").exists():
            return real_forward(runtime, patches[:, :7])  # type: ignore[index]  # LiteRT fails in its own way
        return real_forward(runtime, patches)  # type: ignore[arg-type]

    def now() -> float:
        try:
            return real_time() + float((folder / "clock").read_text())
        except OSError:
            return real_time()

    Worker.round, LiteRtRuntime.forward, time.time = round_, forward, now  # type: ignore[method-assign]
    sys.argv = ["monitord", *arguments]  # with these it begins anew, whole again
    return monitord(arguments)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
