"""The metrics of a ward, as Prometheus reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.ward.station.census import Census

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True, eq=False)
class WardMetrics:
    """Of one census."""

    census: Census
    connected: bool
    """Whether there is a way to the broker."""

    def text(self) -> bytes:
        """In Prometheus's format."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where somebody asks

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> "Iterator[Metric]":
        """Yields what is known now, for the registry."""
        from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415 - as above

        census = self.census
        yield Gauge("monitord_ward_rooms", "Rooms of the ward's file.", value=census.rooms)
        yield Gauge("monitord_ward_rooms_heard", "Rooms that somebody hears.", value=census.rooms - len(census.unheard))
        yield Gauge("monitord_ward_rooms_crying", "Rooms that cry.", value=len(census.crying))
        yield Gauge("monitord_ward_broker_connected", "Whether the station reaches the broker.", value=self.connected)
        heard = Gauge("monitord_ward_shard_heard", "Whether a process hears the shard.", labels=["shard", "machine"])
        for shard, machine in census.machines.items():
            heard.add_metric([shard, machine], bool(machine))
        unheard = Gauge(
            "monitord_ward_room_unheard_seconds",
            "For how long nobody hears a room.",
            labels=["shard", "room", "fault"],
        )
        for one in census.unheard:
            unheard.add_metric([one.shard, one.room, one.fault], max(0.0, census.at - one.since))
        missing = Gauge(
            "monitord_ward_undelivered", "1 for each disk that may hold events.", labels=["shard", "machine"]
        )
        for shard, machine in {(it.shard, it.machine) for it in census.missing}:
            missing.add_metric([shard, machine], 1)
        yield from (heard, unheard, missing)
