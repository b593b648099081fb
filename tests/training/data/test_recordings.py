"""Recordings to samples: any file over the daemon's road, kept on disk by content."""

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import SourceError
from training.data.recordings import load_audio

TONE = (np.sin(np.arange(8_000) * 2 * np.pi * 440 / 8_000) * 8_000).astype(np.int16)  # 1 s at 8 kHz


def _write_wav(path: Path, rate_hz: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(TONE.tobytes())
    return path


def test_any_rate_becomes_16_khz(tmp_path: Path) -> None:
    """8,000 samples at 8 kHz become 16,000; at 16 kHz they pass untouched."""
    assert load_audio(_write_wav(tmp_path / "slow.wav", 8_000)).shape == (16_000,)
    np.testing.assert_array_equal(load_audio(_write_wav(tmp_path / "own.wav", 16_000)), TONE)


def test_decoded_sound_is_kept_by_content(tmp_path: Path) -> None:
    """A copy under another name finds what was kept, and nothing half-written lies beside it."""
    first = load_audio(_write_wav(tmp_path / "a.wav", 8_000), tmp_path / "cache")
    kept = list((tmp_path / "cache").iterdir())
    assert [path.suffix for path in kept] == [".npy"]
    np.save(kept[0], first + 1)  # a mark, to see that it is read back
    shutil.copy(tmp_path / "a.wav", tmp_path / "b.wav")
    np.testing.assert_array_equal(load_audio(tmp_path / "b.wav", tmp_path / "cache"), first + 1)


@pytest.mark.parametrize("cached", [False, True])
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, *, cached: bool) -> None:
    """Text, an empty file and no file at all: each a SourceError with the path, and nothing is kept."""
    cache_dir = tmp_path / "cache" if cached else None
    (tmp_path / "words.wav").write_text("these are words, not sound " * 100)
    (tmp_path / "empty.wav").touch()
    for name in ("words.wav", "empty.wav", "missing.wav"):
        with pytest.raises(SourceError, match=name):
            load_audio(tmp_path / name, cache_dir)
    assert not (tmp_path / "cache").exists()
