"""What ALSA and JACK print on stderr while PortAudio looks for devices, routed to the log at debug level."""

import ctypes
import logging
from functools import cache

_log = logging.getLogger(__name__)

_AlsaHandler = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)  # file, line, function, errno, format; the arguments of the format are out of reach
_JackHandler = ctypes.CFUNCTYPE(None, ctypes.c_char_p)  # message


def _alsa(_file: bytes, _line: int, function: bytes, _errno: int, text: bytes) -> None:
    _log.debug("ALSA: %s: %s", (function or b"").decode(errors="replace"), (text or b"").decode(errors="replace"))


def _jack(text: bytes) -> None:
    _log.debug("JACK: %s", (text or b"").decode(errors="replace"))


_ALSA_HANDLER = _AlsaHandler(_alsa)
_JACK_HANDLER = _JackHandler(_jack)
# Kept for the life of the process: the libraries hold bare pointers to them.


@cache
def hush() -> None:
    """Installs the handlers, once; a library that this system lacks has nothing to say."""
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_ALSA_HANDLER)
    except OSError:
        _log.debug("no ALSA here")
    try:
        jack = ctypes.CDLL("libjack.so.0")
        jack.jack_set_error_function(_JACK_HANDLER)
        jack.jack_set_info_function(_JACK_HANDLER)
    except OSError:
        _log.debug("no JACK here")
