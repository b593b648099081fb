"""How this program is called by who started it: what it prints can be pasted."""

import os
from typing import Final

_CALLED: Final = "MONITORD_COMMAND"
"""Set by `deploy/run` and `deploy/monitord`, which run it from a checkout: nothing of it is on the PATH then."""


def command(arguments: str = "") -> str:
    """Returns the words with which a person calls it again, `deploy/monitord devices`."""
    return f"{os.environ.get(_CALLED) or 'monitord'} {arguments}".strip()
