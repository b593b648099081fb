"""Several channels to the one that is heard: their mean where they agree, else the one that carries most.

A mean alone can silence a room: channels in opposite phase (a balanced microphone on a stereo input) cancel, and each
dead one takes away its share. So every block of sound is measured before it is mixed. What counts is what moves, in
the band of a voice: the steady hum of a broken input is louder than a room, and carries nothing.

Pure and causal but for the block that is open: any chunk sizes give the same samples, as many as went in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.pcm import to_mono
from monitord.types import Pcm

Interleaved = NDArray[np.int16]
"""int16 [samples, channels]."""

MEAN = -1
"""In place of a channel's number: the mean of all."""


@dataclass(frozen=True, slots=True)
class ChannelParams:
    """When the mean is left for one channel, when it is taken again, and when two channels count as opposite."""

    blocks_per_s: int = 10
    """Blocks in a second, each measured before it is mixed: 0.1 s is what a microphone gives at once, so that it waits
    for nothing; an alert of a stream comes half of it later. With 20 the measuring would cost more than the mean did;
    with 10, mean and measuring together cost less."""
    band_hz: int = 8_000
    """Rate at which is measured (hertz): the harmonics of a cry lie below half of it. Samples are averaged down to
    it, and their differences taken, which leave out offsets and hum."""
    window_s: float = 2.0
    """Seconds that are compared: longer than the breath between two cries. What stays as loud for so long is steady."""
    steady: float = 2.0
    """Power over the quietest block of the window, from which sound moves (ratio): blocks of white noise differ by
    less."""
    leave: float = 0.447
    """Share of the strongest channel's power below which the mean is left: -3.5 dB. Two channels that have nothing
    in common keep half (-3 dB), a dead one leaves a quarter, opposite ones nothing."""
    back: float = 0.631
    """The same, from which it is taken again: -2 dB, so that nothing switches to and fro between the two."""
    ahead: float = 2.0
    """How much more power than the channel that is heard another one must have to be heard instead: 3 dB."""
    fade_s: float = 0.01
    """Seconds of the cross-fade from one to the other: no click, and no sample more or less."""
    opposite: float = -0.8
    """Correlation with the strongest channel below which a channel is its opposite; microphones that stand apart do
    not come so near to -1 for long."""
    not_opposite: float = -0.5
    """The same, above which it is not."""
    faint: float = 0.01
    """Share of the strongest channel's power below which a channel says nothing of the wiring: crosstalk, -20 dB."""
    opposite_s: float = 6.0
    """Seconds of moving sound, less those that speak against it, before channels are said to be opposite or not."""


class Mixer:
    """Follows one run of sound at one rate.

    Args:
        channels: How many there are; a single one passes untouched and costs nothing.
        rate_hz: Of the samples.
        params: When to switch.
    """

    def __init__(self, channels: int, rate_hz: int, params: ChannelParams | None = None) -> None:
        self.channels, self.rate_hz = channels, rate_hz
        self.heard = MEAN
        """Number of the channel that is heard, from 0; or `MEAN`."""
        self.opposite = False
        """Whether two channels carry the same sound in opposite phase: their wiring is wrong."""
        self._params = params = params or ChannelParams()
        self._step = max(rate_hz // params.band_hz, 1)  # samples that are averaged to one
        self._length = max(rate_hz // params.blocks_per_s // self._step, 2) * self._step  # of a block (samples)
        # float32 [step * channels, channels]: to the mean of `step` samples of each.
        self._average = np.tile(np.eye(channels, dtype=np.float32) / self._step, (self._step, 1))
        # float64 [blocks, channels and then their mean]: power of each in the newest blocks, in a ring.
        self._powers = np.zeros((round(params.window_s * params.blocks_per_s), channels + 1))
        self._judged = 0  # blocks since the start
        self._begun = False  # whether anything was mixed
        self._evidence = 0  # blocks for opposite channels, less those against
        self._waiting: list[Interleaved] = []
        self._held = 0  # samples in it

    def feed(self, samples: Interleaved) -> Pcm:
        """Takes the next int16 [n, channels]; returns int16 [m] that are ready: up to a block stays inside."""
        if self.channels == 1:
            return samples[:, 0]
        self._waiting.append(samples)
        self._held += len(samples)
        if self._held < self._length:
            return np.empty(0, np.int16)
        whole = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        ready = self._held - self._held % self._length
        blocks = [self._mix(whole[start : start + self._length]) for start in range(0, ready, self._length)]
        self._waiting = [whole[ready:]]
        self._held -= ready
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def flush(self) -> Pcm:
        """Returns the rest, before a gap or the end; sound may go on after it."""
        if not self._held:
            return np.empty(0, np.int16)
        rest = np.concatenate(self._waiting)
        self._waiting, self._held = [], 0
        # A rest is too short to be judged, unless it is all there is.
        return self._mix(rest, look=not self._judged and len(rest) > 2 * self._step)

    def _mix(self, block: Interleaved, *, look: bool = True) -> Pcm:
        before, begun = self.heard, self._begun
        self._begun = True
        if look:
            self._judge(block)
        mixed = self._alone(block, self.heard)
        if self.heard == before or not begun:
            return mixed
        n = min(round(self._params.fade_s * self.rate_hz), len(block))
        new = np.arange(1, n + 1, dtype=np.float32) / n
        faded = self._alone(block[:n], before) * (1 - new) + mixed[:n] * new
        return np.concatenate([np.rint(faded).astype(np.int16), mixed[n:]])

    def _alone(self, block: Interleaved, heard: int) -> Pcm:
        return to_mono(block) if heard == MEAN else np.ascontiguousarray(block[:, heard])

    def _judge(self, block: Interleaved) -> None:
        n = len(block) // self._step
        rows = block[: n * self._step].astype(np.float32).reshape(n, -1)
        changes = np.diff(rows @ self._average, axis=0)  # float32 [n - 1, channels], steps of int16
        alike = np.asarray(changes.T @ changes / (n - 1), np.float64)  # [channels, channels]
        powers = self._powers[self._judged % len(self._powers)]
        powers[:-1], powers[-1] = alike.diagonal(), alike.mean()
        self._judged += 1
        known = self._judged >= len(self._powers)
        floor = self._params.steady * self._powers.min(axis=0) if known else np.zeros(len(powers))
        moving = np.maximum(self._powers - floor, 0).sum(axis=0)
        best = int(moving[:-1].argmax())
        if moving[best] > 0:  # else nothing speaks for another choice
            self._choose(best, moving)
        # Louder than its last bit; and the mean of opposite channels is far under both.
        suspect = self._evidence > 0 or moving[-1] < self._params.leave * moving[best]
        if suspect and powers[best] > max(floor[best], 1.0):
            self._compare(alike[best], powers[:-1], best)

    def _choose(self, best: int, moving: NDArray[np.float64]) -> None:
        params = self._params
        if self.heard == MEAN:
            if moving[-1] < params.leave * moving[best]:
                self.heard = best
        elif moving[-1] > params.back * moving[best]:
            self.heard = MEAN
        elif moving[best] > params.ahead * moving[self.heard]:
            self.heard = best

    def _compare(self, alike: NDArray[np.float64], power: NDArray[np.float64], best: int) -> None:
        """Counts for or against opposite channels, by what each has in common with the strongest."""
        params = self._params
        most = round(params.opposite_s * params.blocks_per_s)
        says = power > params.faint * power[best]
        lowest = float((alike[says] / np.sqrt(power[says] * power[best])).min())
        if lowest < params.opposite:
            self._evidence = min(self._evidence + 1, most)
        elif lowest > params.not_opposite:
            self._evidence = max(self._evidence - 1, 0)
        self.opposite = self._evidence == most or (self.opposite and self._evidence > 0)


class Downmix:
    """Mixes sound whose rate and number of channels may change: each run by a `Mixer` of its own."""

    def __init__(self) -> None:
        self.mixer: Mixer | None = None
        """Of the newest run; None before the first."""

    def feed(self, samples: Interleaved, rate_hz: int) -> Iterator[tuple[Pcm, int]]:
        """Takes the next int16 [n, channels]; yields (int16 [m] mono, rate in hertz), m at least 1."""
        mixer = self.mixer
        if mixer is None or (mixer.channels, mixer.rate_hz) != (samples.shape[1], rate_hz):
            yield from self.flush()
            mixer = self.mixer = Mixer(samples.shape[1], rate_hz)
        if len(ready := mixer.feed(samples)):
            yield ready, rate_hz

    def flush(self) -> Iterator[tuple[Pcm, int]]:
        """Yields what is left inside, before a gap or at the end."""
        if self.mixer is not None and len(rest := self.mixer.flush()):
            yield rest, self.mixer.rate_hz
