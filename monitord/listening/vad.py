"""WebRTC's voice detector: cheap, deaf to ticks and rumble. It shapes segments and decides nothing else.

Even at its kindest it would drop 1.8 % of the windows of cries 10 dB down and 6.5 % of those 20 dB down (the table of
`monitord-train gate`), so it may not keep a window from the network, nor an alert from a parent.
"""

from dataclasses import dataclass

import webrtcvad

from monitord.types import RATE_HZ, Pcm


@dataclass(frozen=True, slots=True)
class VadParams:
    """Acoustic: pinned by the model bundle."""

    mode: int = 0
    """Aggressiveness 0 to 3. 0 keeps 99 % of the loud frames of real cries, 3 loses most of the quiet ones."""


class Vad:
    """Keeps state from frame to frame: one per run of sound without a gap."""

    def __init__(self, params: VadParams) -> None:
        self._vad = webrtcvad.Vad(params.mode)

    def is_voice(self, frame: Pcm) -> bool:
        """Takes int16 [160, 320 or 480] at 16 kHz; says whether it may be a voice."""
        return bool(self._vad.is_speech(frame.tobytes(), RATE_HZ))
