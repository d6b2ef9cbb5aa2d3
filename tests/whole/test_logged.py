"""Every line of the log says which job and which server it is about."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.ops.logging import configure
from bot.rehearsal import Discord
from tests.logs import logs_given_back
from tests.standins.webui import StandInWebUI
from tests.standins.webui_faults import Fault
from tests.whole.conftest import Start
from tests.whole.play import done, draw


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logs_given_back():
        configure("DEBUG", "json", stream=stream)
        yield stream


def line(log: io.StringIO, event: str) -> dict[str, Any]:
    """Return the first line of an event; there has to be one."""
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    return next(each for each in lines if each["event"] == event)


async def test_what_happens_while_a_job_is_painted_names_the_job_and_its_server(
    discord: Discord, start: Start, log: io.StringIO
) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.CUT_AFTER, 1
        await draw(discord)
    away = line(log, "backend away")
    assert (away["job"], away["guild"], away["level"]) == (1, discord.world.guild.id, "warning")


async def test_what_happens_while_a_job_is_delivered_names_the_job_and_its_server(
    discord: Discord, start: Start, log: io.StringIO
) -> None:
    async with start():
        await draw(discord)
        discord.faults.cut("PATCH", r"/webhooks/", times=1)
        await draw(discord)
    put_off = line(log, "message not taken")
    assert (put_off["job"], put_off["guild"]) == (2, discord.world.guild.id)
    assert "interaction" not in put_off


async def test_what_happens_while_an_interaction_is_answered_names_it_and_its_server(
    discord: Discord, start: Start, log: io.StringIO
) -> None:
    ada = discord.as_(discord.world.ada, waits=False)
    async with start():
        message = await (await ada.slash("draw", prompt="a fox")).until(done)
        discord.faults.answer("POST", r"/callback", 400, times=2)
        acts = [await ada.slash("draw", prompt="a fox", model="nowhere")]
        await discord.until(lambda: log.getvalue().count("error not shown") == 1)
        message.components[0]["components"][0]["custom_id"] = "nothing:1"
        acts.append(await ada.press(message, "Reroll"))
        await discord.until(lambda: log.getvalue().count("error not shown") == 2)
    lines = [each for each in map(json.loads, log.getvalue().splitlines()) if each["event"] == "error not shown"]
    assert [each["interaction"] for each in lines] == [act.id for act in acts]
    assert {each["guild"] for each in lines} == {discord.world.guild.id}
