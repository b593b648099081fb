"""The `test_alarm` part of the configuration: when the way to the phones is proven by itself."""

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from service.settings.base import Part


def _time_of_day(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be a time in quotes, "19:00"')  # noqa: TRY004 - pydantic's way
    try:
        return dt.datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - of each day
    except ValueError:
        raise ValueError('must be a time of day, "19:00"') from None


_TimeOfDay = Annotated[
    dt.time, BeforeValidator(_time_of_day), PlainSerializer(lambda time: time.strftime("%H:%M"), when_used="json")
]
"""Written as it is read."""


class TestAlarmConfig(Part):
    """When the way to the phones is proven without being asked for."""

    __test__ = False  # a name that pytest would collect

    daily_at: _TimeOfDay | None = None
    """Local time, `"19:00"`: every room is tested; None: only when somebody asks."""
