"""The first screen: all that one needs, and nothing that commands a terminal."""

from pathlib import Path

import pytest

from service.capture.spec import FileSpec, MicrophoneSpec, StreamSpec
from service.terminal.banner import banner, page_banner, source_words
from service.terminal.qr_code import COLOURS


def test_the_banner_says_all_that_one_needs() -> None:
    """Each source, the broker, the exact line to subscribe, the model, and what it is not."""
    text = banner(
        "home",
        [("Room", MicrophoneSpec()), ("Room2", StreamSpec("rtsp://me:hunter2@cam/1"))],
        version="0.1.0",
        model="compact",
        broker="127.0.0.1:1883",
        kind="private",
        phones=["mother", "father (from critical on)"],
        watch="mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'monitord/home/#'",
        demo=False,
    )
    assert text == (
        "monitord 0.1.0. Not a medical device. Ctrl-C ends it.\n"
        "\n"
        "  listens to  Room   the default microphone\n"
        "              Room2  rtsp://***@cam/1\n"
        "  reports to  MQTT at 127.0.0.1:1883 (a private broker, for this machine only), topics monitord/home/...\n"
        "              and mother, father (from critical on)\n"
        "  watch it    mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'monitord/home/#'\n"
        "  model       compact\n"
    )


def test_the_demo_says_that_it_is_one() -> None:
    """And how to give a phone, a camera or a file."""
    text = banner(
        "home",
        [("Room", MicrophoneSpec())],
        version="1",
        model="m",
        broker="[::1]:1883",
        kind="found",
        phones=[],
        watch="mosquitto_sub",
        demo=True,
    )
    for words in ("DEMO", "no microphone", "mic:NAME", "rtsp://", "http://", "listen+rtmp://", "recording.m4a"):
        assert words in text
    assert "the demo sound" in text
    assert "MQTT at [::1]:1883" in text
    assert "default microphone" not in text


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (MicrophoneSpec(), "the default microphone"),
        (MicrophoneSpec(3), "microphone number 3"),
        (MicrophoneSpec("Yeti\x1b[2J"), "the microphone Yeti?[2J"),
        (StreamSpec("rtmp://192.0.2.7:1935/live", listen=True), "a phone that sends to rtmp://192.0.2.7:1935/live"),
        (FileSpec(Path("a.wav"), loop=True), "a.wav, in real time, over and over"),
    ],
)
def test_sources_in_words(spec: MicrophoneSpec | StreamSpec | FileSpec, words: str) -> None:
    """Each kind; nothing in a name can command the terminal."""
    assert source_words(spec) == words


def test_the_page_says_its_link_and_draws_it_where_that_is_seen() -> None:
    """In a log file the link stands alone; who has an owner is invited by nobody."""
    page, link = "https://192.168.1.20:8443/", "https://192.168.1.20:8443/pair#token"
    drawn, written = (page_banner(page, None, link, drawn=seen) for seen in (True, False))
    for text in (drawn, written):
        assert text.endswith(f"  {link}\n")
        assert f"on any phone  {page}" in text
    assert COLOURS in drawn
    assert "Scan it" in drawn
    assert "\x1b" not in written
    assert "Scan it" not in written
    assert "pair#" not in page_banner(page, None, None, drawn=True)
