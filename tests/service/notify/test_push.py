"""Services that Apprise knows: real ntfy, JSON and SMTP conversations on loopback, and what is loaded for them."""

import io
import logging
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from service.messages.texts import Kind
from service.notify.notice import Notice, severity_of
from service.notify.push import Push, check_url
from service.notify.sending import NotSentError
from tests.support.patience import PATIENCE_S
from tests.support.servers.mail_server import mail_server
from tests.support.servers.post_server import serve_posts


def _notice(kind: Kind = "started", room: str = "Nursery") -> Notice:
    return Notice(
        kind, "nursery", "nursery-1", f"{room}: crying", "Since 19:02. <Hungry> & :smile:", severity_of(kind), 0.0
    )


@pytest.mark.parametrize(
    ("kind", "priority"),
    [
        ("reason", None),
        ("started", "high"),
        ("test", "high"),
        ("escalated", "max"),
        ("not_hearing", "max"),
        ("ended", "low"),
    ],
)
def test_ntfy_gets_topic_text_and_priority(kind: Kind, priority: str | None) -> None:
    """As ntfy documents it: `max` breaks through, left out is normal, `low` makes no sound; no icon from elsewhere."""
    with serve_posts() as server:
        Push(f"ntfy://{server.host}/alarms").send(_notice(kind, "Zoës Zimmer"))
        post = server.next()
    assert post.values == {
        "topic": "alarms",
        "title": "Zoës Zimmer: crying",
        "message": "Since 19:02. <Hungry> & :smile:",
    }
    assert post.headers.get("X-Priority") == priority
    assert "X-Icon" not in post.headers


def test_a_priority_in_the_url_holds() -> None:
    """What the family wrote is what it gets."""
    with serve_posts() as server:
        Push(f"ntfy://{server.host}/alarms?priority=min").send(_notice("escalated"))
        assert server.next().headers["X-Priority"] == "min"


def test_two_notices_go_one_after_the_other_at_once() -> None:
    """Apprise's own brake of 5.5 s between two requests would hold up an alarm: it stands at none."""
    with serve_posts() as server:
        push = Push(f"json://{server.host}/")
        push.send(_notice("reason"))
        push.send(_notice("reason"))
        service = next(iter(push._doors["normal"]))
        assert service.request_rate_per_sec == 0
        assert [server.next().values["type"], server.next().values["type"]] == ["info", "info"]


@pytest.mark.parametrize(("kind", "colour"), [("escalated", "failure"), ("started", "warning"), ("ended", "success")])
def test_services_that_colour_get_a_colour(kind: Kind, colour: str) -> None:
    """Apprise's types of notification follow the severity."""
    with serve_posts() as server:
        Push(f"json://{server.host}/").send(_notice(kind))
        values = server.next().values
    assert (values["type"], values["title"], values["message"]) == (
        colour,
        "Nursery: crying",
        "Since 19:02. <Hungry> & :smile:",
    )


@pytest.mark.parametrize(
    ("status", "words"), [(403, "it answers 403 Forbidden"), (500, "it answers 500 Internal Server Error")]
)
def test_a_refusal_says_why_and_keeps_the_secrets(status: int, words: str) -> None:
    """The status, no topic, no user, no password: neither in the error nor in the daemon's log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    try:
        with serve_posts() as server:
            server.answers = [status]
            with pytest.raises(NotSentError, match=f"^{words}$"):
                Push(f"ntfy://someone:password@{server.host}/secrettopic").send(_notice())
    finally:
        logging.getLogger().removeHandler(handler)
    assert written.getvalue() == ""


def test_a_service_that_hangs_is_given_up() -> None:
    """After the time to read of the URL, else ours."""
    with serve_posts() as server:
        server.answering.clear()
        with pytest.raises(NotSentError, match="does not answer in time"):
            Push(f"ntfy://{server.host}/alarms?rto=0.1").send(_notice())
        assert server.next().values["topic"] == "alarms"


def _mail_url(port: int) -> str:
    return f"mailto://me:word@127.0.0.1:{port}?from=monitor@house.test&to=mother@house.test&mode=insecure"


def test_a_mail_arrives() -> None:
    """A real SMTP conversation: subject, text as it was meant, and the address that the family chose."""
    with mail_server() as site:
        Push(_mail_url(site.port)).send(_notice())
        mail = message_from_bytes(site.mails.get(timeout=PATIENCE_S), EmailMessage, policy=policy.default)
    assert mail["Subject"] == "Nursery: crying"
    assert "mother@house.test" in mail["To"]
    plain, html = mail.get_body(["plain"]), mail.get_body(["html"])
    assert plain is not None or html is not None
    text = (plain or html).get_content()  # type: ignore[union-attr]  # one is there
    assert "Since 19:02." in text
    assert html is None or "<Hungry>" not in html.get_content()


@pytest.mark.parametrize(
    ("command", "answer", "words"),
    [
        ("AUTH", "535 no", r"it refuses the user or the password \(535\)"),
        ("RCPT", "550 unknown", r"it refuses every receiver \(550\)"),
        ("MAIL", "451 later", "it answers 451"),
        (".", "554 spam", "it answers 554"),
        ("DATA", "421 closing", "it answers 421"),
    ],
)
def test_a_mail_that_is_refused(command: str, answer: str, words: str) -> None:
    """At whatever step, it is not told, and the server's number is said."""
    with mail_server() as site:
        site.answers = {command: answer}
        with pytest.raises(NotSentError, match=f"^{words}$"):
            Push(_mail_url(site.port)).send(_notice())
        assert site.mails.empty()


def test_a_mail_server_without_starttls_gets_no_password() -> None:
    """Who takes STARTTLS out of the answer on the way gets nothing in clear."""
    with mail_server() as site:
        with pytest.raises(NotSentError, match="STARTTLS"):
            Push(_mail_url(site.port).replace("insecure", "starttls")).send(_notice())
        assert (site.logins, site.mails.qsize()) == ([], 0)


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://alarms",
        "ntfys://user:word@ntfy.example/alarms",
        "pover://abcdefghijklmnopqrstuvwxyz1234@abcdefghijklmnopqrstuvwxyz1234",
        "tgram://123456789:abcdefghijklmnopqrstuvwxyz_12345678/12315544/",
        "mailto://user:word@mail.example?to=mother@house.example",
        "json://server.local/cry",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    ],
)
def test_addresses_that_apprise_knows(url: str) -> None:
    """Services that parents use, and an address as a service itself shows it."""
    check_url(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ntfyy://server/secret", "did you mean ntfy://"),
        ("ntfy://alarms.secret", "no complete ntfy:// address"),  # a host without a topic tells nobody
        ("tgram://secret", "no complete tgram:// address"),
        ("secret", r"allowed are \d+ kinds, such as ntfy://HOST/TOPIC"),
        ("http://user:secret@", "no address that Apprise knows"),
    ],
)
def test_addresses_that_apprise_does_not_know(url: str, words: str) -> None:
    """The error says what is allowed and repeats no secret."""
    with pytest.raises(ValueError, match=words) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


LOADED = """
import sys
from service.notify.settings import NotifyConfig
from service.notify.notifier import Notifier
channels = {sys.argv[1]: {sys.argv[1]: sys.argv[2]}} if sys.argv[1:] else {}
Notifier.build(NotifyConfig.model_validate({"channels": channels}), print)
print(*sorted({"apprise", "requests"} & set(sys.modules)))
"""
"""Builds a notifier in a fresh interpreter, then tells which packages it loaded."""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [([], ""), (["webhook", "http://server.local/cry"], "requests"), (["url", "ntfy://alarms"], "apprise requests")],
)
def test_heavy_packages_only_where_a_channel_needs_them(arguments: list[str], loaded: str) -> None:
    """A daemon without channels pays nothing, one with a webhook no Apprise."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert done.stdout.strip() == loaded
