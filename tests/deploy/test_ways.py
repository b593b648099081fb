"""Each way in the README's table of installations is followed by a test that ends in a heard cry."""

import re

from tests.support.documents import README
from tests.support.paths import ROOT

WAYS = {
    "sudo deploy/install": "tests/deploy/test_bare_debian.py:test_deploy_install",
    "deploy/run": "tests/deploy/test_bare_debian.py:test_deploy_run",
    "uv tool install": "tests/deploy/test_bare_debian.py:test_uv_tool",
    "deploy/container": "tests/container/test_image.py:test_a_configuration_is_heard_by_and_obeyed_anew",
    "deploy/homeassistant-app": "tests/homeassistant_app/test_app.py:test_a_cry_reaches_home_assistant",
    "a ward": "tests/service/ward/test_shard.py:test_a_machine_that_is_lost",
}
"""By what the table says of how: the test that does it."""


def test_each_way_of_the_table_is_followed() -> None:
    """What stands in its second column has a test, and that is there."""
    _, _, section = README.read_text().partition("## Install it\n")
    rows = [row.split("|")[2] for row in section.partition("\n## ")[0].splitlines() if row.startswith("|")]
    ways = [re.sub(r"\(.*?\)|[\[\]`]", "", how).strip() for how in rows[2:]]
    assert len(ways) >= 4
    assert [way for way in ways if way not in WAYS] == []
    for way in ways:
        file, _, test = WAYS[way].partition(":")
        assert f"def {test}(" in (ROOT / file).read_text(), way
