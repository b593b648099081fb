"""A real Firefox, headless, by WebDriver BiDi: what Playwright's own Firefox is not, the one that a family has.

It takes its microphone and plays its sound as on a desk: on a sound server, without which its sound graph never runs.
"""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for

PROGRAM: Final = "/usr/bin/firefox-esr"
"""Debian's."""
PREFERENCES: Final = {
    "media.navigator.permission.disabled": True,  # no question that nobody could answer
    "intl.accept_languages": "en-GB",
    # Nothing that is asked of anybody outside.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}


@dataclass
class FirefoxPage:
    """One tab."""

    bidi: "Bidi"
    context: str
    """Its id."""

    def goto(self, address: str) -> None:
        """Opens an address; returns when it is loaded."""
        self.bidi.send("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Returns the value of an expression, awaited, as JSON has it."""
        answer = self.bidi.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def words(self) -> str:
        """What a person reads."""
        return str(self.evaluate("document.body?.innerText ?? ''"))

    def click(self, words: str) -> None:
        """Clicks the first button with these words as a person does: what it starts may need that."""
        button = f"[...document.querySelectorAll('button')].find((one) => one.innerText.trim() === {json.dumps(words)})"
        self.until(lambda: self.evaluate(f"Boolean({button})"), f"the button {words}")
        self.evaluate(f"{button}.scrollIntoView({{ block: 'center' }})")
        box = self.evaluate(f"{button}.getBoundingClientRect().toJSON()")
        x, y = (int(box[start] + box[size] / 2) for start, size in (("x", "width"), ("y", "height")))
        pointer = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        actions = [{"type": "pointer", "id": "finger", "actions": pointer}]
        self.bidi.send("input.performActions", context=self.context, actions=actions)

    def show(self) -> None:
        """Puts it in front: what was there is hidden."""
        self.bidi.send("browsingContext.activate", context=self.context)

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Waits, while the browser goes on."""
        wait_for(lambda: bool(condition()), what)

    def close(self) -> None:
        """Closes the tab."""
        self.bidi.send("browsingContext.close", context=self.context)


class Bidi:
    """Commands and their answers, one at a time.

    Args:
        address: Of its WebSocket.
    """

    def __init__(self, address: str) -> None:
        self._address, self._number = address, 0
        self._loop = asyncio.new_event_loop()

    def open(self) -> None:
        """Begins a session."""
        self._loop.run_until_complete(self._open())
        self.send("session.new", capabilities={})

    def close(self) -> None:
        """Ends it."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()

    def send(self, method: str, **parameters: object) -> Any:
        """Returns the result of a command, as JSON has it; fails where there is none."""
        return self._loop.run_until_complete(self._send(method, parameters))

    def page(self) -> FirefoxPage:
        """Opens a tab for somebody of their own: no cookie is shared with another."""
        user = self.send("browser.createUserContext")["userContext"]
        context = self.send("browsingContext.create", type="tab", userContext=user)["context"]
        return FirefoxPage(self, context)

    async def _open(self) -> None:
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(self._address, max_msg_size=0)

    async def _send(self, method: str, parameters: dict[str, object]) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self._socket.receive_json()).get("id") != self._number:
                pass
        assert answer["type"] == "success", f"{method}: {answer['error']}: {answer['message']}"
        return answer["result"]


@contextmanager
def firefox(folder: Path, authority: Path | None) -> Iterator[Bidi]:
    """Starts it with a home of its own.

    Args:
        folder: For its home and its profile.
        authority: The CA that it trusts; None: none but the public ones.
    """
    profile = folder / "profile"
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    subprocess.run(["certutil", "-N", "-d", f"sql:{profile}", "--empty-password"], check=True)
    if authority is not None:
        trusted = ["-n", "monitord", "-t", "C,,", "-i", str(authority)]
        subprocess.run(["certutil", "-A", "-d", f"sql:{profile}", *trusted], check=True)
    said = folder / "said"
    with said.open("w") as stderr:
        process = subprocess.Popen(
            [PROGRAM, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"],
            env={**os.environ, "HOME": str(folder)},
            stdout=stderr,
            stderr=stderr,
        )
    try:
        bidi = Bidi(_address(process, said))
        bidi.open()
        yield bidi
        bidi.close()
    finally:
        process.terminate()
        process.wait()


def _address(process: "subprocess.Popen[bytes]", said: Path) -> str:
    listening = re.compile(r"BiDi listening on (ws://\S+)")
    wait_for(lambda: bool(listening.search(said.read_text())) or process.poll() is not None, "Firefox")
    found = listening.search(said.read_text())
    assert found is not None, said.read_text()
    return f"{found[1]}/session"
