"""Secrets by name: from systemd's directory in a service, from beside the configuration for a person."""

from pathlib import Path

import pytest
import yaml

from monitord.errors import ConfigError
from service.config import load_config
from service.settings.credentials import with_credentials


def write(folder: Path, mqtt: dict[str, str]) -> Path:
    """Writes a configuration; returns its path."""
    path = folder / "monitord.yaml"
    path.write_text(yaml.safe_dump({"mqtt": {"username": "monitord", **mqtt}, "state_dir": str(folder)}))
    return path


def test_a_service_reads_what_systemd_hands_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LoadCredential=monitord:FOLDER names each file monitord_NAME."""
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "monitord_mqtt-password").write_text("secret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    config = load_config(write(tmp_path, {"password_file": "credential:mqtt-password"}))
    assert config.mqtt.password_file == handed / "monitord_mqtt-password"


def test_a_person_reads_the_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of the service the folder `credentials` beside the configuration is meant, also from elsewhere."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "mqtt-password").write_text("secret\n")
    path = write(tmp_path, {"password_file": "credential:mqtt-password"})
    monkeypatch.chdir(tmp_path)
    assert load_config(Path(path.name)).mqtt.password_file == tmp_path / "credentials" / "mqtt-password"


def test_a_credential_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path that was looked at is named, with the key."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError, match=r"mqtt\.password_file: there is no file .*/credentials/gone"):
        load_config(write(tmp_path, {"password_file": "credential:gone"}))


def test_only_keys_of_files_name_credentials(tmp_path: Path) -> None:
    """A user of that name stays what he is; lists are walked, and a mapping that holds itself ends."""
    data: dict[str, object] = {"username": "credential:x", "all": [{"url_file": "credential:y"}]}
    data["self"] = data
    found = with_credentials(data, tmp_path)
    assert isinstance(found, dict)
    assert found["username"] == "credential:x"
    assert found["all"][0]["url_file"].endswith("y")
