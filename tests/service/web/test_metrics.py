"""`/metrics` as Prometheus's own parser reads it, and who may."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitord.tally import Tally
from service.messages import node_messages
from service.messages.message import Node
from service.web.metrics import is_loopback
from service.web.settings import WebSettings
from tests.support.servers.mosquitto import free_port
from tests.support.web.served_page import ServedPage

NODE = Node("home")


def read(text: str) -> dict[str, float]:
    """Returns the samples by name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_prometheus_reads(page: ServedPage) -> None:
    """The rooms as MQTT is told of them; a room of which nothing is known is not heard."""
    tally = Tally(captured=100, lost=7, quiet=60, segmented=30, held=3)
    for message in (
        node_messages.source_status(NODE, "nursery", online=True),
        node_messages.health(NODE, "nursery", fault="ok", tally=tally, reconnects=2, last_audio=None),
        node_messages.info(
            NODE, version="1", model="m", model_sha="s", metrics={}, adaptation={}, fault="the disk is full"
        ),
        node_messages.heartbeat(NODE, ts=0.0, uptime_s=1.0, sources_ok=1, sources_total=2, lag_ms=0.0),
    ):
        page.server.tell(message)
    answer = page.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = read(answer.values)
    assert found["monitord_room_heard['nursery']"] == 1.0
    assert found["monitord_room_heard['attic']"] == 0.0
    assert found["monitord_room_fault['nursery', 'ok']"] == 1.0
    kinds = {kind: found[f"monitord_room_samples_total{sorted(['nursery', kind])}"] for kind in ("captured", "lost")}
    assert kinds == {"captured": 100.0, "lost": 7.0}
    assert found["monitord_room_reconnects_total['nursery']"] == 2.0
    assert found["monitord_problem[]"] == 1.0
    assert 0.0 <= found["monitord_heartbeat_age_seconds[]"] < 300.0


def test_who_may_read(tmp_path: Path) -> None:
    """This machine, but for a proxy on it, which asks for others; or whoever shows the token."""
    token = tmp_path / "token"
    token.write_text("a-long-secret\n")
    settings = WebSettings(host="127.0.0.1", port=free_port(), http_port=free_port(), metrics_token_file=token)
    with ServedPage(tmp_path, settings) as page:
        assert page.ask("GET", "/metrics").status == 200
        proxied = {"X-Forwarded-For": "192.168.1.9"}
        for asks_for_another in (proxied, {"X-Real-IP": "192.168.1.9"}, {"Forwarded": "for=192.168.1.9"}):
            assert page.ask("GET", "/metrics", headers=asks_for_another).status == 403
        assert page.ask("GET", "/metrics", headers={**proxied, "Authorization": "Bearer a-long-secret"}).status == 200
        assert page.ask("GET", "/metrics", headers={"Authorization": "Bearer wrong"}).status == 403
        head = f"GET /metrics HTTP/1.1\r\nHost: {page.origin.removeprefix('https://')}\r\nConnection: close\r\n"
        no_text = page.ask_in_bytes(head.encode() + b"Authorization: Bearer \xff\r\n\r\n")
        assert no_text.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.9", False), ("", False)],
)
def test_what_is_this_machine(address: str, *, loopback: bool) -> None:
    """By either protocol."""
    assert is_loopback(address) == loopback
