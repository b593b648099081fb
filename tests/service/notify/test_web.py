"""The one way of all requests: redirections, proxies, what an answer proves, and what does not take this way."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import apprise
import pytest
import requests

from service.notify.answers import refusal
from service.notify.mail import HouseMail
from service.notify.push import Push
from service.notify.sending import Sender
from service.notify.trust import Trust
from service.notify.web import HouseSession
from service.notify.webhook import Webhook
from service.settings.addresses import in_house
from tests.support.servers.lookalikes import PAGE, SERVICES, LookAlike, all_names, look_alike, tunnel
from tests.support.servers.mail_server import mail_server
from tests.support.servers.mosquitto import authority, certificate
from tests.support.servers.sockets import free_port
from tests.support.servers.told_house import why_not_told

NTFY = SERVICES[0]
NOWHERE = "alarms.example.org"
"""A name of the world; nobody asks for it, for a proxy is in the way."""


def _senders(site: LookAlike) -> list[Sender]:
    return [Webhook(f"http://127.0.0.1:{site.port}/"), Push(site.url.replace("ntfys:", "ntfy:"))]


@pytest.fixture
def site() -> Iterator[LookAlike]:
    """Without TLS."""
    with look_alike(NTFY, None) as site:
        yield site


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_to_another_server(site: LookAlike, status: int) -> None:
    """Another port of the same machine is another server: it gets nothing, whatever the status."""
    with look_alike(NTFY, None) as other:
        site.answer, site.location = (status, ""), f"http://127.0.0.1:{other.port}/"
        for sender in _senders(site):
            why = why_not_told(sender)
            assert why.startswith(f"it answers {status} ")
            assert f"http://127.0.0.1:{other.port}" in why
        assert other.requests == []


def test_the_same_server_over_tls(site: LookAlike, tmp_path: Path) -> None:
    """308 from http to https of the same host keeps the content: it is followed, and the certificate is verified."""
    ca = authority(tmp_path)
    with look_alike(NTFY, certificate(tmp_path, ca, "site", all_names())) as safe:
        site.answer, site.location = (308, ""), f"https://127.0.0.1:{safe.port}/"
        url = site.url.replace("ntfys:", "ntfy:")
        assert why_not_told(Push(url)).startswith("its certificate does not hold")
        assert why_not_told(Push(url, Trust(ca_file=ca[0]))) == ""
        assert [it.answered for it in safe.alarms] == [200]
        safe.answer, safe.location = (308, ""), f"http://127.0.0.1:{site.port}/"  # and never back
        assert "it has moved" in why_not_told(Push(safe.url, Trust(ca_file=ca[0])))


def test_a_webhook_that_moves_within_its_server(site: LookAlike) -> None:
    """308 with the same method is followed; a loop of them is not for ever."""
    site.answer, site.location = (308, ""), "/movedPATH"
    assert why_not_told(_senders(site)[0]) == ""
    assert [(it.method, it.answered) for it in site.requests] == [("POST", 308), ("POST", 200)]
    site.location = "/"
    assert why_not_told(_senders(site)[0])


def test_a_page_is_no_answer(site: LookAlike) -> None:
    """Also for a webhook: nobody who takes an alarm answers with a login page."""
    site.answer = (200, PAGE)
    for sender in _senders(site):
        assert why_not_told(sender).startswith("it answers 200 OK with a web page")


@pytest.mark.parametrize(
    ("content", "scheme", "no"),
    [
        ("", "ntfy", False),
        ("ok", "slack", False),
        ("{}", "ntfy", False),
        ("[]", "hassio", False),
        ('{"id":"x"}', "ntfys", False),
        ('{"message":"not found"}', "ntfys", True),
        ('{"ok":true}', "tgram", False),
        ('{"ok":false}', "tgram", True),
        ('{"status":0}', "pover", True),
        ('{"timestamp":"1"}', "signals", False),
        ('{"success":false}', "", True),
        ('{"error":null,"errors":[],"errcode":0}', "", False),
        ('{"error":"0"}', "sms", False),
        ('{"error":{"code":1}}', "", True),
        ("<html lang=en>", "", True),
        ("\ufeff \n<!-- hello --><!DOCTYPE HTML>", "", True),
        ('<?xml version="1.0"?><!DOCTYPE html PUBLIC "">', "", True),
        ("<script>location='http://portal.test'</script>", "", True),
        ('<?xml version="1.0"?><response status="ok"/>', "", False),
        ("<htmlish>", "", False),
        ("[" * 100_000, "", False),
    ],
)
def test_what_an_answer_says(content: str, scheme: str, *, no: bool) -> None:
    """Empty answers, words and the services' own yes are one; pages, mistakes and a lack of the own yes are not."""
    assert bool(refusal(200, content.encode(), scheme)) == no


def test_the_name_of_a_mistake_is_said_and_nothing_else() -> None:
    """`invalid_auth` helps; a sentence may repeat a topic."""
    assert refusal(200, b'{"ok":false,"error":"invalid_auth"}') == "it answers 200 OK with a refusal (invalid_auth)"
    assert refusal(200, b'{"error":"no topic secret-word here"}') == "it answers 200 OK with a refusal"


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy"])
def test_the_house_needs_no_proxy(site: LookAlike, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A proxy of the environment that does not even answer is nothing to a server in the same house."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert [why_not_told(sender) for sender in _senders(site)] == ["", ""]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_away(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """It is named, with its variable, without its password; the service is not blamed."""
    port = free_port()
    monkeypatch.setenv(f"{scheme}_proxy", f"http://user:word@127.0.0.1:{port}")
    expected = f"the proxy http://127.0.0.1:{port} of {scheme}_proxy cannot be reached"
    assert why_not_told(Webhook(f"{scheme}://{NOWHERE}/")) == expected
    assert why_not_told(Push(f"ntfy{scheme.removeprefix('http')}://{NOWHERE}/alarms")) == expected


def test_a_proxy_that_refuses(site: LookAlike, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is not taken for the service's."""
    with tunnel(site.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        proxy.refusal = HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        why = why_not_told(Push(f"ntfys://{NOWHERE}/alarms"))
        named = f"the proxy http://127.0.0.1:{proxy.port} of "
        assert why == f"{named}https_proxy does not let it through (407 Proxy Authentication Required)"
        why = why_not_told(Webhook(f"http://{NOWHERE}/"))
        assert why == f"it answers 407 Proxy Authentication Required (through {named}http_proxy)"


def test_a_proxy_that_reads_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its certificate is not the service's: the words say by whom it came."""
    tls = certificate(tmp_path, authority(tmp_path), "mine", f"DNS:{NOWHERE}")
    with look_alike(NTFY, tls) as site, tunnel(site.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        why = why_not_told(Push(f"ntfys://{NOWHERE}/alarms"))
        assert why.startswith("its certificate does not hold")
        assert why.endswith(f"(through the proxy http://127.0.0.1:{proxy.port} of https_proxy)")


def test_a_proxy_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOCKS needs a package that is not installed: said, not a traceback."""
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    assert why_not_told(Push(f"ntfys://{NOWHERE}/alarms")) == (
        "the proxy socks5h://127.0.0.1:9 of ALL_PROXY is of a kind that is not known here; http:// is"
    )


@pytest.mark.parametrize(
    ("host", "house"),
    [
        ("127.0.0.1", True),
        ("192.168.1.20", True),
        ("10.0.0.3", True),
        ("172.16.5.5", True),
        ("169.254.1.1", True),
        ("100.64.0.7", True),
        ("[fd00::1]", True),
        ("fe80::1%eth0", True),
        ("::ffff:192.168.1.20", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("server", True),
        ("Ntfy.LOCAL.", True),
        ("box.home.arpa", True),
        ("ntfy.sh", False),
        ("notlocal.com", False),
        ("", False),
    ],
)
def test_what_belongs_to_the_house(host: str, *, house: bool) -> None:
    """Private addresses, single labels, and endings that no public name has."""
    assert in_house(host) == house


def test_a_release_of_requests_that_goes_another_way(site: LookAlike, monkeypatch: pytest.MonkeyPatch) -> None:
    """If its functions no longer use our session, the first notice says so, although the service took it."""
    assert requests.sessions.Session is HouseSession
    monkeypatch.setattr(requests.sessions, "Session", HouseSession.__base__)
    assert "cannot watch" in why_not_told(_senders(site)[1])
    assert len(site.alarms) == 1


def test_a_release_of_apprise_that_mails_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for mail."""
    monkeypatch.setattr("apprise.plugins.email.base.AppriseSMTPController", HouseMail.__base__)
    with mail_server() as site:
        url = f"mailto://127.0.0.1:{site.port}?from=monitor@house.test&to=mother@house.test&mode=insecure"
        assert "cannot watch" in why_not_told(Push(url))
        assert site.mails.qsize() == 1


def test_every_service_of_apprise_goes_this_way() -> None:
    """None has another library for HTTP, nor a session of its own, so what is watched is all."""
    others = {"httpx", "aiohttp", "urllib3", "http.client", "urllib.request"}
    found = []
    for path in (Path(apprise.__file__).parent / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [it.name for it in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if others & set(names) or ("requests" in names and isinstance(node, ast.ImportFrom)):
                found.append(f"{path.name}:{names}")
            if isinstance(node, ast.Attribute) and node.attr in {"Session", "session", "HTTPAdapter"}:
                found += [f"{path.name}:{node.attr}"] if ast.unparse(node.value).startswith("requests") else []
    assert found == []
