"""What FFmpeg's protocols of streams are."""

from typing import Final

PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443}
"""Where a URL names none. FFmpeg's."""

SECURED: Final = ("https", "rtsps", "rtmps")
"""Those over TLS."""
