"""Clips whose reason can be heard: a tone for each, over a voice that is the baby's own."""

from pathlib import Path

import numpy as np

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import REASONS
from tests.support.sound.sounds import noise, tone
from training.data.clips import Clip, ClipSet

CLIP_S = 0.6
HOP = 3_840
"""Samples at 16 kHz between two windows: 0.24 s."""
PITCH_HZ = {"hunger": 400.0, "boredom": 900.0, "tiredness": 1800.0, "discomfort": 3600.0}


def reason_clips(n: int = 24, *, babies: int = 6, reasons: int = 4, synthetic: bool = False) -> ClipSet:
    """Makes n clips, of each baby about as many of every reason."""
    clips, sounds, of, ends = [], [], [], []
    for index in range(n):
        reason, baby = REASONS[index % reasons], index // reasons % babies
        sound = tone(PITCH_HZ[reason], CLIP_S, peak_dbfs=-12.0) // 2 + tone(200.0 + 15 * baby, CLIP_S) // 4
        sound = sound + noise(CLIP_S, rms_dbfs=-45.0, seed=index)
        clips.append(Clip(Path(f"{index}.wav"), reason, f"baby {baby}", f"{index}", "", "CC0-1.0", 0, len(sound), {}))
        sounds.append(np.concatenate([np.zeros(WINDOW_SAMPLES, np.int16), sound.astype(np.int16)]))
        for end in range(WINDOW_SAMPLES + HOP, len(sounds[-1]) + 1, HOP):
            of.append(index)
            ends.append(end)
    return ClipSet("tones", synthetic, clips, sounds, np.array(of), np.array(ends))
