"""What the Supervisor is asked, and what becomes of each of its answers."""

import logging

import pytest

from service.homeassistant_app.supervisor import ATTEMPTS, Broker, Supervisor
from tests.support.homeassistant.supervisor import NO_SERVICE, TOKEN, Answer, FakeSupervisor, serve_supervisor

OFFERED = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "geheim"}


def asking(address: str, waits: list[float], token: str = TOKEN) -> Supervisor:
    return Supervisor(address, token, wait=waits.append)


def test_a_broker_that_is_offered(caplog: pytest.LogCaptureFixture) -> None:
    """With all that is needed to be let in; its password is in no repr and no log."""
    waits: list[float] = []
    with serve_supervisor(FakeSupervisor(mqtt=(200, {"result": "ok", "data": OFFERED}))) as supervisor:
        broker = asking(supervisor.address, waits).broker()
    assert broker == Broker(host="core-mosquitto", port=1883, username="addons", password="geheim")
    assert "geheim" not in repr(broker) + caplog.text
    assert waits == []


@pytest.mark.parametrize(
    "login", [{"username": "", "password": ""}, {"username": None, "password": None}, {"password": "geheim"}, {}]
)
def test_a_broker_that_asks_for_no_password(login: dict[str, str | None]) -> None:
    """Whether it is left out, null or empty; and MQTT has no password without a user."""
    told = {"host": "emqx", "port": 1883, **login}
    with serve_supervisor(FakeSupervisor(mqtt=(200, {"result": "ok", "data": told}))) as supervisor:
        broker = asking(supervisor.address, []).broker()
    assert broker is not None
    assert (broker.username, broker.password) == (None, None)


def test_two_questions_in_vain_take_hardly_longer_than_one() -> None:
    """Nobody hears the rooms meanwhile: the second is asked once."""
    waits: list[float] = []
    with serve_supervisor(FakeSupervisor(failing=1_000)) as supervisor:
        asked = asking(supervisor.address, waits)
        assert (asked.broker(), asked.ingress_port()) == (None, None)
    assert len(waits) == ATTEMPTS - 1
    assert len(supervisor.asked) == ATTEMPTS + 1


def test_none_is_offered() -> None:
    """The answer is taken at its word: nobody waits for a broker that is not installed."""
    waits: list[float] = []
    with serve_supervisor(FakeSupervisor(mqtt=NO_SERVICE)) as supervisor:
        assert asking(supervisor.address, waits).broker() is None
    assert waits == []


@pytest.mark.parametrize(("port", "told"), [(62_001, 62_001), (0, None)])
def test_the_port_of_the_page(port: int, told: int | None) -> None:
    """As the Supervisor has chosen it."""
    with serve_supervisor(FakeSupervisor(ingress_port=port)) as supervisor:
        assert asking(supervisor.address, []).ingress_port() == told


def test_one_that_starts_is_asked_again() -> None:
    """A Home Assistant that starts answers at last."""
    waits: list[float] = []
    with serve_supervisor(FakeSupervisor(ingress_port=62_001, failing=ATTEMPTS - 1)) as supervisor:
        assert asking(supervisor.address, waits).ingress_port() == 62_001
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize(
    ("answer", "token", "said"),
    [
        ((502, {}), TOKEN, "it answers 502"),
        ((200, {"result": "ok", "data": {}}), "wrong", "it answers 401"),
        ((200, {"data": {**OFFERED, "port": None}}), TOKEN, "what it answers is not understood"),
        ((200, {"result": "ok"}), TOKEN, "what it answers is not understood"),
        ((200, {"data": {**OFFERED, "host": "mqtt://nas.lan"}}), TOKEN, "what it answers is not understood"),
        ((200, {"data": {**OFFERED, "port": 0}}), TOKEN, "what it answers is not understood"),
        ((200, "<html>"), TOKEN, "what it answers is not understood"),
        (None, TOKEN, "no connection"),
    ],
)
def test_what_is_no_answer_is_told(
    answer: Answer | None, token: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After the last attempt, with what helps, and nothing of what a wrong answer holds."""
    waits: list[float] = []
    if answer is None:
        assert asking("http://127.0.0.1:9", waits, token).broker() is None
    else:
        with serve_supervisor(FakeSupervisor(mqtt=answer)) as supervisor:
            assert asking(supervisor.address, waits, token).broker() is None
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.getMessage() == (
        f"the Supervisor does not tell /services/mqtt: {said}; restart the app once Home Assistant is up"
    )
    assert len(waits) == ATTEMPTS - 1
    assert "geheim" not in caplog.text
