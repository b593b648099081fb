"""Augmented windows: windows of the recordings as a nursery's microphone might deliver them, drawn by chance.

Cry and other windows go through the same rooms, codecs, noise and levels with the same chances, so that the network
cannot learn the phone instead of the baby.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.data.prepared import Prepared
from training.data.windows import cut
from training.label.laughs import KIND
from training.label.targets import baby_laughter
from training.sound.augment import Wave, active_rms, clip, fit, mix, speed
from training.sound.codecs import CODECS, round_trip
from training.sound.noises import hisses
from training.sound.room_responses import Room, behind_wall, far, reverberate
from training.sound.synthetic_voices import voice

HARD: Final = frozenset(
    {"laughing", "cat", "hen", "rooster", "crow", "sheep", "siren", "cow", "dog", "pig", "chirping_birds", "coughing"}
    | {"frog", "door_wood_creaks", "sneezing", "home:misc_crow", "emogator:calm"}
)
"""Kinds that are nearest to a cry; they, and speech, are drawn three times as often."""
HARDEST: Final = ("catmeows:", "emogator:", KIND)
"""How the kinds begin that networks take for a cry most often, meows, screams, sobs and babies' laughter: drawn five
times as often, if they are not in `HARD`."""
FAMILIES: Final = ("phone:", "crying_baby")
"""How the kinds of cries begin that many babies are in: drawn three times as often as the few babies of `corvin`."""
FULL_OF_SOUND: Final = 0.9
"""Share of sound from which what is left of a window's end is still that sound."""
LAUGH_SHARE: Final = 4
"""How many times as often as another kind a baby's laugh is drawn: the sound that peers take for a cry most often."""


@dataclass(frozen=True, slots=True)
class AugmentationParams:
    """How windows are drawn and augmented."""

    cry_share: float = 0.4
    """Share of named windows that are from recordings with a cry."""
    voice_share: float = 0.1
    """Share of made-up voices, which only the teachers can name."""
    unknown_share: float = 0.05
    """Share of recorded windows that nobody has named."""
    jitter: int = 1_920
    """Samples at 16 kHz by which a window may move: half a hop."""
    p_noise: float = 0.65
    """Chance that other sound is mixed in."""
    snr_db: tuple[float, float] = (-10.0, 25.0)
    """Decibels between the window and what is mixed in."""
    p_room: float = 0.4
    """Chance of a room response."""
    far_db: tuple[float, float] = (-6.0, 12.0)
    """Decibels by which its direct sound is damped; under 0, not at all: a third stands as near as it was measured."""
    p_wall: float = 0.15
    """Chance of a wall or a closed door in between."""
    wall_hz: tuple[float, float] = (500.0, 4_000.0)
    """From where it takes the high frequencies away (hertz)."""
    p_onset: float = 0.15
    """Chance that a window full of sound keeps only its end, as when a sound has just begun: an alert that waits for
    a full window comes late."""
    onset_s: tuple[float, float] = (0.25, 0.8)
    """Seconds of it that are kept."""
    mined_share: float = 0.15
    """Share of other sound that is drawn from the windows which an earlier network takes for a cry."""
    p_codec: float = 0.4
    """Chance that a phone's or a camera's codec was in between."""
    codecs: int = 2
    """Codecs that one recording may go through: of eight, so that encoding whole recordings stays cheap."""
    p_speed: float = 0.3
    """Chance of another speed, for cries."""
    cry_speed: tuple[float, float] = (0.9, 1.1)
    """Factors for cries: a baby stays a baby."""
    p_other_speed: float = 0.5
    """The same for everything else."""
    other_speed: tuple[float, float] = (0.7, 1.6)
    """Factors for everything else: a child's or a woman's laughter at half as fast again has a baby's pitch."""
    p_hiss: float = 0.7
    """Chance of a microphone's own noise: short recordings begin and end within a window, and the digital silence
    around them must not say what they are."""
    hiss_db: tuple[float, float] = (10.0, 55.0)
    """Decibels of the window over that noise."""
    level_dbfs: tuple[float, float] = (-45.0, -12.0)
    """Active level of the finished window: across the room, and beside the cot."""


class AugmentedWindows:
    """Draws augmented windows: the same seed and number give the same one, in any process.

    Args:
        prepared: What `prepare` wrote.
        targets: float32 [n] of `cry_targets`.
        rows: int [k], the rows of windows that may be drawn.
        rooms: Room responses.
        mined: int [m], those of them that an earlier network takes for a cry and that are none; see `mistaken`.
        seed: Of all chance.
        params: How they are drawn.
    """

    def __init__(
        self,
        prepared: Prepared,
        targets: NDArray[np.float32],
        rows: NDArray[np.int64],
        rooms: list[Room],
        *,
        mined: NDArray[np.int64] | None = None,
        seed: int = 0,
        params: AugmentationParams | None = None,
    ) -> None:
        self._prepared, self._targets, self._rooms, self._seed = prepared, targets, rooms, seed
        self._params = params or AugmentationParams()
        self._audio: dict[tuple[int, int], Pcm] = {}
        self._hiss = hisses(np.random.default_rng(seed))
        unknown = np.isnan(targets[rows])
        self._unknown, rows = rows[unknown], rows[~unknown]
        other = np.array([recording.is_cry is False for recording in prepared.recordings])
        is_other = other[prepared.windows.recording[rows]]
        laughs = baby_laughter(prepared)[rows] & (targets[rows] == 0.0)
        self._cries = pools(prepared, rows[~is_other & ~laughs])
        self._others = pools(prepared, rows[is_other & ~laughs]) + [rows[laughs]] * (LAUGH_SHARE if laughs.any() else 0)
        self._mined = [] if mined is None else pools(prepared, mined)

    def draw(self, number: int) -> tuple[Pcm, float]:
        """Returns int16 [WINDOW_SAMPLES] at 16 kHz and how much it is a cry, 0 to 1; NaN where nobody has said."""
        rng = np.random.default_rng((self._seed, number))
        params = self._params
        kind = rng.random()
        if kind < params.voice_share:
            x, cry = voice(WINDOW_SAMPLES, rng), np.nan
        elif kind < params.voice_share + params.unknown_share and len(self._unknown):
            x, cry = self._window(rng, [self._unknown], cry=True)
        else:
            is_cry = rng.random() < params.cry_share
            mined = not is_cry and rng.random() < params.mined_share and self._mined
            x, cry = self._window(rng, self._cries if is_cry else self._mined if mined else self._others, cry=is_cry)
        if rng.random() < params.p_room:
            room = self._rooms[rng.integers(len(self._rooms))]
            x = reverberate(x, far(room, max(0.0, rng.uniform(*params.far_db))))
        if rng.random() < params.p_wall:
            x = behind_wall(x, float(np.exp(rng.uniform(*np.log(params.wall_hz)))))
        if rng.random() < params.p_noise:
            other, _ = self._window(rng, self._others, cry=False)
            x = mix(x, other, rng.uniform(*params.snr_db))
        if rng.random() < params.p_hiss:
            hiss = self._hiss[rng.integers(len(self._hiss))]
            x = mix(x, fit(hiss, WINDOW_SAMPLES, rng), rng.uniform(*params.hiss_db))
        x = clip(_at_level(x, rng.uniform(*params.level_dbfs)))
        return np.rint(x * (FULL_SCALE - 1)).astype(np.int16), cry

    def _window(self, rng: np.random.Generator, choices: list[NDArray[np.int64]], *, cry: bool) -> tuple[Wave, float]:
        """One window of a pool, through a codec, shifted by at most half a hop, at another speed."""
        params = self._params
        pool = choices[rng.integers(len(choices))]
        row = int(pool[rng.integers(len(pool))])
        windows = self._prepared.windows
        codec = int(rng.integers(params.codecs)) if rng.random() < params.p_codec else -1
        audio = self._recording(int(windows.recording[row]), codec)
        end = int(windows.end[row]) + int(rng.integers(-params.jitter, params.jitter + 1))
        lowest, highest = np.log(params.cry_speed if cry else params.other_speed).tolist()
        factor = (
            float(np.exp(rng.uniform(lowest, highest)))
            if rng.random() < (params.p_speed if cry else params.p_other_speed)
            else 1.0
        )
        if factor == 1.0:
            x = cut(audio, end, WINDOW_SAMPLES).astype(np.float32)
        else:
            # A few samples more, because the length after the resampler is rounded.
            x = speed(cut(audio, end, int(WINDOW_SAMPLES * factor) + 8).astype(np.float32), factor)[-WINDOW_SAMPLES:]
        x /= np.float32(FULL_SCALE)
        if windows.sound[row] >= FULL_OF_SOUND and rng.random() < params.p_onset:
            x = begun(x, int(rng.uniform(*params.onset_s) * RATE_HZ))
        return x, float(self._targets[row])

    def _recording(self, index: int, codec: int) -> Pcm:
        """One recording as it is (-1), or through the first or second of its own codecs; kept in memory."""
        if (index, codec) not in self._audio:
            if codec < 0:
                self._audio[index, codec] = self._prepared.audio(index)
            else:
                own = np.random.default_rng((self._seed, index)).permutation(len(CODECS))
                self._audio[index, codec] = round_trip(self._recording(index, -1), CODECS[own[codec]])
        return self._audio[index, codec]


def begun(x: Wave, samples: int) -> Wave:
    """Returns the wave with only its last samples sounding, as if the sound had begun then, within 10 ms."""
    rise = RATE_HZ // 100
    shape = np.zeros(len(x), np.float32)
    shape[len(x) - samples :] = np.minimum(1.0, np.arange(1, samples + 1, dtype=np.float32) / rise)
    return x * shape


def _at_level(x: Wave, level_dbfs: float) -> Wave:
    loud = active_rms(x)
    return x if loud == 0 else x * np.float32(10 ** (level_dbfs / 20) / loud)


def pools(prepared: Prepared, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Groups rows so that each kind of sound is drawn equally often; hard kinds, and speech, more often."""
    kinds = np.array([recording.kind for recording in prepared.recordings])
    of = kinds[prepared.windows.recording[rows]]
    out: list[NDArray[np.int64]] = []
    for kind in sorted(set(of.tolist())):
        hard = kind in HARD or kind.startswith(("speech:", *FAMILIES))
        out += [rows[of == kind]] * (3 if hard else 5 if kind.startswith(HARDEST) else 1)
    return out
