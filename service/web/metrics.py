"""`GET /metrics`: how the house stands, as Prometheus reads it; made of the same states that MQTT is told."""

import hmac
import ipaddress
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from service.web.access import RefusedError
from service.web.board import Board

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_PROXIED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
"""Headers in which a proxy on this machine says for whom it asks (RFC 7239, and what was usual before it)."""
_COUNTS: Final = ("captured", "lost", "quiet", "segmented")
"""Of a room's tally, what only grows."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """For whoever is on this machine, or shows the token. Used by the web thread alone."""

    board: Board
    rooms: Mapping[str, str]
    """What people call each, by id."""
    token: str | None = None
    """Of `metrics_token_file`; None: only this machine may ask."""

    async def show(self, request: web.Request) -> web.Response:
        """Text in Prometheus's format; 403 for whoever may not."""
        if not may_read(request, self.token):
            raise RefusedError(HTTPStatus.FORBIDDEN, "ask from this machine, or with web.metrics_token_file as Bearer")
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where somebody asks

        registry = CollectorRegistry()
        registry.register(self)
        return web.Response(body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4"})

    def collect(self) -> "Iterator[Metric]":
        """Yields what is known now, for the registry."""
        from prometheus_client.core import CounterMetricFamily as Counter  # noqa: PLC0415 - as above
        from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415

        states = self.board.states
        heard = Gauge(
            "monitord_room_heard", "Whether silence from the room means that the baby is quiet.", labels=["room"]
        )
        crying = Gauge("monitord_room_crying", "Whether somebody cries.", labels=["room"])
        fault = Gauge(
            "monitord_room_fault", "1 with the word of what is wrong; ok where nothing is.", labels=["room", "fault"]
        )
        samples = Counter(
            "monitord_room_samples", "Samples at 16 kHz, by what became of them.", labels=["room", "kind"]
        )
        held = Gauge("monitord_room_samples_held", "Samples at 16 kHz that wait to be heard.", labels=["room"])
        reconnects = Counter("monitord_room_reconnects", "How often the source was opened again.", labels=["room"])
        episodes = Gauge("monitord_room_episodes_today", "Episodes of crying since midnight.", labels=["room"])
        minutes = Gauge("monitord_room_crying_minutes_today", "Minutes of crying since midnight.", labels=["room"])
        for room in self.rooms:
            health, state, today = (_values(states.get(f"{room}/{topic}")) for topic in ("health", "state", "today"))
            heard.add_metric([room], states.get(f"{room}/status") == "online")
            crying.add_metric([room], bool(state.get("crying")))
            if health:
                fault.add_metric([room, health["fault"]], 1)
                for kind in _COUNTS:
                    samples.add_metric([room, kind], health[kind])
                held.add_metric([room], health["held"])
                reconnects.add_metric([room], health["reconnects"])
            if today:
                episodes.add_metric([room], today["episodes"])
                minutes.add_metric([room], today["crying_min"])
        yield from (heard, crying, fault, samples, held, reconnects, episodes, minutes)
        beat = self.board.heartbeat_at
        if beat is not None:
            age = Gauge("monitord_heartbeat_age_seconds", "Since the worker last said that it works: 30 at most.")
            age.add_metric([], time.monotonic() - beat)
            yield age
        problem = Gauge("monitord_problem", "Whether something is wrong with the network, the disk or the broker.")
        problem.add_metric([], bool(_values(states.get("info")).get("fault")))
        viewers = Gauge("monitord_page_viewers", "How many look at the page.")
        viewers.add_metric([], self.board.viewers)
        yield from (problem, viewers)


def may_read(request: web.Request, token: str | None) -> bool:
    """Whether this comes from this machine, or shows the token."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if token is not None and scheme == "Bearer":
        return hmac.compare_digest(shown.encode(errors="surrogateescape"), token.encode())
    return is_loopback(request.remote or "") and not any(name in request.headers for name in _PROXIED)


def _values(content: object) -> Mapping[str, Any]:
    """The values of a state as it was told, none where there is none yet. Any: values of JSON."""
    return content if isinstance(content, Mapping) else {}


def is_loopback(address: str) -> bool:
    """Whether this is an address of this machine for itself, in either version of IP."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
