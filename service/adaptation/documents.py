"""What is kept of sounds that may be corrected, as documents of the state directory: numbers, never sound."""

import base64
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat

from model.adaptation.head import EMBEDDING, Adaptation
from model.adaptation.learning import STRONGEST
from model.adaptation.reference import Windows
from monitord.types import REASONS
from service.messages.corrections import Worth
from service.storage.schemas import Instant


def _numbers(text: str, kind: str) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(text, validate=True), kind)  # a wrong length is a ValueError
    if values.shape != (EMBEDDING,) or not np.isfinite(values).all():
        raise ValueError(f"is no {EMBEDDING} numbers")
    return values.astype(np.float32)


def _half(text: str) -> str:
    _numbers(text, "<f2")
    return text


def _single(text: str) -> str:
    _numbers(text, "<f4")
    return text


class KeptWindow(BaseModel):
    """One window."""

    embedding: Annotated[str, AfterValidator(_half)]
    """128 numbers of 16 bits, in base64."""
    log_odds: FiniteFloat
    p_cry: Annotated[FiniteFloat, Field(ge=0.0, le=1.0)]


class KeptSound(BaseModel):
    """A `Sound`."""

    name: str
    source: str
    rooms: list[str]
    at: Instant
    windows: Annotated[list[KeptWindow], Field(min_length=1, max_length=STRONGEST)]


class KeptSounds(BaseModel):
    """Episodes that may be corrected still, the newest last."""

    bundle: str = ""
    sounds: list[KeptSound] = Field(default_factory=list)


class KeptCorrection(BaseModel):
    """A `Correction`."""

    sound: KeptSound
    was: str
    reason: Annotated[str, Field(pattern=f"^({'|'.join(REASONS)})$")] | None
    said_at: Instant


class KeptHead(BaseModel):
    """An `Adaptation`."""

    weights: Annotated[str, AfterValidator(_single)]
    """128 numbers of 32 bits, in base64."""
    bias: FiniteFloat


class KeptAdaptation(BaseModel):
    """What this home has taught one bundle."""

    bundle: Annotated[str, Field(pattern="^([0-9a-f]{12})?$")] = ""
    corrections: list[KeptCorrection] = Field(default_factory=list)
    """In the order in which they were said."""
    head: KeptHead | None = None
    at: Instant = 0.0
    """When it was learnt last (Unix seconds); 0: never."""
    detail: str = ""
    outcome: str = ""
    """The same as a `corrections.Outcome`."""
    source: str = ""
    """The room that it is about; empty: none."""
    worth: Worth = Worth()
    """Of what is in force."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardWindow:
    """What the network made of one window."""

    p_cry: float
    """As it was in force then."""
    log_odds: float
    """As the bundle alone says."""
    embedding: NDArray[np.float32]
    """float32 [128]."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """An episode, or a cry that was missed: its strongest windows."""

    name: str
    """The episode's id, or `missed` with the room and the time."""
    source: str
    """The room that told it, or would have."""
    rooms: frozenset[str]
    """All that heard it."""
    at: float
    """When it began (Unix seconds)."""
    windows: tuple[HeardWindow, ...] = field(default=())
    """At most `STRONGEST`, the strongest first."""

    def heard(self, source: str, windows: "list[HeardWindow]") -> "Sound":
        """Returns it with more windows of a room."""
        strongest = sorted((*self.windows, *windows), key=lambda one: (one.p_cry, one.log_odds), reverse=True)
        return replace(self, rooms=self.rooms | {source}, windows=tuple(strongest[:STRONGEST]))

    def array(self) -> Windows:
        """The windows as arrays."""
        return Windows(
            np.stack([one.embedding for one in self.windows]),
            np.array([one.log_odds for one in self.windows], np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """The family's word on one sound, beside the model's, which stays."""

    sound: Sound
    was: str
    """`CRY`, or what else it was."""
    reason: str | None
    said_at: float
    """Wall time (Unix seconds)."""


def dump_sounds(bundle: str, sounds: list[Sound]) -> dict[str, Any]:
    """Returns the document of these; Any: values of JSON."""
    return KeptSounds(bundle=bundle, sounds=[_kept(sound) for sound in sounds]).model_dump()


def read_sounds(kept: KeptSounds, bundle: str) -> list[Sound]:
    """Returns what is kept of episodes; none of another bundle, whose numbers mean something else."""
    return [_sound(one) for one in kept.sounds] if kept.bundle == bundle else []


def dump_adaptation(
    bundle: str,
    corrections: list[Correction],
    head: Adaptation | None,
    *,
    at: float,
    detail: str,
    outcome: str,
    source: str,
    worth: Worth,
) -> dict[str, Any]:
    """Returns the document of these; Any: values of JSON."""
    weights = None if head is None else base64.b64encode(head.weights.astype("<f4").tobytes()).decode()
    return KeptAdaptation(
        bundle=bundle,
        corrections=[
            KeptCorrection(sound=_kept(one.sound), was=one.was, reason=one.reason, said_at=one.said_at)
            for one in corrections
        ],
        head=None if head is None or weights is None else KeptHead(weights=weights, bias=head.bias),
        at=at,
        detail=detail,
        outcome=outcome,
        source=source,
        worth=worth,
    ).model_dump()


def read_corrections(kept: KeptAdaptation) -> list[Correction]:
    """Returns them in the order in which they were said."""
    return [Correction(_sound(one.sound), one.was, one.reason, one.said_at) for one in kept.corrections]


def read_head(kept: KeptAdaptation) -> Adaptation | None:
    """Returns what was learnt; None: nothing is in force."""
    if kept.head is None:
        return None
    return Adaptation(kept.bundle, _numbers(kept.head.weights, "<f4"), kept.head.bias)


def _kept(sound: Sound) -> KeptSound:
    windows = [
        KeptWindow(
            embedding=base64.b64encode(one.embedding.astype("<f2").tobytes()).decode(),
            log_odds=one.log_odds,
            p_cry=one.p_cry,
        )
        for one in sound.windows
    ]
    return KeptSound(name=sound.name, source=sound.source, rooms=sorted(sound.rooms), at=sound.at, windows=windows)


def _sound(kept: KeptSound) -> Sound:
    windows = tuple(HeardWindow(one.p_cry, one.log_odds, _numbers(one.embedding, "<f2")) for one in kept.windows)
    return Sound(kept.name, kept.source, frozenset(kept.rooms), kept.at, windows)
