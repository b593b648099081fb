"""What a family has: two parents, three phones, a played monitor, and the cry alert installed in a Home Assistant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.homeassistant.home_assistant import HomeAssistant, skip_without_home_assistant
from tests.support.homeassistant.phone import Phone
from tests.support.homeassistant.played_monitor import Monitor
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, until

GARDEN = ROOT / "deploy" / "homeassistant"
EVENTS = ["event.nursery_cry_event", "event.bedroom_cry_event"]
HEALTHY = "binary_sensor.baby_monitor_monitoring_healthy"
SOLD = "notify.mobile_app_sold"
"""A phone that is still in the automation, and no more in Home Assistant."""
SIGNALS = ["binary_sensor.nursery_audio_signal", "binary_sensor.bedroom_audio_signal"]


@dataclass
class Family:
    """Two parents, three phones, a monitor and a Home Assistant."""

    home: HomeAssistant
    monitor: Monitor
    anna: Phone
    ben: Phone
    ben_tablet: Phone

    @property
    def person(self) -> str:
        """What Home Assistant calls whoever the phones are registered by."""
        (person,) = self.home.command("person/list")["storage"]
        return str(person["name"])

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All of them: Anna is told first."""
        return (self.anna, self.ben, self.ben_tablet)

    def told(self, tag: str) -> list[bool]:
        """Which phones show a notification."""
        return [tag in phone.shows() for phone in self.phones]

    def rang(self, phone: Phone) -> list[str]:
        """Tags of all that was pushed to a phone, but for what takes a notification away."""
        return [push["data"]["tag"] for push in phone.pushes if push["message"] != "clear_notification"]

    def until_shown(self, tag: str, *phones: Phone) -> None:
        """Waits until all these phones show a notification."""
        until(lambda: all(tag in phone.shows() for phone in phones))

    def until_gone(self, tag: str) -> None:
        """Waits until no phone shows it any more."""
        until(lambda: not any(self.told(tag)))

    def commands(self, source: str, command: str) -> list[str]:
        """What the monitor was told on a command topic."""
        return self.monitor.payloads(f"monitord/home/{source}/{command}/set")


def beat_until_heard(home: HomeAssistant, monitor: Monitor) -> None:
    """A heartbeat is not retained: Home Assistant hears only those after its subscription."""

    def healthy() -> bool:
        monitor.heartbeat()
        return home.state(HEALTHY) == "on"

    until(healthy)
    for signal in SIGNALS:
        home.expect(signal, "on")


def all_well(family: Family) -> None:
    family.monitor.begin()
    beat_until_heard(family.home, family.monitor)


@contextmanager
def family(folder: Path) -> Iterator[Family]:
    """The family with the cry alert installed; skips where there is no Home Assistant."""
    skip_without_home_assistant()
    with (
        Mosquitto(folder / "broker") as broker,
        HomeAssistant(folder / "ha", broker) as home,
        Monitor(broker) as monitor,
        Phone(home, "anna", "iOS") as anna,
        Phone(home, "ben", "Android") as ben,
        Phone(home, "ben_tablet", "Android") as tablet,
    ):
        monitor.announce()
        monitor.begin()
        beat_until_heard(home, monitor)
        home.install(
            GARDEN / "cry_alert.yaml",
            "Cry alert",
            rooms=EVENTS,
            first_phones=[anna.action],
            second_phones=[ben.action, "mobile_app_ben_tablet"],
            second_after_min=3,
            snooze_min=15,
        )
        yield Family(home, monitor, anna, ben, tablet)
        assert [warning for warning in home.warnings() if SOLD not in warning] == []
