"""The cry's head on streams: which windows are cries, and that the head is learnt from them alone."""

import numpy as np

from monitord.types import RATE_HZ
from training.recipes.cry_head import cry_windows
from training.streams.mixing import Laid, Stream


def test_which_windows_are_cries() -> None:
    """From half a second of the cry to a hop after its end; neither while it comes or goes."""

    def said(*cries: tuple[float, float]) -> dict[float, float]:
        laid = tuple(Laid("cry", int(start * RATE_HZ), int(end * RATE_HZ)) for start, end in cries)
        ends_s = np.arange(9.5, 16.1, 0.25)
        stream = Stream(np.zeros(0, np.int16), laid, ())
        return dict(
            zip(ends_s.tolist(), cry_windows(stream, (ends_s * RATE_HZ).astype(np.int64)).tolist(), strict=True)
        )

    one = said((10.0, 12.0))
    assert [at for at, is_cry in one.items() if is_cry == 1.0] == [10.75, 11.0, 11.25, 11.5, 11.75, 12.0]
    assert [at for at, is_cry in one.items() if np.isnan(is_cry)] == [10.25, 10.5, 12.25, 12.5, 12.75]
    assert [at for at, is_cry in one.items() if is_cry == 0.0] == [
        9.5,
        9.75,
        10.0,
        *np.arange(13.0, 16.1, 0.25).tolist(),
    ]
    assert said((10.0, 12.0), (11.9, 14.0))[12.5] == 1.0  # the second one sounds
