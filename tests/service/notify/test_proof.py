"""A test alarm followed to services that took it, and to such that only look as if they had."""

from pathlib import Path

import pytest

from service.client.test_alarm import proof_lines
from tests.support.daemon.daemon import Daemon, configure, looped, monitord, quiet_room
from tests.support.servers.lookalikes import SERVICES, look_alike
from tests.support.servers.mail_server import mail_server
from tests.support.servers.mosquitto import Mosquitto, Subscriber, authority, certificate

pytestmark = pytest.mark.e2e


def test_only_who_was_told_has_it(tmp_path: Path) -> None:
    """A service that moved, one whose certificate nobody knows, and one that is trusted: the kept proof tells which."""
    ca = authority(tmp_path)
    tls = certificate(tmp_path, ca, "home", "IP:127.0.0.1")
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        look_alike(SERVICES[0], tls) as moved,
        look_alike(SERVICES[0], tls) as good,
        mail_server() as post,
    ):
        moved.answer, moved.location = (301, ""), "/web"
        mail = f"mailto://127.0.0.1:{post.port}?from=monitor@house.test&to=mother@house.test&mode=insecure"
        channels = {
            "moved": {"url": moved.url, "ca_file": str(ca[0])},
            "strange": {"webhook": f"https://127.0.0.1:{good.port}/"},
            "mother": {"url": good.url, "ca_file": str(ca[0])},
            "father": {"url": mail},
        }
        sources = {"nursery": looped(quiet_room(tmp_path / "quiet.wav"))}
        configuration = configure(tmp_path, broker, sources, notify={"channels": channels})
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: subscriber.last("monitord/home/nursery/status") == "online", "the nursery online")
            done = monitord("test-alarm", "--config", configuration, "--wait", "0")
            assert done.returncode == 0, done.stdout

            def proof() -> dict[str, dict[str, object]]:
                return subscriber.latest("monitord/home/nursery/proof")

            daemon.wait_for(
                lambda: (len(proof()["receivers"]), len(proof()["not_told"])) == (2, 2), "what became of each channel"
            )
            assert set(proof()["receivers"]) == {"mother", "father"}
            said = proof()["not_told"]
            assert str(said["moved"]).startswith("it answers 301 Moved Permanently: it has moved")
            assert str(said["strange"]).startswith("its certificate does not hold")
            assert post.mails.qsize() == 1
            assert [it.method for it in moved.requests if it.path == "/web"] == []
            lines = proof_lines(proof())
            assert [line for line in lines if "CANNOT BE TOLD" in line] == [
                f"{name} CANNOT BE TOLD: {said[name]}" for name in said
            ]
        assert "notify.channels.moved: cannot be told: it answers 301" in daemon.words
