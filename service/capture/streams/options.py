"""What FFmpeg is told about a URL: timeouts always, what it may use, audio only where that goes, who listens."""

from typing import Final

from service.capture.spec import StreamSpec

OPEN_S = 10.0
"""Longest time to connect, and again to find out what comes (seconds): what a sleepy camera takes."""

LISTEN_S = 60.0
"""Longest wait for a phone before the port is opened anew (seconds): long, as a phone may come in just that moment."""

READ_S = 8.0
"""Longest silence of a connection (seconds): under the ten after which a source counts as dead, over an HLS segment."""

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


def ffmpeg_options(spec: StreamSpec, read_s: float) -> dict[str, str]:
    """Returns the options of FFmpeg's demuxer and protocols; FFmpeg ignores what a protocol does not know.

    Args:
        spec: What to open.
        read_s: Longest silence (seconds).
    """
    read_us = str(round(read_s * 1e6))
    scheme = spec.url.partition("://")[0]
    options = {
        "analyzeduration": str(round(ANALYSE_S * 1e6)),
        "rw_timeout": read_us,
        "protocol_whitelist": PROTOCOLS[scheme],
    }
    if scheme in {"rtsp", "rtsps"}:
        if spec.listen:
            # Without listen_timeout FFmpeg hands -1000 to its own TCP layer, which refuses it. And audio only is
            # not for a listener: it would refuse the phone's picture, and the phone would hang up.
            return options | {"rtsp_flags": "listen", "listen_timeout": str(round(LISTEN_S))}
        # Longer than `OPEN_S`, so that a server that does not answer is told by the time it took: RTSP's own timeout
        # says that the data is invalid.
        timeout_us = str(round((OPEN_S + 1) * 1e6))
        return options | {"rtsp_transport": "tcp", "allowed_media_types": "audio", "timeout": timeout_us}
    if spec.listen:
        return options | {"listen": "1"}
    if scheme in {"http", "https"}:
        # A WAV header that was written before the sound was there states any length; the connection's end is the end.
        options |= {"ignore_length": "1"}
    if scheme in {"http", "https", "udp"}:
        return options | {"timeout": read_us}  # not for RTMP, where `timeout` means to listen
    return options
