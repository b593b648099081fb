"""Held-out recordings for both halves of the streams, in a folder that `prepare` might have written."""

from itertools import count

from tests.support.sound.sounds import noise, synthetic_cry
from tests.support.training.prepared import Take
from training.streams.mixing import HALVES, half_of


def both_halves() -> list[Take]:
    """A cry of 2.5 s and rain of 3 s for each half."""
    takes = []
    for half in HALVES:
        cry, rain = (
            next(name for name in (f"{what}{i}" for i in count()) if half_of(f"home:{name}") == half)
            for what in ("cry", "rain")
        )
        takes += [
            Take(cry, synthetic_cry(seed=1)[:40_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
            Take(rain, noise(3.0, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True),
        ]
    return takes
