"""How much is logged: our own loggers obey, and no library tells its details."""

import logging

import pytest

from service.cli import main
from service.terminal.log_level import LEVELS, logging_from

NOISY = ("urllib3.connectionpool", "requests", "paho", "apprise", "asyncio", "PIL", "libav")
"""Loggers of libraries: what some of them write under `debug` holds addresses with tokens, and payloads."""


@pytest.mark.parametrize("level", LEVELS)
def test_our_loggers_obey(level: str) -> None:
    """What is asked for passes, what is below does not."""
    least = logging.getLevelNamesMapping()[level.upper()]
    with logging_from(level):
        for name in ("service.capture.capture_thread", "model.runtime"):
            assert logging.getLogger(name).isEnabledFor(least)
            assert not logging.getLogger(name).isEnabledFor(least - 1)


def test_it_is_as_before(caplog: pytest.LogCaptureFixture) -> None:
    """Behind the block: a program that hosts a command keeps its own levels."""
    caplog.set_level(logging.INFO)
    with logging_from("error"):
        logging.getLogger("service.app").warning("within")
    logging.getLogger("service.app").info("behind")
    assert caplog.messages == ["behind"]


@pytest.mark.parametrize("name", NOISY)
def test_libraries_tell_no_details(name: str) -> None:
    """Under `debug` as well: nobody has looked at their lines for secrets."""
    with logging_from("debug"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize(
    "command",
    [["run"], ["check"], ["replay"], ["devices"], ["status"], ["dashboard"], ["test-alarm"], ["bundle", "show"]],
    ids=" ".join,
)
def test_every_command_has_it(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what it does where nothing is asked for."""
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    assert "--log-level {debug,info,warning,error}" in capsys.readouterr().out
