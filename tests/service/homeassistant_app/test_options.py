"""What a family types into the form: what is right, and what is said where it is not."""

import json
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.homeassistant_app.options import Options, RoomOption, read_options


def written(folder: Path, options: object) -> Path:
    path = folder / "options.json"
    path.write_text(json.dumps(options))
    return path


def test_all_that_can_be_said(tmp_path: Path) -> None:
    """Each option; what was emptied in the form is left out."""
    rooms = [
        {"name": "Nursery", "microphone": "default", "stream": ""},
        {"name": "Küche", "stream": "rtsp://anna:geheim@camera.local/live"},
    ]
    said = {"rooms": rooms, "language": "", "threshold": 0.5, "owners": ["anna"]}
    options = read_options(written(tmp_path, said))
    assert options == Options(
        rooms=(
            RoomOption(name="Nursery", microphone="default"),
            RoomOption(name="Küche", stream="rtsp://anna:geheim@camera.local/live"),
        ),
        threshold=0.5,
        owners=("anna",),
    )
    assert "geheim" not in repr(options)


def test_a_space_that_was_pasted_along_is_no_part_of_it(tmp_path: Path) -> None:
    """An owner of that name would never be known, and an address begins with its protocol."""
    rooms = [{"name": " Attic ", "stream": "rtsp://camera.local/live\n", "microphone": " "}]
    options = read_options(written(tmp_path, {"rooms": rooms, "owners": ["anna "], "language": " "}))
    assert options.rooms == (RoomOption(name="Attic", stream="rtsp://camera.local/live"),)
    assert (options.owners, options.language) == (("anna",), None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rooms": [{"name": ""}]}, "option rooms.0.name: must not be empty"),
        ({"rooms": [{"name": " "}]}, "option rooms.0.name: must not be empty"),
        ({"rooms": [{"microphone": "default"}]}, "option rooms.0.name: is missing"),
        ({"rooms": {"name": "Attic"}}, "option rooms: must be a list"),
        (
            {"rooms": [{"name": "Attic"}]},
            "option rooms.0: 'Attic' needs either microphone (default is the one that is chosen under Audio) or stream",
        ),
        (
            {"rooms": [{"name": "Attic", "microphone": "default", "stream": "rtsp://a/b"}]},
            "option rooms.0: 'Attic' needs either microphone",
        ),
        ({"rooms": [{"name": "Attic", "stream": "camera.local"}]}, "option rooms.0.stream: "),
        (
            {"rooms": [{"name": "Attic", "microphone": "rtsp://anna:geheim@camera.local/live"}]},
            "option rooms.0.microphone: is a URL; write it as stream",
        ),
        ({"rooms": [{"name": "A" * 65, "microphone": "x"}]}, "option rooms.0.name: is too long (at most 64"),
        ({"language": "fr"}, "option language: 'fr' is not allowed; allowed are de, en"),
        ({"threshold": 1}, "option threshold: 1 is out of bounds: should be less than 1"),
        ({"threshold": "high"}, "option threshold: must be a number"),
        ({"owner": ["anna"]}, "option owner: unknown key; did you mean 'owners'; allowed are"),
        ([], "option: must hold keys"),
    ],
)
def test_mistakes_name_the_option_and_what_helps(tmp_path: Path, options: object, said: str) -> None:
    """As the form names it, by its place in the list."""
    with pytest.raises(ConfigError) as refused:
        read_options(written(tmp_path, options))
    assert str(refused.value).startswith(said)
    assert "geheim" not in str(refused.value)


def test_all_mistakes_at_once_and_no_password(tmp_path: Path) -> None:
    """One a line; the address of a camera is not repeated."""
    said = {"rooms": [{"name": "A", "stream": "ftp://anna:geheim@camera.local"}, {"name": ""}], "language": "fr"}
    with pytest.raises(ConfigError) as refused:
        read_options(written(tmp_path, said))
    assert len(str(refused.value).splitlines()) == 3
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(("text", "said"), [(None, "cannot read the app's options"), ("{", "is no JSON")])
def test_a_file_that_is_none(tmp_path: Path, text: str | None, said: str) -> None:
    """The Supervisor writes it; where it does not, the file is named."""
    path = tmp_path / "options.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=f"options.json: {said}"):
        read_options(path)
