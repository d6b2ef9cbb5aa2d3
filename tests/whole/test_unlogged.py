"""What people type never reaches the log, however much is logged and whatever goes wrong."""

import io
import logging
from collections.abc import Iterator

import pytest

from bot.ops.logging import configure
from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.logs import logs_given_back
from tests.standins import webui_faults
from tests.standins.webui import StandInWebUI
from tests.standins.webui_faults import Fault
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import draw, insist, painted, private, result

MARK = "zinnoberfuchs"
"""A word that stands nowhere but in what is typed here."""


class Everything(logging.Handler):
    """Keeps what is logged as it comes, before anything is taken out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep all of a record."""
        self.seen.append(f"{record.levelname} {record.__dict__!r} {record.exc_info!r}")


@pytest.fixture
def log() -> Iterator[tuple[io.StringIO, Everything]]:
    stream, raw = io.StringIO(), Everything()
    with logs_given_back():
        configure("DEBUG", "console", stream=stream)
        logging.getLogger().addHandler(raw)
        yield stream, raw


async def test_no_prompt_is_logged_when_drawing_remixing_failing_and_warning(
    discord: Discord, start: Start, log: tuple[io.StringIO, Everything], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = ("AssertionError", f"cannot paint {MARK} at /srv/models")
    monkeypatch.setitem(webui_faults._CRASHES, Fault.CRASH, crash)
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        discord.faults.answer("PUT", r"/reactions/", 403, code=50013)
        message = await draw(discord, prompt=f"a {MARK}", negative_prompt=f"no {MARK}")
        await result(await ada.press(message, "Reroll"))
        cat = Attachment(f"{MARK}.png", png(64, 64))
        await result(await ada.slash("remix", image=cat, prompt=f"a {MARK}", strength=0.4))
        doubted = await ada.slash("draw", prompt=f"a ((({MARK}")
        await (await insist(discord, doubted)).until(painted)
        assert await private(discord, await ada.slash("draw", prompt=f"a {MARK}", model=MARK))
        assert await private(discord, await ada.slash("style save", name="x", prompt=MARK))
        await (await ada.slash("privacy export")).until(lambda m: m.attachments)
        for fault in (Fault.CRASH, Fault.INVALID, Fault.HTML, Fault.CUT_AFTER, Fault.OUT_OF_MEMORY):
            server.fault, server.faults = fault, 1
            act = await ada.slash("draw", prompt=f"a {MARK} and {fault.name}")
            await act.until(lambda m: painted(m) or "Not painted" in m.text, 30)
        grid = await ada.slash("explore", prompt=f"a {MARK}", across="steps", across_values="4, 5")
        await grid.until(painted, 30)
        discord.faults.answer("PATCH", r"/messages/", 400, times=1)
        await ada.slash("draw", prompt=f"a {MARK}")
        await discord.until(lambda: any(map(painted, discord.world.ada.dms)), 30)
    stream, raw = log
    written = stream.getvalue()
    assert "no reaction" in written, "what is logged at this level is there"
    assert MARK not in written.casefold()
    assert [line for line in raw.seen if MARK in line.casefold()] == []
