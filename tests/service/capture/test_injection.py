"""The sound of a test alarm over what a room captures: sample for sample at every rate, counted on the axis."""

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from monitord.types import RATE_HZ, Pcm
from service.alerts.test_alarm import SOUND
from service.capture.inbox import Inbox
from service.capture.injection import Injection
from service.capture.recording import file_chunks
from tests.support.daemon.daemon import short_cry
from tests.support.sound.chunks import SIZES, cut_up
from tests.support.sound.matching import drain
from tests.support.sound.sounds import chirp, noise, silence, tone

SOUND_S = 0.5
CHIRP = chirp(300, 3_000, SOUND_S, peak_dbfs=-3.0)
BEFORE_S = 0.3


def captured(rate_hz: int) -> Pcm:
    """A second of a loud room, so that some samples are clipped with the sound on top."""
    return noise(1.0, rms_dbfs=-12.0, rate_hz=rate_hz)


@given(st.sampled_from([16_000, 44_100, 48_000]), SIZES)
def test_it_is_added_to_what_is_captured(rate_hz: int, sizes: list[int]) -> None:
    """From the first sample after it was asked for, however the sound is cut; clipped, and nothing else is changed."""
    inbox, injection = Inbox("room"), Injection(CHIRP)
    base, before = captured(rate_hz), round(BEFORE_S * rate_hz)
    inbox.write(base[:before], rate_hz, 1.8e9)
    inbox.inject(injection)
    written = before
    for part in cut_up(base[before:], sizes):
        inbox.write(part, rate_hz, 1.8e9 + written / rate_hz)
        written += len(part)
    chunks = drain(inbox)
    resampled = soxr.resample(CHIRP, RATE_HZ, rate_hz).astype(np.int16)
    expected = base.astype(np.int32)
    expected[before : before + len(resampled)] += resampled
    assert np.abs(expected).max() > 32_767
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), np.clip(expected, -32_768, 32_767))
    assert injection.over
    assert injection.began_at == pytest.approx(1.8e9 + BEFORE_S, abs=1e-4)
    assert injection.start == before * RATE_HZ // rate_hz
    assert injection.end == pytest.approx((BEFORE_S + SOUND_S) * RATE_HZ, abs=2)


def test_what_was_captured_is_not_touched() -> None:
    """The array belongs to the source, and may be read-only or used again."""
    base = noise(0.1)
    base.flags.writeable = False
    before = base.copy()
    mixed = Injection(CHIRP).mix(base, RATE_HZ, 0, 0.0)
    assert np.array_equal(base, before)
    assert not np.array_equal(mixed, before)


def test_before_any_sound_it_is_nowhere() -> None:
    """A dead source never begins it."""
    injection = Injection(CHIRP)
    assert (injection.start, injection.end, injection.over) == (None, None, False)


def test_another_rate_ends_it() -> None:
    """A source that was opened anew: half of the sound at the wrong speed would be no cry."""
    inbox, injection = Inbox("room"), Injection(CHIRP)
    inbox.inject(injection)
    inbox.write(silence(0.2, 48_000), 48_000, 0.0)
    end = injection.end
    inbox.write(silence(0.2, 16_000), 16_000, 0.2)
    inbox.write(silence(0.2, 48_000), 48_000, 0.4)
    first, *rest = drain(inbox)
    assert first.samples.any()
    assert not any(chunk.samples.any() for chunk in rest)
    assert injection.over
    assert injection.end == end == 0.2 * RATE_HZ


def test_stop_ends_it() -> None:
    """The next sample is the room's alone, and its place stays known."""
    inbox, injection = Inbox("room"), Injection(CHIRP)
    inbox.inject(injection)
    inbox.write(silence(0.2), RATE_HZ, 0.0)
    injection.stop()
    inbox.write(silence(0.2), RATE_HZ, 0.2)
    first, second = drain(inbox)
    assert first.samples.any()
    assert not second.samples.any()
    assert (injection.start, injection.end) == (0, 3_200)


def test_the_last_one_counts() -> None:
    """A second sound takes the place of the first."""
    inbox, one, two = Inbox("room"), Injection(CHIRP), Injection(tone(440, SOUND_S))
    inbox.inject(one)
    inbox.inject(two)
    inbox.write(silence(1.0), RATE_HZ, 0.0)
    (chunk,) = drain(inbox)
    # Within the dither of the resampler.
    assert np.allclose(chunk.samples[: len(CHIRP)], tone(440, SOUND_S), atol=1)
    assert one.start is None


def test_the_shipped_sound_is_the_formulas() -> None:
    """The first 5 s of the cry that the tests make, sample for sample: no baby's recording is shipped."""
    shipped = list(file_chunks(SOUND))
    samples = np.concatenate([part for part, _ in shipped])
    assert {rate_hz for _, rate_hz in shipped} == {RATE_HZ}
    formula = short_cry()[: 5 * RATE_HZ]
    assert np.array_equal(samples[: len(formula)], formula)
    assert not samples[len(formula) :].any()
