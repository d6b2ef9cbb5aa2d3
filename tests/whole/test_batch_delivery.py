"""Several pictures of one job: as a grid or each by itself, never over a limit, and none of them lost."""

import asyncio
import io

import pytest
from PIL import Image

from bot.delivery import parcels
from bot.rehearsal import Discord, Message
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, draw, eventually, painted, parameters, private, result

KIBIBYTE = 1024
SMALLER = "Sent smaller than painted"
SPREAD = "the other pictures are in replies"


def sizes(message: Message) -> list[tuple[int | None, int | None]]:
    return [(file.width, file.height) for file in message.attachments]


def bytes_of(message: Message) -> int:
    return sum(len(file.data) for file in message.attachments)


@pytest.mark.usefixtures("easel")
async def test_who_wants_single_pictures_gets_each_as_it_was_painted(discord: Discord) -> None:
    world = discord.world
    assert "`batch`  single  · you" in await ask(discord, world.ada, "preferences", batch="single")
    message = await draw(discord, count=3, seed=5)
    assert [file.filename.partition("-")[2] for file in message.attachments] == ["1-1.png", "1-2.png", "1-3.png"]
    assert sizes(message) == [(128, 128)] * 3
    assert [
        next(fact for fact in parameters(file.data).replace("\n", ", ").split(", ") if fact.startswith("Seed:"))
        for file in message.attachments
    ] == ["Seed: 5", "Seed: 6", "Seed: 7"]
    assert {file.description for file in message.attachments} == {"Prompt: a fox"}
    assert not message.hidden, "each is shown below the words, none is in the embed"
    assert message.embeds[0]["footer"]["text"].startswith("seeds 5–7")
    taken = await result(await discord.as_(world.ada).choose(message, "Take one", "Send 2"))
    assert taken.attachments[0].data == message.attachments[1].data
    alone = await draw(discord)
    assert alone.hidden, "a single picture stands in its embed as ever"
    grid = await draw(discord, world.bruno, count=3)
    assert len(grid.attachments) == 1


@pytest.mark.usefixtures("easel")
async def test_a_server_says_how_pictures_come_and_a_person_may_say_otherwise(discord: Discord) -> None:
    world = discord.world
    text = await ask(discord, world.admin, "settings server", batch="single")
    assert "`batch`  single  · this server" in text
    assert len((await draw(discord, count=2)).attachments) == 2
    await ask(discord, world.ada, "preferences", batch="grid")
    assert len((await draw(discord, count=2)).attachments) == 1
    assert len((await draw(discord, world.bruno, count=2, spoiler=True)).attachments) == 2


async def test_no_file_is_over_the_limit_of_the_place_and_no_message_over_that_of_a_request(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "MAX_REQUEST_BYTES", 250 * KIBIBYTE)
    world = discord.world
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.noise_bytes = 100 * KIBIBYTE
        await ask(discord, world.ada, "preferences", batch="single")
        first = await draw(discord, count=4)
        await discord.until(lambda: any(message.reference is first for message in world.channel.messages), 20)
        replies = [message for message in world.channel.messages if message.reference is first]
        spread = [first, *replies]
        assert [len(message.attachments) for message in spread] == [2, 2]
        assert all(bytes_of(message) <= 250 * KIBIBYTE for message in spread)
        assert SPREAD in first.text
        assert SMALLER not in first.text
        assert len({file.data for message in spread for file in message.attachments}) == 4
        assert all(file.description == "Prompt: a fox" for message in spread for file in message.attachments)
        world.guild.upload_limit = 20 * KIBIBYTE
        small = await draw(discord, count=4)
        assert len(small.attachments) == 4
        assert all(len(file.data) <= 20 * KIBIBYTE for file in small.attachments)
        assert SMALLER in small.text
        assert SPREAD not in small.text
        for file in small.attachments:
            with Image.open(io.BytesIO(file.data)) as image:
                assert image.getexif(), "the infotext goes along"


async def test_what_is_private_is_spread_over_private_messages(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch, clock: Time
) -> None:
    monkeypatch.setattr(parcels, "MAX_REQUEST_BYTES", 150 * KIBIBYTE)
    ada = discord.world.ada
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.noise_bytes = 100 * KIBIBYTE
        await ask(discord, ada, "preferences", batch="single")
        act = await discord.as_(ada).slash("draw", prompt="a fox", count=3, private=True)
        message = await act.until(painted, 20)
        await discord.until(lambda: len(act.followups) == 2, 20)
        made = [message, *act.followups]
        assert [len(each.attachments) for each in made] == [1, 1, 1]
        assert all(each.private_to == ada.id for each in made)
        server.step_s = 0.2
        late = await discord.as_(ada).slash("draw", prompt="a fox", count=3, steps=10, private=True)
        await late.until(lambda each: each.embeds, 20)
        clock.ahead_s = 20 * 60
        await discord.until(lambda: sum(len(each.attachments) for each in ada.dms) == 3, 20)


async def test_a_result_that_its_place_takes_in_no_size_ends_in_one_clear_word(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with start():
        whole = await draw(discord, count=2)
        world.guild.upload_limit = 10
        act = await ada.slash("draw", prompt="a fox")
        message = await act.until(lambda each: "takes no file" in each.text, 20)
        assert not message.attachments
        assert "Nobody waits here" in await ask(discord, world.ada, "queue show")
        await ada.choose(message, "More", "Send to me")
        await discord.until(lambda: any(map(painted, world.ada.dms)), 20)
        taken = await ada.choose(whole, "Take one", "Send 1")
        await discord.until(lambda: "takes no file" in taken.text, 20)
        assert "takes no file" in await private(discord, taken)
    uploads = sum(bool(request.files) for request in discord.requests)
    async with start():
        await asyncio.sleep(0.5)
    assert sum(bool(request.files) for request in discord.requests) == uploads, "it is not tried for ever"


async def test_a_result_of_which_not_even_the_words_are_taken_is_not_tried_for_ever(
    discord: Discord, start: Start
) -> None:
    refused = discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413, code=40005, times=100)
    async with start():
        await discord.as_(discord.world.ada).slash("draw", prompt="a fox")

        async def over() -> bool:
            return "Nobody waits here" in await ask(discord, discord.world.bruno, "queue show")

        await eventually(over)
        await discord.until(lambda: refused.done, 20)
    tries = refused.done
    async with start():
        await asyncio.sleep(0.5)
    assert refused.done == tries
