"""Any bytes as a configuration: a Config or words for the operator, soon, and never anything else."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.errors import ConfigError
from service.config import Config, load_config
from service.settings.yaml_lines import MOST_BYTES, MOST_ENTRIES

KEYS = [
    *("node", "sources", "mqtt", "bundle", "state_dir", "profiles", "home_assistant", "notify", "test_alarm"),
    *("runtime", "nursery", "microphone", "stream", "listen", "file", "loop", "name", "embedded", "host", "port"),
    *("username", "password_file", "tls", "ca_file", "channels", "url", "webhook", "url_file", "rooms", "severity"),
    *("language", "prefix", "discovery", "daily_at", "threshold", "remind_after_min", "<<", "", "0", "null"),
]
"""What may stand in a configuration, and what may not."""

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.sampled_from(
        ["rtsp://u:p@h/x", "http://[::", "rtsp://h:99999/", "~nobody/x", "/dev/null", "19:00", "\0", "../..", "ON"]
    ),
)

DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), inner, max_size=6)
    ),
    max_leaves=25,
)

SNIPPETS = st.sampled_from(
    [
        *(f"{key}: " for key in KEYS),
        *("\n", "  ", "\t", "- ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "!!timestamp ", "!!bool ", "!!float "),
        *("!!binary ", "!!set ", "!!omap ", "!!python/name:os.system ", "2001-13-45", "1_0", "0x", "1:61", ".inf", "?"),
        *("|", ">", "'", '"', "#", "%YAML 9.9\n", "---", "...", "\ufeff", "\x85", "12:30:45.6", "\\ud800"),
    ]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, written again and again."""
    return tmp_path_factory.mktemp("fuzz") / "monitord.yaml"


def read(path: Path, content: bytes) -> None:
    """Loads it; whatever it raises, but words for the operator, fails the test."""
    path.write_bytes(content)
    try:
        assert isinstance(load_config(path), Config)
    except ConfigError as error:
        said = str(error)
        assert said.startswith(str(path))
        assert len(said) < 20_000


@given(content=st.binary(max_size=200))
def test_any_bytes(path: Path, content: bytes) -> None:
    """Noise is no YAML, or a text."""
    read(path, content)


@given(parts=st.lists(SNIPPETS | st.text(max_size=5), max_size=15))
def test_any_pieces_of_yaml(path: Path, parts: list[str]) -> None:
    """Tags, anchors, dates and keys in any order."""
    read(path, "".join(parts).encode("utf-8", errors="surrogatepass"))


@settings(max_examples=200)
@given(document=DOCUMENTS)
def test_any_values_under_known_keys(path: Path, document: object) -> None:
    """Wrong kinds, sizes and places of values; JSON is YAML."""
    read(path, json.dumps(document).encode())


def bomb(levels: int = 60) -> str:
    """Aliases of aliases: ten to the power of `levels` values."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bomb(), f"more than {MOST_ENTRIES} values"),
        (bomb().replace("[*", "{<<: [*").replace("]", "]}"), "values|YAML"),
        ("a: &a {<<: [*a, *a]}", "a: unknown key|nested too deeply|no valid YAML"),
        ("a: &a [*a, *a]", "a: unknown key"),
        ("[" * 100_000, "nested too deeply"),
        ("{a: " * 10_000, "nested too deeply"),
        ("- " * 10_000, "nested too deeply|no valid YAML"),
        ("node: " + "1" * 100_000, "no|must be"),
        ("mqtt: {port: " + "9" * 4_000 + "}", "1 to 65535"),
        ("node: 1" + ":59" * 10_000, "is too long"),
        ("node: 2001-13-45", "no id"),
        ("node: !!int x", "in quotes"),
        ("node: !!timestamp x", "in quotes"),
        ("node: !!bool x", "in quotes"),
        ("node: !!python/object/apply:os.system [true]", "no valid YAML"),
        ("#" * (MOST_BYTES + 1), "larger than"),
        ('sources: {nursery: {microphone: default, name: "\\ud800"}}', "name"),
    ],
)
def test_bombs_are_refused_at_once(path: Path, content: str, says: str) -> None:
    """What is made to fill memory, to run code or to trip the reader ends as a sentence."""
    path.write_text(content)
    with pytest.raises(ConfigError, match=says):
        load_config(path)


def test_what_never_ends_is_no_configuration() -> None:
    """A device is read as far as a configuration may be long."""
    with pytest.raises(ConfigError, match="larger than"):
        load_config(Path("/dev/zero"))
