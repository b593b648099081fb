"""`monitord replay` as a script sees it: the lines of the contract, the tally, and what happens to bad recordings."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soxr

from monitord.types import RATE_HZ, REASONS
from service.cli import CONFIG_EXIT, main
from tests.support.daemon.daemon import ROOT, Json, crying_room, monitord, room, short_cry
from tests.support.sound.media import write_media, write_video
from tests.support.sound.sounds import noise, silence, write_wav

SEGMENT_KEYS = ["kind", "source", "t_s", "duration_s", "p_cry", "reason", "reasons", "distress"]
EVENT_KEYS = [
    "kind", "event_type", "source", "t_s", "onset_s", "episode", "p_cry", "reason", "reason_p", "distress",
    "latency_ms",
]  # fmt: skip
TALLY_KEYS = ["kind", "captured", "lost", "quiet", "segmented", "held"]

PHONE_HZ = 44_100
"""Rate of the second recording (hertz)."""

TELLS_MODULES = """
import sys
from service.cli import main
status = main(sys.argv[1:])
print(*sorted(name.partition(".")[0] for name in sys.modules), file=sys.stderr)
sys.exit(status)
"""
"""Runs a command in a fresh interpreter, then tells which packages it loaded."""


@dataclass(frozen=True)
class Replayed:
    """What one replay gave."""

    stdout: str
    stderr: str

    @property
    def lines(self) -> list[Json]:
        """Its lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A cry as a WAV file, and the same in stereo at another rate, as a phone records; the names make the same id."""
    folder = tmp_path_factory.mktemp("recordings")
    cry = room(silence(1.0), short_cry(), silence(1.0))
    phone = np.rint(soxr.resample(cry.astype(np.float32), RATE_HZ, PHONE_HZ)).astype(np.int16)
    return [
        crying_room(folder / "Baby Room.wav"),
        write_media(folder / "baby-room.flac", phone, "flac", rate_hz=PHONE_HZ, channels=2),
    ]


@pytest.fixture(scope="module")
def replayed(recordings: list[Path]) -> Replayed:
    """Both recordings, replayed by a fresh interpreter that tells at its end what it loaded."""
    command = [sys.executable, "-c", TELLS_MODULES, "replay", *map(str, recordings)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Replayed(done.stdout, done.stderr)


def test_lines_are_those_of_the_contract(replayed: Replayed) -> None:
    """Segments, events and one tally at the end, each with exactly the promised keys."""
    keys = {"segment": SEGMENT_KEYS, "event": EVENT_KEYS, "tally": TALLY_KEYS}
    for line in replayed.lines:
        assert list(line) == keys[line["kind"]]
    assert [line["kind"] for line in replayed.lines].index("tally") == len(replayed.lines) - 1
    for line in replayed.lines:
        if line["kind"] == "segment":
            assert list(line["reasons"]) == list(REASONS)
            assert sum(line["reasons"].values()) == pytest.approx(1.0, abs=1e-3)
            assert line["reason"] in {*REASONS, "unsure"}
            assert 0.18 <= line["duration_s"] <= 2.5


@pytest.mark.parametrize("source", ["baby_room", "baby_room_2"])
def test_a_cry_becomes_an_episode(replayed: Replayed, source: str) -> None:
    """Each recording gives started, a reason and ended, in the order in which they were decided."""
    events = [line for line in replayed.lines if line["kind"] == "event" and line["source"] == source]
    assert [event["event_type"] for event in events if event["event_type"] != "reason"] == ["started", "ended"]
    assert "reason" in [event["event_type"] for event in events]
    assert [event["t_s"] for event in events] == sorted(event["t_s"] for event in events)
    started = events[0]
    assert started["onset_s"] == pytest.approx(1.0, abs=0.5)  # where the cry begins
    assert started["latency_ms"] == pytest.approx(1000 * (started["t_s"] - started["onset_s"]), abs=2)
    assert {event["episode"] for event in events} == {1}
    assert [line for line in replayed.lines if line["kind"] == "segment" and line["source"] == source]


def test_every_sample_is_counted(replayed: Replayed, recordings: list[Path]) -> None:
    """The tally holds every sample of both recordings at 16 kHz, and a replay loses none."""
    tally = replayed.lines[-1]
    assert tally["captured"] == tally["lost"] + tally["quiet"] + tally["segmented"] + tally["held"]
    n = len(room(silence(1.0), short_cry(), silence(1.0)))
    on_the_phone = round(n * PHONE_HZ / RATE_HZ) * RATE_HZ // PHONE_HZ
    assert len(recordings) == 2
    assert tally["captured"] == pytest.approx(n + on_the_phone, abs=1)
    assert (tally["lost"], tally["held"]) == (0, 0)
    assert tally["segmented"] == round(RATE_HZ * sum(line.get("duration_s", 0) for line in replayed.lines))


def test_a_replay_is_exact(replayed: Replayed, recordings: list[Path]) -> None:
    """The same recordings give the same lines, letter for letter, in another process."""
    again = monitord("replay", *recordings)
    assert again.returncode == 0
    assert again.stdout == replayed.stdout


def test_no_training_framework_is_loaded(replayed: Replayed) -> None:
    """A replay never loads TensorFlow or Keras, nor anything else that only training needs."""
    loaded = set(replayed.stderr.splitlines()[-1].split())
    assert "ai_edge_litert" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "onnxruntime", "training", "jax", "torch"}


def test_a_quiet_room_gives_a_tally_alone(tmp_path: Path) -> None:
    """Where nobody cries, nothing is told but where the samples went."""
    path = write_wav(tmp_path / "quiet.wav", noise(3.0))
    done = monitord("replay", path)
    assert done.returncode == 0
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()][-1] == "tally"
    assert '"event"' not in done.stdout


def test_a_real_cry_is_heard(shared_data: Path) -> None:
    """A real baby of the shared recordings makes an episode that begins within three seconds."""
    done = monitord("replay", shared_data / "esc50" / "4-185575-A-20.opus")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    started = next(line for line in lines if line.get("event_type") == "started")
    assert started["t_s"] <= 3.0
    assert lines[-1]["captured"] == 5 * RATE_HZ  # ESC-50 clips are 5 s long


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.wav", "no such file"),
        ("notes.wav", "give a sound or video file"),
        ("notes.txt", "a text, no recording"),
        ("silent.mp4", "holds no sound"),
        ("empty.wav", "its audio track is empty"),
        ("folder", "a directory"),
    ],
)
def test_bad_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str) -> None:
    """Each is named, with what helps; exit 78. Alone it gives no line; a good one beside it is heard to its end."""
    good = write_wav(tmp_path / "good.wav", noise(1.0))
    for notes in ("notes.wav", "notes.txt"):
        (tmp_path / notes).write_text("feed at nine\n" * 100)
    write_video(tmp_path / "silent.mp4", None)
    write_wav(tmp_path / "empty.wav", silence(0.0))
    (tmp_path / "folder").mkdir()
    for beside in ([], [str(good)]):
        assert main(["replay", str(tmp_path / name), *beside]) == CONFIG_EXIT
        said = capsys.readouterr()
        assert said.err.startswith(f"monitord: {tmp_path / name}: ")
        assert words in said.err
        lines = said.out.splitlines()
        if beside:
            assert json.loads(lines[-1])["captured"] == RATE_HZ  # the good one is 1 s long
        else:
            assert lines == []


def test_a_recording_that_breaks_off(tmp_path: Path) -> None:
    """What was heard before the damage is told and counted; then the exit status is 78, with the place."""
    whole = write_media(tmp_path / "whole.flac", room(silence(1.0), short_cry(), silence(1.0)), "flac")
    content = bytearray(whole.read_bytes())
    content[len(content) * 3 // 4 :] = bytes(len(content) - len(content) * 3 // 4)
    broken = tmp_path / "broken.flac"
    broken.write_bytes(content)
    done = monitord("replay", broken)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert next(line["event_type"] for line in lines if line["kind"] == "event") == "started"
    assert lines[-1]["captured"] > 3 * RATE_HZ
    assert done.returncode == CONFIG_EXIT
    assert f"{broken}: damaged after " in done.stderr
