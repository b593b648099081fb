"""Every way in which the most used services answer, on real look-alikes: who was told is told so, and nobody else."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.notify.notice import Notice, Severity
from service.notify.push import Push
from service.notify.sending import NotSentError
from service.notify.trust import Trust
from tests.support.servers.lookalikes import PAGE, SERVICES, LookAlike, Service, all_names, look_alike, tunnel
from tests.support.servers.mosquitto import authority, certificate

ALARM = Notice("started", "nursery", "nursery-1", "Nursery: crying", "Since 19:02.", Severity.WARNING, 0.0)


@dataclass(frozen=True)
class Pki:
    """An authority of the family's own, and a certificate for all the names."""

    ca_file: Path
    tls: tuple[Path, Path]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Made once."""
    folder = tmp_path_factory.mktemp("pki")
    ca = authority(folder)
    return Pki(ca[0], certificate(folder, ca, "all", all_names()))


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def site(request: pytest.FixtureRequest, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> Iterator[LookAlike]:
    """One service after the other; those of the world are found by a proxy, those of the house in spite of it."""
    service: Service = request.param
    with ExitStack() as stack:
        site = stack.enter_context(look_alike(service, pki.tls))
        proxy = stack.enter_context(tunnel(site.port))
        monkeypatch.setenv("https_proxy", proxy.url)
        yield site
        assert bool(proxy.asked) == bool(service.host)


def told(site: LookAlike, pki: Pki) -> str:
    """Returns why the family was not told; empty: it was."""
    try:
        Push(site.url, Trust(ca_file=pki.ca_file)).send(ALARM)
    except NotSentError as error:
        return str(error) or "no word"
    return ""


def test_taken(site: LookAlike, pki: Pki) -> None:
    """What the service takes counts as told, by its own answer."""
    assert told(site, pki) == ""
    assert site.taken


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirection_that_loses_the_content(site: LookAlike, pki: Pki, status: int) -> None:
    """A GET of the new place answers 200, and nobody is told: neither is the family."""
    site.answer, site.location = (status, ""), "/moved/elsewhere"
    why = told(site, pki)
    assert why.startswith(f"it answers {status} ")
    assert "moved" in why
    assert not site.taken
    assert {it.method for it in site.requests if "/moved" in it.path} == set()


def test_a_redirection_that_keeps_the_content(site: LookAlike, pki: Pki) -> None:
    """On the same server, with the same method: it is followed, and the last answer counts."""
    site.answer, site.location = (308, ""), "/movedPATH"
    assert told(site, pki) == ""
    assert site.taken


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirection_to_another_host(site: LookAlike, pki: Pki, status: int) -> None:
    """Topic, words and password are not shown to somebody else; the way out is said, without a secret."""
    with look_alike(site.service, pki.tls) as other:
        site.answer, site.location = (status, ""), f"https://user:word@localhost:{other.port}/secret"
        why = told(site, pki)
        assert other.requests == []
    assert f"https://localhost:{other.port}" in why
    assert "secret" not in why
    assert "word" not in why


def test_a_refusal_within_a_success(site: LookAlike, pki: Pki) -> None:
    """200, and a body that says no: as the service says it."""
    site.answer = site.service.no
    assert told(site, pki)


def test_a_page_is_no_answer(site: LookAlike, pki: Pki) -> None:
    """A login page, or a portal on the way, answers everything with a page and 200."""
    site.answer = (200, PAGE)
    assert told(site, pki)


@pytest.mark.parametrize(
    ("status", "words"), [(429, "it answers 429 Too Many Requests"), (503, "it answers 503 Service Unavailable")]
)
def test_a_service_that_is_busy_or_broken(site: LookAlike, pki: Pki, status: int, words: str) -> None:
    """Its status is said."""
    site.answer = (status, '{"retry_after_ms":1}')
    assert told(site, pki).startswith(words)
    assert not site.taken
