"""Encoded sound to samples: what FFmpeg reads comes out as int16 at its own rate, all channels of one track.

The caller opens and closes. Only the format changes here: FFmpeg's own mix to one channel leaves out some (the low
frequency effects), refuses others (nine, ambisonics), and lets opposite ones cancel, so channels are mixed in one
place, `monitord.channels`; the rate changes in one place, `pcm.Resampler`.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import av
import av.container
import av.error

from model.decoding.tracks import ANY, Heard, Wanted, candidates, describe, settled
from monitord.errors import SourceError
from monitord.tally import MOST_LOST_S

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.stream import Stream

    from monitord.types import Pcm

SAMPLE_BYTES: Final = 2
"""Of int16."""

LEAST_GAP_S: Final = 0.1
"""Shortest jump of a recording's time stamps that is a hole (seconds): some containers count in whole milliseconds,
and encoders leave a frame out at seams."""

_DAMAGE = (
    av.error.InvalidDataError,
    av.error.UndefinedError,  # decoders of AC-3 have numbers of their own
    av.error.PatchWelcomeError,  # what a damaged header asks for
    av.error.PermissionError,  # a damaged packet that says of itself what the decoder may not
)
"""What FFmpeg says of one damaged packet. That nothing is left to decode with (memory, a codec) is something else."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of samples of the track that is heard."""

    raw: bytes
    """int16 in the machine's own order; channels take turns."""
    rate_hz: int
    channels: int
    lost: int = 0
    """Samples of each channel that were damaged just before it."""

    @property
    def n(self) -> int:
        """Samples of each channel."""
        return len(self.raw) // (SAMPLE_BYTES * self.channels)


def pcm_frames(container: av.container.InputContainer, name: str) -> "Iterator[tuple[Pcm, int]]":
    """Yields (int16 [n] mono, rate in hertz) frame by frame until the end of the track that is heard.

    Args:
        container: Opened for reading.
        name: What a person calls this input, for the error.

    Raises:
        SourceError: There is no sound in it.
        av.error.FFmpegError: The data broke off or is damaged. What was yielded before is good.
    """
    import numpy as np  # noqa: PLC0415 - the decoder's process lives without: it is two thirds of its memory

    from monitord.channels import Downmix  # noqa: PLC0415

    downmix = Downmix()
    for frame in Reader(container, name).frames():
        samples = np.frombuffer(frame.raw, np.int16).reshape(-1, frame.channels)
        yield from downmix.feed(samples, frame.rate_hz)
    yield from downmix.flush()


class Reader:
    """Decodes one track of a container.

    Args:
        container: Opened for reading.
        name: What a person calls this input, for errors.
        wanted: Which track.
        damage: Damaged packets in a row that are skipped; one more is raised.
        timed: Whether time stamps tell how long a hole is, as a recording's do; else damaged packets are counted.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        name: str,
        wanted: Wanted = ANY,
        *,
        damage: int = 0,
        timed: bool = False,
    ) -> None:
        self._container = container
        self._name = name
        self._wanted = wanted
        self._damage = damage
        self._timed = timed
        self.stream: AudioStream | None = None
        """The track that is heard; None: not chosen yet."""
        self.track = ""
        """Which one it is, in words; empty where there is only one."""
        self.heard_s = 0.0
        """Sound so far (seconds)."""
        self.end = 0
        """Position in the file at which the newest packet ends (bytes); 0 where the container does not say."""
        self._over = False  # whether all was read

    def frames(self) -> Iterator[Frame]:
        """Yields the sound to its end.

        Raises:
            SourceError: There is no sound in it, or not the track that was asked for.
            av.error.FFmpegError: The data broke off, or more is damaged than may be skipped.
        """
        streams = self._container.streams.audio
        if not streams:
            kinds = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"
            raise SourceError(
                f"{self._name}: holds no sound (found: {kinds}); give a recording or a stream with an audio track"
            )
        tracks = candidates(streams, self._wanted, self._name)
        decoders = {track.stream.index: _Decoder(track.stream, timed=self._timed) for track in tracks}
        chosen, looked_at = self._look(tracks, decoders)
        self.stream = chosen.stream
        self.track = describe(chosen.stream, chosen.number, len(streams)) if len(streams) > 1 else ""
        decoder = decoders[chosen.stream.index]
        rest = () if self._over else (frame for _, frame in self._decoded([decoder]))
        for frame in itertools.chain(looked_at, rest):
            self.heard_s += frame.n / frame.rate_hz
            yield frame
        if decoder.error is not None and self._timed:
            raise decoder.error

    def _look(self, tracks: Sequence[Heard], decoders: Mapping[int, "_Decoder"]) -> tuple[Heard, list[Frame]]:
        """Returns the track to hear, and what of it has come already."""
        by_index = {track.stream.index: track for track in tracks}
        come: list[tuple[int, Frame]] = []
        chosen = settled(tracks, over=False)
        if chosen is None:
            for index, frame in self._decoded(list(decoders.values())):
                come.append((index, frame))
                by_index[index].feed(frame.raw, frame.rate_hz, frame.channels)
                if (chosen := settled(tracks, over=False)) is not None:
                    break
        chosen = chosen or settled(tracks, over=True) or tracks[0]
        return chosen, [frame for index, frame in come if index == chosen.stream.index]

    def _decoded(self, decoders: Sequence["_Decoder"]) -> Iterator[tuple[int, Frame]]:
        """Yields frames with the index of their stream."""
        by_index = {decoder.stream.index: decoder for decoder in decoders}
        for packet in self._packets(decoders):
            decoder = by_index[packet.stream.index]
            if packet.pos is not None:
                self.end = max(self.end, packet.pos + packet.size)
            for frame in decoder.feed(packet):
                yield decoder.stream.index, frame
            self._check(decoder)

    def _packets(self, decoders: Sequence["_Decoder"]) -> Iterator["av.Packet[Stream]"]:
        while True:
            try:
                yield from self._container.demux(*(decoder.stream for decoder in decoders))
            except _DAMAGE as error:  # of the container: whose packet it would have been is not known
                for decoder in decoders:
                    decoder.skip(error)
                    self._check(decoder)
            else:
                self._over = True
                return

    def _check(self, decoder: "_Decoder") -> None:
        if decoder.error is not None and decoder.damaged > self._damage:
            raise decoder.error


class _Decoder:
    """The packets of one track to frames; damaged ones are counted."""

    def __init__(self, stream: "AudioStream", *, timed: bool) -> None:
        self.stream = stream
        self.error: av.error.FFmpegError | None = None
        """Of the newest packet, where it was damaged."""
        self.damaged = 0
        """Packets in a row."""
        self._timed = timed
        self._damaged_bytes = 0
        self._good_bytes, self._good_s = 0, 0.0  # since the start
        self._next_s: float | None = None  # time stamp at which the next frame is due
        self._newest: Frame | None = None
        self._converter: av.AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None

    def skip(self, error: av.error.FFmpegError, size: int = 0) -> None:
        """Counts a packet of so many bytes as damaged."""
        self.error = error
        self.damaged += 1
        self._damaged_bytes += size

    def feed(self, packet: "av.Packet[Stream]") -> Iterator[Frame]:
        """Yields what a packet holds."""
        try:
            frames = packet.decode()
        except _DAMAGE as error:
            self.skip(error, packet.size)
            return
        self._good_bytes += packet.size
        for frame in frames:
            assert isinstance(frame, av.AudioFrame)
            lost = self._lost(frame)
            self.error, self.damaged, self._damaged_bytes = None, 0, 0
            for raw in self._converted(frame):
                self._newest = Frame(raw, frame.sample_rate, frame.layout.nb_channels, lost)
                self._good_s += self._newest.n / frame.sample_rate
                lost = 0
                yield self._newest

    def _lost(self, frame: av.AudioFrame) -> int:
        """Returns how much is missing before a frame (samples)."""
        rate_hz, newest = frame.sample_rate, self._newest
        due_s = self._next_s
        if self._timed and frame.pts is not None and frame.time_base is not None:
            at_s = float(frame.pts * frame.time_base)
            self._next_s = at_s + frame.samples / rate_hz
            if due_s is not None and LEAST_GAP_S <= at_s - due_s <= MOST_LOST_S:
                return round((at_s - due_s) * rate_hz)
        if newest is None or newest.rate_hz != rate_hz:  # before the first there is nothing to compare with
            return 0
        lost = self.damaged * newest.n  # each taken to be as long as the frame before
        if self._timed and self._good_bytes:  # a recording's damaged bytes may have come as one packet
            lost = max(lost, round(self._damaged_bytes / self._good_bytes * self._good_s * rate_hz))
        return min(lost, round(MOST_LOST_S * rate_hz))

    def _converted(self, frame: av.AudioFrame) -> Iterator[bytes]:
        seen = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._converter is None or seen != self._format:
            self._converter, self._format = av.AudioResampler(format="s16", rate=frame.sample_rate), seen
        frame.pts = None  # samples are counted, not timed: a wrong time stamp may not insert or drop any
        for packed in self._converter.resample(frame):
            # A plane is as long as FFmpeg likes to align it; the samples end before.
            size = SAMPLE_BYTES * packed.samples * packed.layout.nb_channels
            yield bytes(memoryview(packed.planes[0])[:size])
