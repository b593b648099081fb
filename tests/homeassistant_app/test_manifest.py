"""deploy/homeassistant-app as Home Assistant reads it: its keys, words for each option, pictures, versions."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from service.homeassistant_app.__main__ import USER
from service.homeassistant_app.configuration import Folders
from service.homeassistant_app.options import Options, RoomOption
from service.messages.texts import languages
from service.storage.history import HISTORY
from service.web.family.rooms import DOCUMENT
from service.web.past.clip_store import CLIPS
from tests.support.container.containers import USER as CONTAINERS_USER
from tests.support.paths import ROOT

REPOSITORY = ROOT / "deploy" / "homeassistant-app"
APP = REPOSITORY / "monitord"

KEYS = """
apparmor arch audio auth_api backup backup_exclude backup_post backup_pre boot breaking_versions description devices
devicetree discovery docker_api environment full_access gpio hassio_api hassio_role homeassistant homeassistant_api
host_dbus host_ipc host_network host_pid host_uts image ingress ingress_entry ingress_port ingress_stream init journald
kernel_modules legacy machine map name options panel_admin panel_icon panel_title ports ports_description privileged
realtime schema services slug stage startup stdin timeout tmpfs uart udev ulimits url usb version video watchdog webui
"""
"""Those that the Supervisor knows: Home Assistant's developer documentation, *App configuration*, November 2026."""
ARCHITECTURES = {"aarch64", "amd64"}
"""The same: all that there are since 2025."""
KINDS = re.compile(r"(str|int|float|bool|email|url|password|port|match|list|device)(\(.*\))?\??")
"""The same: of values in a schema."""
BOUNDED = re.compile(r"(str|password)\(")
"""Of a text with a least or greatest length, a Supervisor of before July 2026 refuses every value: it compares the text
itself with the number (home-assistant/supervisor, pull request 7044)."""
FILES = {
    "CHANGELOG.md", "DOCS.md", "Dockerfile", "README.md", "apparmor.txt", "config.yaml", "icon.png", "logo.png",
    "translations/de.yaml", "translations/en.yaml",
}  # fmt: skip
"""The same: of an app."""


def read(name: str) -> dict[str, Any]:
    """Any: values of YAML."""
    return dict(yaml.safe_load((APP / name).read_text(encoding="utf-8")))


MANIFEST = read("config.yaml")


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_the_files_are_those_of_an_app() -> None:
    """And no other is called config: the Supervisor takes each of that name for an app."""
    assert {path.relative_to(APP).as_posix() for path in APP.rglob("*") if path.is_file()} == FILES
    assert [path.parent for path in REPOSITORY.rglob("config.*")] == [APP]
    assert yaml.safe_load((REPOSITORY / "repository.yaml").read_text()) == {"name": "monitord"}


def test_every_key_is_one_that_the_supervisor_knows() -> None:
    """It refuses others, or passes over them in silence."""
    assert set(MANIFEST) <= set(KEYS.split())
    assert {"name", "version", "slug", "description", "arch"} <= set(MANIFEST)
    assert set(MANIFEST["arch"]) == ARCHITECTURES
    assert MANIFEST["services"] == ["mqtt:want"]
    assert [mapped["type"] for mapped in MANIFEST["map"]] == ["app_config"]
    assert MANIFEST["audio"]
    assert MANIFEST["ingress"]


def test_no_sound_is_in_a_backup() -> None:
    """It may go to a cloud. Nor is what is half written: a file that vanishes meanwhile spoils the backup."""
    folders = Folders(Path("/data"), Path("/config"), Path("/run/monitord"))
    left_out = MANIFEST["backup_exclude"]
    for path in (folders.state / CLIPS, folders.state / f"{DOCUMENT}.json.new"):
        assert any(path.match(pattern) for pattern in left_out), path
    for path in (folders.state, folders.state / HISTORY, folders.config / CLIPS, folders.options):
        assert not any(path.match(pattern) for pattern in left_out), path


def test_it_asks_for_nothing_that_lowers_its_rating_but_the_network() -> None:
    """Five, two more for ingress, one for the profile, one less for the network: six at most."""
    lowers = {
        "auth_api",
        "docker_api",
        "full_access",
        "hassio_role",
        "host_pid",
        "host_uts",
        "kernel_modules",
        "privileged",
    }
    assert lowers & set(MANIFEST) == set()
    assert MANIFEST.get("apparmor", True)
    assert "6 of 6" in (APP / "DOCS.md").read_text()


def test_the_schema_is_what_is_read() -> None:
    """Each option and each field of a room, with kinds that the Supervisor knows; nothing is chosen at first."""
    schema = MANIFEST["schema"]
    assert set(schema) == set(Options.model_fields)
    assert set(schema["rooms"][0]) == set(RoomOption.model_fields)
    kinds = [schema["language"], schema["threshold"], *schema["owners"], *schema["rooms"][0].values()]
    assert all(KINDS.fullmatch(kind) for kind in kinds)
    assert [kind for kind in kinds if BOUNDED.match(kind)] == []
    assert set(schema["language"].removeprefix("list(").removesuffix(")?").split("|")) == set(languages())
    assert Options.model_validate(MANIFEST["options"]) == Options()


@pytest.mark.parametrize("language", languages())
def test_there_are_words_for_each_option_and_no_more(language: str) -> None:
    """A name and a sentence, in each language of what parents read."""
    told = read(f"translations/{language}.yaml")
    assert set(told) == {"configuration"}
    assert set(told["configuration"]) == set(MANIFEST["schema"])
    fields = told["configuration"]["rooms"].pop("fields")
    assert set(fields) == set(MANIFEST["schema"]["rooms"][0])
    for option in (*told["configuration"].values(), *fields.values()):
        assert set(option) == {"name", "description"}
        assert all(option.values())


def test_its_documentation_names_each_option() -> None:
    """In the table, and in the example, which is read."""
    text = (APP / "DOCS.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(MANIFEST["schema"])
    example = re.search(r"```yaml\n(rooms:.*?)```", text, re.DOTALL)
    assert example is not None
    options = Options.model_validate(yaml.safe_load(example[1]))
    assert options.model_fields_set == set(Options.model_fields)


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_its_pictures_are_as_large_as_home_assistant_wants_them(name: str, size: tuple[int, int]) -> None:
    """Home Assistant's developer documentation, *Presenting your app*."""
    with Image.open(APP / name) as picture:
        assert (picture.format, picture.size) == ("PNG", size)


def test_it_is_of_this_version_of_monitord() -> None:
    """Manifest, image, label and changelog."""
    dockerfile = (APP / "Dockerfile").read_text()
    assert MANIFEST["version"] == version()
    assert re.findall(r"^ARG BASE=\S+:(\S+)$", dockerfile, re.MULTILINE) == [version()]
    assert re.findall(r"io\.hass\.version=(\S+)", dockerfile) == [version()]
    assert re.findall(r"^## (\S+)", (APP / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version()


def test_the_image_is_told_apart_as_an_app() -> None:
    """By labels, since there is no build.yaml any more; and its daemon is the user of the image."""
    dockerfile = (APP / "Dockerfile").read_text()
    assert "io.hass.type=app" in dockerfile
    (architectures,) = re.findall(r'io\.hass\.arch="(\S+)"', dockerfile)
    assert set(architectures.split("|")) == ARCHITECTURES
    assert USER == CONTAINERS_USER


@pytest.mark.e2e
def test_the_profile_is_read_by_apparmor() -> None:
    """Its own parser; and it is named after the app, as the Supervisor wants it."""
    command = ["apparmor_parser", "--skip-kernel-load", "--skip-cache", str(APP / "apparmor.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    named = subprocess.run([*command, "--names"], capture_output=True, text=True, check=True).stdout.split()
    assert named == [MANIFEST["slug"]]
