"""A camera: an RTSP server made of GStreamer. Run by the system's Python, which has GStreamer; imported by the tests.

As a program: `rtsp_server.py WAV CODEC PORT [USER PASSWORD]` serves the WAV once per listener, at /live, and prints its
port; with a picture beside the sound, as cameras send.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"
"""Has python3-gi; an environment of its own has not."""

CODECS = {
    "aac": ("audio/x-raw,rate=44100,channels=2", "avenc_aac bitrate=64000 ! aacparse ! rtpmp4gpay"),
    "opus": ("audio/x-raw,rate=48000,channels=1", "opusenc ! rtpopuspay"),
    "alaw": ("audio/x-raw,rate=8000,channels=1", "alawenc ! rtppcmapay"),
    "l16": ("audio/x-raw,rate=16000,channels=1", "rtpL16pay"),
}
"""Name: what the encoder is fed, and the encoder."""

PICTURE = (
    "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=5/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast ! rtph264pay name=pay1"
)
"""What a camera sends beside the sound."""


@contextmanager
def camera(wav: Path, codec: str = "aac", port: int = 0, login: tuple[str, str] | None = None) -> Iterator[int]:
    """Runs the server until the block is left; gives its port."""
    command = [SYSTEM_PYTHON, __file__, str(wav), codec, str(port), *(login or ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            assert line, "the RTSP server does not start: are gir1.2-gst-rtsp-server-1.0 and python3-gi there?"
            yield int(line)
        finally:
            server.kill()


def main(wav: str, codec: str, port: str, *login: str) -> None:
    """Serves until it is killed."""
    import gi  # type: ignore[import-not-found]  # noqa: PLC0415  # only the system's Python has it

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: PLC0415

    Gst.init(None)
    caps, encoder = CODECS[codec]
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    source = f"filesrc location={wav} ! wavparse ! audioconvert ! audioresample ! {caps} ! identity sync=true"
    factory.set_launch(f"( {source} ! {encoder} name=pay0 {PICTURE} )")
    if login:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "parent")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("parent", "media.factory.access", 1)
        permissions.add_permission_for_role("parent", "media.factory.construct", 1)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)  # noqa: T201  # the parent reads it
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
