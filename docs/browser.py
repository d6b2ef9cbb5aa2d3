"""A Chromium without a window, told by its own protocol what to show and what to take a picture of.

Chrome DevTools Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # it opens nothing but our own page, and containers have no other sandbox
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
    "--remote-debugging-port=0",
)
_START_S, _ANSWER_S = 30.0, 30.0


class MissingError(Exception):
    """There is no Chromium on this computer."""


class Browser:
    """``async with Browser(width) as browser``; ``width`` in CSS px, a picture has ``sharpness`` px for each."""

    def __init__(self, width: int, *, height: int = 2400, sharpness: float = 1.5) -> None:
        self._view = {"width": width, "height": height, "deviceScaleFactor": sharpness, "mobile": False}
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._count = 0

    async def __aenter__(self) -> Self:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        if found is None:
            raise MissingError
        command = [found, *_FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"]
        hushed = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=hushed, stderr=hushed)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_S))
        async with asyncio.timeout(_START_S):
            self._socket = await self._session.ws_connect(await self._page(), max_msg_size=0)
        await self.tell("Page.enable")
        await self.tell("Emulation.setDeviceMetricsOverride", **self._view)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        self._process.terminate()
        await self._process.wait()
        self._folder.cleanup()

    async def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result; raises ``RuntimeError`` with what went wrong."""
        self._count += 1
        await self._socket.send_json({"id": self._count, "method": method, "params": params})
        async with asyncio.timeout(_ANSWER_S):
            while (answer := await self._socket.receive_json()).get("id") != self._count:
                pass  # events
        if "error" in answer or "exceptionDetails" in answer["result"]:
            raise RuntimeError(f"{method}: {answer}")
        result: dict[str, Any] = answer["result"]
        return result

    async def go(self, address: str) -> None:
        """Open a page and wait until its own scripts have run."""
        await self.tell("Page.navigate", url=address)
        await self.run("while (document.readyState !== 'complete') await new Promise((go) => setTimeout(go, 20));")

    async def run(self, code: str) -> Any:
        """Run JavaScript, which may await, in the page and return what it returns."""
        expression = f"(async () => {{{code}}})()"
        answer = await self.tell("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    async def picture(self, box: dict[str, float]) -> bytes:
        """Return a PNG of ``box`` (x, y, width and height in CSS px of the page)."""
        answer = await self.tell("Page.captureScreenshot", format="png", clip={**box, "scale": 1})
        return base64.b64decode(answer["data"])

    async def _page(self) -> str:
        """Return the address by which its first page is told what to do, once it is there."""
        while True:
            try:
                port = (Path(self._folder.name) / "DevToolsActivePort").read_text().partition("\n")[0]
                async with self._session.get(f"http://127.0.0.1:{int(port)}/json") as answer:
                    pages = [each for each in await answer.json() if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, ValueError, IndexError, aiohttp.ClientError):
                await asyncio.sleep(0.1)
