"""What the last days say of a threshold that is proposed."""

from service.storage.history import Correction, PastEpisode, Span
from service.web.past.lately import lately


def cry(number: int, *, told_up_to: float | None, loudness_db: float | None, room: str = "nursery") -> PastEpisode:
    """An episode of five minutes at `number` o'clock."""
    since = 3600.0 * number
    more = {"told_up_to": told_up_to, "loudness_db": loudness_db}
    return PastEpisode(f"{room}-{number}", (room,), since, since + 300.0, 0.9, None, "none", None, **more)


SPAN = Span(
    [
        cry(1, told_up_to=0.95, loudness_db=30.0),
        cry(2, told_up_to=0.7, loudness_db=20.0),
        cry(3, told_up_to=0.62, loudness_db=50.0),
        cry(4, told_up_to=0.65, loudness_db=10.0),
        cry(5, told_up_to=None, loudness_db=None),  # of the time before that was kept
        cry(6, told_up_to=0.61, loudness_db=60.0, room="attic"),
    ],
    [],
    [
        Correction("nursery", "nursery-3", 3 * 3600.0, "cry", None),
        Correction("nursery", "nursery-3", 3 * 3600.0, "cat", None),
        Correction("nursery", "nursery-2", 2 * 3600.0, "cry", "hunger"),
    ],
)


def test_a_threshold_would_have_told_some_and_others_not() -> None:
    """Of the room's own episodes of which that is known; what the family says was none is counted, by its last word."""
    assert lately(SPAN, "nursery", 0.7) == {
        "days": 7,
        "episodes": 4,
        "not_told": [3 * 3600.0, 4 * 3600.0],
        "no_cry": 1,
        "cry_db": 20,  # the middle of 10, 20 and 30: the cat's 50 are no cry's
    }


def test_without_a_proposal_all_were_told() -> None:
    """And a room without a cry has no loudness."""
    assert lately(SPAN, "nursery", None)["not_told"] == []
    assert lately(SPAN, "cellar", 0.7)["cry_db"] is None
