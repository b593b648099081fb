"""Passwords in addresses, taken out before a person, a log or a message sees them."""

import re

HIDDEN = "***"
"""What stands where a secret stood."""

_USER_INFO = re.compile(r"(?<=://)[^\s'\"]*@")
# Greedy to the last @: a password may hold @, / and : although it should not. A path with @ loses its host: safe.
_QUERY = re.compile(r"(?<=[?&;])([^\s=&;'\"]+)=([^\s&;'\"]*)")
# All values, as no list of names such as `token` is ever complete.
_IN_PATH = re.compile(r"(?i)(pass(?:word|wd)?|pwd|token|secret|key|user(?:name)?)=([^\s&;/'\"]+)")
# Some cameras take `/user=admin_password=x_channel=1.sdp` as a path.


def redact(text: str) -> str:
    """Returns the text, an address or any text with addresses in it, with users, passwords and query values hidden."""
    text = _USER_INFO.sub(f"{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1={HIDDEN}", text)
    return _IN_PATH.sub(rf"\1={HIDDEN}", text)
