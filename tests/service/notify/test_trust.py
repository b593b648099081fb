"""Certificates of the family's own: refused with the way out in words, held by ca_file or fingerprint, else nothing."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from service.notify.push import Push
from service.notify.trust import Trust
from service.notify.webhook import Webhook
from service.settings.fingerprints import plain_fingerprint
from tests.support.servers.lookalikes import SERVICES, all_names, look_alike
from tests.support.servers.mail_server import mail_server
from tests.support.servers.mosquitto import authority, certificate, expired
from tests.support.servers.told_house import why_not_told

Way = Callable[[tuple[Path, Path], Trust], str]
"""Serves with a certificate and its key, tells a notice with this trust, and returns why it was not told."""


@dataclass(frozen=True)
class Pki:
    """Certificates and what belongs to them."""

    ca_file: Path
    stranger: Path
    good: tuple[Path, Path]
    other_name: tuple[Path, Path]
    expired: tuple[Path, Path]

    def fingerprint(self, tls: tuple[Path, Path]) -> str:
        """Of a certificate, as a browser shows it."""
        digits = sha256(ssl.PEM_cert_to_DER_cert(tls[0].read_text())).hexdigest().upper()
        return plain_fingerprint(":".join(digits[at : at + 2] for at in range(0, 64, 2)))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Made once."""
    folder, elsewhere = tmp_path_factory.mktemp("pki"), tmp_path_factory.mktemp("other")
    ca = authority(folder)
    return Pki(
        ca[0],
        authority(elsewhere)[0],
        certificate(folder, ca, "good", all_names()),
        certificate(folder, ca, "other", "DNS:elsewhere.test"),
        expired(folder, ca, all_names()),
    )


@contextmanager
def _service(name: str, tls: tuple[Path, Path]) -> Iterator[str]:
    with look_alike(next(it for it in SERVICES if it.name == name), tls) as site:
        yield site.url


def _webhook(tls: tuple[Path, Path], trust: Trust) -> str:
    with _service("ntfy", tls) as url:
        return why_not_told(Webhook(url.replace("ntfys://", "https://"), trust))


def _ntfy(tls: tuple[Path, Path], trust: Trust) -> str:
    with _service("ntfy", tls) as url:
        return why_not_told(Push(url, trust))


def _mail(tls: tuple[Path, Path], trust: Trust, mode: str = "ssl") -> str:
    with mail_server(tls, starttls=mode == "starttls") as site:
        url = f"mailtos://me:word@127.0.0.1:{site.port}?from=monitor@house.test&to=mother@house.test&mode={mode}"
        why = why_not_told(Push(url, trust))
        # Neither a password nor a word of the alarm goes to whoever is not trusted.
        assert (site.mails.qsize(), bool(site.logins)) == ((1, True) if why == "" else (0, False))
        return why


def _starttls(tls: tuple[Path, Path], trust: Trust) -> str:
    return _mail(tls, trust, "starttls")


@pytest.fixture(params=[_webhook, _ntfy, _mail, _starttls], ids=["webhook", "push", "mail", "mail with STARTTLS"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each way over TLS."""
    way: Way = request.param
    return way


def test_unknown_signers(way: Way, pki: Pki) -> None:
    """Nobody is believed because nothing was said; the words name what to write."""
    for trust in (Trust(), Trust(ca_file=pki.stranger)):
        why = way(pki.good, trust)
        assert why.startswith("its certificate does not hold (")
        assert "ca_file" in why
        assert "fingerprint" in why


def test_the_authority_is_named(way: Way, pki: Pki) -> None:
    """Chain, name and dates hold."""
    assert way(pki.good, Trust(ca_file=pki.ca_file)) == ""


def test_another_name(way: Way, pki: Pki) -> None:
    """The right authority is not enough."""
    why = way(pki.other_name, Trust(ca_file=pki.ca_file))
    assert "mismatch" in why
    assert "write the name that it is for" in why


def test_an_old_certificate(way: Way, pki: Pki) -> None:
    """It is to be renewed, or the clock here is wrong."""
    why = way(pki.expired, Trust(ca_file=pki.ca_file))
    assert "expired" in why
    assert "clock" in why


def test_one_certificate(way: Way, pki: Pki) -> None:
    """Its fingerprint holds, whatever its name and dates; another one does not, and says which came."""
    for tls in (pki.good, pki.other_name, pki.expired):
        assert way(tls, Trust(fingerprint=pki.fingerprint(tls))) == ""
    why = way(pki.good, Trust(fingerprint=pki.fingerprint(pki.expired)))
    assert pki.fingerprint(pki.good) in why.replace(":", "")


def test_no_tls_there() -> None:
    """A server that speaks plain HTTP where HTTPS was written."""
    with look_alike(SERVICES[0], None) as site:
        for sender in (Push(site.url), Webhook(f"https://127.0.0.1:{site.port}/")):
            assert why_not_told(sender).startswith("no TLS there (")
        assert site.requests == []


def test_what_this_machine_trusts(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority that the administrator installed counts without a word, as it does for the broker."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would take the place of all others
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca_file))
    assert _webhook(pki.good, Trust()) == ""
    assert _ntfy(pki.good, Trust()) == ""


def test_certificates_that_are_gone(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be it since the start, or by a variable of the environment: the file is named, and nobody is believed."""
    gone = tmp_path / "gone.crt"
    for way in (_webhook, _ntfy):
        assert _refused_file(way(pki.good, Trust(ca_file=gone))) == str(gone)
    for mail in (_mail, _starttls):
        assert _refused_file(mail(pki.good, Trust(ca_file=gone))) == "ca_file"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(gone))
    for way in (_webhook, _ntfy):
        assert "REQUESTS_CA_BUNDLE" in _refused_file(way(pki.good, Trust()))


def _refused_file(why: str) -> str:
    return why.removeprefix("the certificates to trust cannot be read (").removesuffix(")")
