"""What a person types of a correction, before anybody is asked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.cli import CONFIG_EXIT, main
from service.client.correction import give_correction, last_time

NOW = datetime(2026, 11, 29, 6, 30).astimezone()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("02:13", datetime(2026, 11, 29, 2, 13).astimezone()),
        ("23:50", datetime(2026, 11, 28, 23, 50).astimezone()),
        ("2026-11-29T02:13:00+01:00", datetime(2026, 11, 29, 1, 13, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_is_the_last_one_that_it_was(text: str, at: datetime) -> None:
    """At half past six, ten to twelve was yesterday; a whole time is taken as it is."""
    assert datetime.fromisoformat(last_time(text, NOW)) == at


def test_no_time_at_all() -> None:
    """Is said with what would be one."""
    with pytest.raises(ConfigError, match="'at night' is neither a time of day, 02:13, nor a date and time"):
        give_correction(None, None, {"missed_at": "at night"})


def test_nothing_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Somebody who says nothing is asked to; no broker is."""
    assert main(["correct", "--config", str(tmp_path / "none.yaml")]) == CONFIG_EXIT
    assert "say what it was: --was, --reason or --missed-at" in capsys.readouterr().err
