"""The nurse station as one process: what it counts, on its page."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.ward.settings import WardConfig
from service.ward.station.metrics import WardMetrics
from service.ward.station.reporter import BEAT_S, StationReporter
from service.web.address.addresses import Addresses
from service.web.family.invitations import Invitations
from service.web.roles import Role

FOLDER: Final = "station"
"""In the ward's state directory: devices and certificate."""
CRASHED: Final = 70
"""Exit status after a bug: EX_SOFTWARE of sysexits.h."""
STOP_S: Final = 1.0
"""For whoever looks at the page (seconds)."""
LOOK_S: Final = 0.5
"""Between two looks at both threads (seconds)."""


def serve_station(ward: WardConfig, stop: threading.Event, served: Callable[[str], None]) -> int:
    """Serves until `stop`; returns the exit status.

    Args:
        ward: Which rooms there are.
        stop: Set when it is to end.
        served: Called with the page's address, once it is there.

    Raises:
        ConfigError: A port is taken, or a password or certificate file cannot be used.
    """
    from service.web.station import StationServer  # noqa: PLC0415 - aiohttp only here: 12 MB

    station = StationReporter(ward)

    def values() -> dict[str, object]:
        return {**station.census.values(), "detail": station.detail}

    def well() -> bool:
        return not station.detail and time.time() - station.census.at < 2 * BEAT_S

    server = StationServer(
        ward.station,
        _folder(ward),
        values,
        lambda: WardMetrics(station.census, connected=not station.detail).text(),
        well,
    )
    station.start()
    try:
        server.start()
        served(server.addresses.page)
        while not stop.wait(LOOK_S):
            if not (station.alive and server.alive):
                return CRASHED
    finally:
        server.stop(STOP_S)
        station.stop()
    return 0


def invitation(ward: WardConfig) -> str:
    """Returns a link that lets one device see the page, once, within ten minutes.

    Raises:
        ConfigError: It cannot be left where the station finds it.
    """
    folder = _folder(ward)
    try:
        token = Invitations(folder).invite(Role.GUEST)
    except OSError as error:
        raise ConfigError(
            f"{folder}: no link can be left there ({error.strerror}); run it as the station's user"
        ) from error
    return Addresses(ward.station, folder).link(token)


def _folder(ward: WardConfig) -> Path:
    return ward.state_dir / FOLDER
