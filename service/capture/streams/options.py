"""What FFmpeg is told about a URL: timeouts always, what it may use, audio only where that goes, who listens."""

from typing import Final

from service.capture.spec import StreamSpec

OPEN_S = 10.0
"""Longest time to connect, and again to find out what comes (seconds): what a sleepy camera takes."""

LISTEN_S = 60.0
"""Longest wait for a phone before the port is opened anew (seconds): long, as a phone may come in just that moment."""

READ_S = 8.0
"""Longest silence of a connection (seconds): under the ten after which a source counts as dead, over an HLS segment."""

LATE_S = 15.0
"""For how long sound is waited for that starts later than the picture (seconds): a phone asks its owner first, and a
camera that joins two streams waits for the slower."""

ANALYSE_S = 1.0
"""How much sound FFmpeg looks at before the first sample is out (seconds). Its own 5 s keep RTMP waiting that long."""

PROTOCOLS: Final = {
    "rtsp": "rtsp,rtp,rtcp,udp,tcp",
    "rtsps": "rtsp,rtsps,rtp,rtcp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tcp,tls",
    "http": "http,https,httpproxy,tcp,tls,crypto",
    "https": "http,https,httpproxy,tcp,tls,crypto",
    "udp": "udp",
}
"""What FFmpeg may use, by the URL's protocol (its names). A playlist, a redirect or a session description that names
anything else, above all a file of this machine, is refused. `crypto` is for the segments of an encrypted playlist."""


TRANSPORTS: Final = {
    # TCP first, and UDP in the same breath where a camera answers 461.
    "auto": {"rtsp_transport": "tcp+udp+udp_multicast", "rtsp_flags": "prefer_tcp"},
    "tcp": {"rtsp_transport": "tcp"},
    "udp": {"rtsp_transport": "udp+udp_multicast"},
}
"""How RTSP's sound comes, by the setting: TCP loses nothing on a bad WLAN, some cameras have UDP alone."""

VERIFIED: Final = {
    "https": "https,httpproxy,tcp,tls,crypto",
    "rtsps": "rtsp,rtsps,rtp,tcp,tls",
    "rtmps": "rtmps,tcp,tls",
}
"""The same as `PROTOCOLS` where certificates are verified: nothing in clear."""


def instead(spec: StreamSpec) -> dict[str, str] | None:
    """Returns what a camera is asked that refuses TCP by another number than it should; None: nothing more."""
    if spec.listen or spec.how.transport != "auto" or not spec.url.startswith("rtsp:"):
        return None
    return TRANSPORTS["udp"] | {"rtsp_flags": "0"}


def ffmpeg_options(spec: StreamSpec, read_s: float, *, by_udp: bool = False) -> dict[str, str]:
    """Returns the options of FFmpeg's demuxer and protocols; FFmpeg ignores what a protocol does not know.

    Args:
        spec: What to open.
        read_s: Longest silence (seconds).
        by_udp: Whether a camera whose transport is left to us is asked for UDP, as it has sent nothing by TCP.
    """
    read_us = str(round(read_s * 1e6))
    scheme = spec.url.partition("://")[0]
    options = {
        "analyzeduration": str(round(ANALYSE_S * 1e6)),
        "rw_timeout": read_us,
        "protocol_whitelist": (VERIFIED if spec.how.verify else PROTOCOLS)[scheme],
    }
    if scheme in {"rtsp", "rtsps"}:
        if spec.listen:
            # Without listen_timeout FFmpeg hands -1000 to its own TCP layer, which refuses it. And audio only is
            # not for a listener: it would refuse the phone's picture, and the phone would hang up.
            return options | {"rtsp_flags": "listen", "listen_timeout": str(round(LISTEN_S))}
        # Longer than `OPEN_S`, so that a server that does not answer is told by the time it took: RTSP's own timeout
        # says that the data is invalid. And than `LATE_S`, for there is no picture meanwhile.
        timeout_us = str(round((LATE_S + 1) * 1e6))
        chosen = spec.how.transport
        if chosen == "auto" and (by_udp or scheme == "rtsps"):
            chosen = "tcp" if scheme == "rtsps" else "udp"  # by itself nothing leaves TLS
        transport = TRANSPORTS[chosen]
        return options | {"allowed_media_types": "audio", "timeout": timeout_us} | transport
    if spec.listen:
        return options | {"listen": "1"}
    if scheme in {"http", "https"}:
        # A WAV header that was written before the sound was there states any length; the connection's end is the end.
        options |= {"ignore_length": "1"}
    if scheme in {"http", "https", "udp"}:
        return options | {"timeout": read_us}  # not for RTMP, where `timeout` means to listen
    return options
