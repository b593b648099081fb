"""A password in a file of its own: which part of it counts, and what is wrong with one."""

import logging
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.settings.password import read_password


@pytest.mark.parametrize("text", ["secret", "secret\n", "secret\r\n", "secret\n\n"])
def test_a_password_is_the_first_line(tmp_path: Path, text: str) -> None:
    """Editors and echo add line ends; they are not the password."""
    path = tmp_path / "password"
    path.write_text(text, newline="")
    path.chmod(0o600)
    assert read_password(path) == "secret"


def test_a_password_may_hold_spaces(tmp_path: Path) -> None:
    """Only the line end is taken away."""
    path = tmp_path / "password"
    path.write_text(" a b \n")
    path.chmod(0o600)
    assert read_password(path) == " a b "


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\nx", "is empty"), (b"a\nb\n", "has 2 lines"), (b"\xff\xfe", "no UTF-8 text")],
)
def test_a_bad_password_file_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    """What is wrong, and never the content."""
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_password(path)


def test_a_password_for_everybody_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is used all the same, and the operator is told the remedy."""
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_password(path) == "secret"
    assert f"chmod 600 {path}" in caplog.text
    assert "secret" not in caplog.text


def test_a_missing_password_file_is_told(tmp_path: Path) -> None:
    """The path and the reason."""
    with pytest.raises(ConfigError, match="cannot read the password file: No such file"):
        read_password(tmp_path / "none")
