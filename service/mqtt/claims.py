"""What one monitord of a machine holds so that another finds it held: its node name at a broker on loopback.

By sockets that have a name and no file: they reach as far as the loopback does (a container with a network of its own
has its own), and the kernel forgets them with the process, however it ends.
"""

import contextlib
import errno
import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held(what: str) -> Iterator[bool]:
    """Holds it until the block is left; yields whether nobody else does."""
    name = hashlib.sha256(what.encode()).hexdigest()[:32]  # the kernel takes 107 bytes
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        try:
            sock.bind(f"\0monitord-held-{name}")
        except OSError as error:  # another error is none that another monitord makes
            yield error.errno != errno.EADDRINUSE
        else:
            yield True
