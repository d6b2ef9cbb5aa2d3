"""Bad days: the disk is full, the connection is gone, the moment is wrong. Nobody is left without a word."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import discord as dpy
import pytest
import yarl

from bot.refusals import StartError, TokenRefusedError
from bot.rehearsal import Attachment, Discord
from bot.rehearsal.stage import Exchange
from tests.standins.webui import Fault, StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Bot, Start, Time
from tests.whole.play import done, draw, nth, painted, private, result, told


@contextmanager
def refusing(environ: dict[str, str], what: str) -> Iterator[None]:
    """Let the database refuse ``what`` (``INSERT ON jobs`` …) as it would with a full disk."""
    file = Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3"
    with closing(sqlite3.connect(file, timeout=10)) as database:
        database.execute(f"CREATE TRIGGER full BEFORE {what} BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        database.commit()
        try:
            yield
        finally:
            database.execute("DROP TRIGGER full")
            database.commit()


async def test_what_was_painted_while_the_disk_was_full_arrives_once_there_is_room(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.1"):
        with refusing(environ, "UPDATE OF state ON jobs WHEN NEW.state = 'painted'"):
            act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=3)
            await asyncio.sleep(1.5)
            assert act.original is not None
            assert not painted(act.original)
        await result(act)


async def test_a_failure_that_could_not_be_written_down_is_told_once_there_is_room(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with StandInWebUI() as webui, start(EASEL_BACKENDS=f"webui={webui.url}"):
        webui.fault = Fault.OUT_OF_MEMORY
        with refusing(environ, "UPDATE OF state ON jobs WHEN NEW.state = 'failed'"):
            act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
            await asyncio.sleep(1.0)
        await act.until(lambda m: "Not painted" in m.text, 10)


async def test_an_order_the_database_refuses_is_answered_in_private(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with start():
        with refusing(environ, "INSERT ON jobs"):
            act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
            assert "on our side" in await private(discord, act)
        await draw(discord, prompt="an owl")


async def test_a_reaction_the_database_refuses_is_answered_by_direct_message(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with start():
        message = await draw(discord)
        with refusing(environ, "INSERT ON jobs"):
            await discord.as_(discord.world.ada).react(message, "🔁")
            assert "code" in await told(discord, discord.world.ada, "on our side")


async def test_tidying_up_that_fails_stops_nothing(
    discord: Discord, start: Start, environ: dict[str, str], clock: Time
) -> None:
    async with start():
        await draw(discord)
    clock.ahead_s = 20 * 60
    with refusing(environ, "UPDATE OF token ON jobs"):
        async with start():
            await asyncio.sleep(0.3)
            await draw(discord, prompt="an owl")


async def test_a_picture_that_moves_while_old_ones_are_deleted_stops_nothing(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    folder = Path(environ["EASEL_DATA_DIR"]) / "blobs" / "ab"
    folder.mkdir(parents=True)
    (folder / "new-file").symlink_to(folder / "renamed meanwhile")
    async with start():
        await asyncio.sleep(0.3)
        await draw(discord)


async def test_a_bot_that_stops_leaves_no_drawing_behind(discord: Discord, start: Start) -> None:
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9"):
        ada = discord.as_(discord.world.ada)
        for n in range(3):
            await ada.slash("draw", prompt=f"fox {n}")
    await asyncio.sleep(1.0)
    assert not trouble


async def test_discord_hanging_up_at_login_is_told_as_discord_being_away(discord: Discord, start: Start) -> None:
    discord.faults.cut("GET", "/users/@me", times=10)
    with pytest.raises(StartError, match="cannot be reached"):
        async with start():
            pass


async def test_a_gateway_that_is_away_at_first_is_waited_for(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect_to(url: str) -> None:
        monkeypatch.setattr(dpy.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(url))

    def away(exchange: Exchange) -> None:
        if exchange.method == "PUT":
            connect_to("ws://127.0.0.1:9/gateway")
            asyncio.get_running_loop().call_later(0.3, connect_to, discord.gateway_url)

    discord.on_request.append(away)
    async with start():
        await draw(discord)


async def test_a_token_that_is_reset_while_the_bot_runs_is_named(discord: Discord, start: Start) -> None:
    with pytest.RaisesGroup(TokenRefusedError, flatten_subgroups=True):
        async with start() as bot:
            await discord.faults.drop_gateway(4004)
            await _end(bot)


async def _end(bot: Bot) -> None:
    assert bot._life is not None
    await asyncio.wait([bot._life])


async def test_a_source_of_extreme_shape_gives_no_side_above_the_limit(discord: Discord, start: Start) -> None:
    async with start(EASEL_DEFAULT_WIDTH="512", EASEL_DEFAULT_HEIGHT="512"):
        act = await discord.as_(discord.world.ada).slash(
            "remix", image=Attachment("long.png", pictures.png(2000, 50)), prompt="a train"
        )
        [picture] = (await result(act)).attachments
    assert max(picture.width or 0, picture.height or 0) <= 2048


async def test_a_reaction_taken_away_unseen_can_be_put_again(discord: Discord, start: Start) -> None:
    async with start():
        message = await draw(discord)
        ada = discord.as_(discord.world.ada)
        await ada.react(message, "🔁")
        await nth(discord, 2, done)
        discord.stage.post.clear_reactions(message)
        await ada.react(message, "🔁")
        await nth(discord, 3, done)
        discord.faults.refuse_resumes = 1
        await discord.faults.drop_gateway()
        await ada.unreact(message, "🔁")
        await discord.until(lambda: not discord.gateway.online)
        await discord.online()
        await ada.react(message, "🔁")
        await nth(discord, 4, done)


async def test_a_refusal_discord_gives_no_known_reason_for_sends_the_picture_directly(
    discord: Discord, start: Start
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.1"):
        discord.faults.answer("PATCH", r"/webhooks/", 403, code=240000, times=50)
        await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=3)
        await discord.until(lambda: any(map(painted, discord.world.ada.dms)), 10)


async def test_a_database_that_is_unreadable_for_a_while_stops_nothing(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    file = Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3"
    async with start(EASEL_BACKENDS="sketch=1"):
        ada = discord.as_(discord.world.ada)
        acts = [await ada.slash("draw", prompt=f"fox {n}", steps=3) for n in range(2)]
        await acts[1].until(lambda m: "In line" in m.text)
        with closing(sqlite3.connect(file, timeout=10)) as database:
            database.execute("ALTER TABLE jobs RENAME TO jobs_away")
            await asyncio.sleep(2.5)
            database.execute("ALTER TABLE jobs_away RENAME TO jobs")
        for act in acts:
            await result(act)


async def test_an_order_in_the_making_when_the_bot_stops_is_answered_by_the_next_start(
    discord: Discord, start: Start
) -> None:
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    discord.faults.cut("POST", r"/callback", after=True)
    fault = discord.faults.delay("GET", r"/messages/@original", 60, times=5)
    async with start():
        act = await discord.as_(discord.world.ada, waits=False).slash("draw", prompt="a fox")
        await discord.until(lambda: fault.done, 20)
    discord.faults.clear()
    discord.faults.delay("PATCH", r"/messages/@original", 3)
    async with start():
        await draw(discord, prompt="an owl")
        assert "Not queued" not in act.text, "nobody waits for the apologies"
        await act.until(lambda m: "Not queued" in m.text)
    assert not trouble


async def test_an_original_that_was_taken_can_be_remixed_by_its_own_menu(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        grid = await draw(discord, count=2, seed=7)
        taken = await result(await ada.choose(grid, "Take one", "Send 2"))
        form = await ada.menu("Remix", taken)
        assert form.modal is not None
        assert form.modal["custom_id"].endswith(":2")
        await result(await ada.submit(form, {"prompt": "an owl"}))
