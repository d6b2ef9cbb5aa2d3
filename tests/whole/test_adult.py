"""Adult pictures: asked for and shown only in age-restricted channels of servers that allow it; spoilers stay."""

from functools import partial

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.world import Channel
from tests.standins.webui import StandInWebUI
from tests.whole import play
from tests.whole.conftest import Start
from tests.whole.play import ask, done, eventually, painted, private, raw_command, result, told
from tests.whole.process import running
from tests.whole.test_work import known, webui

ELSEWHERE = "picture is for age-restricted channels"
HIDDEN = "for age-restricted channels"
REFUSED = "asks for an adult picture"
TXT2IMG = "/sdapi/v1/txt2img"


async def allow(discord: Discord, where: str = "restricted") -> None:
    """Let the admin say where adult pictures may be."""
    await ask(discord, discord.world.admin, "adult set", where=where)


async def draw(discord: Discord, place: Channel, prompt: str = "a fox", **values: str | int | bool) -> Message:
    """Let Ada draw in that channel and return the finished message."""
    message = await result(await discord.as_(discord.world.ada, place).slash("draw", prompt=prompt, **values))
    await discord.until(lambda: done(message) or message.ephemeral or message.channel.guild is None)
    return message


def shown_in(place: Channel) -> list[Message]:
    """Return the messages that show a picture there."""
    return [message for message in place.messages if painted(message)]


async def listed(act: Interaction) -> str:
    return (await act.until(lambda m: m.attachments)).text


async def test_an_adult_wish_is_refused_in_private_outside_the_places_for_it(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    ada, night = discord.as_(world.ada), discord.as_(world.ada, world.night_channel)
    direct = discord.as_(world.ada, world.direct_channel(world.ada))
    async with StandInWebUI() as gpu:
        gpu.scripts = ["ADetailer"]
        async with start(EASEL_BACKENDS=webui(gpu)):
            for person in (ada, night, direct):
                act = await person.slash("draw", prompt="a n4ked woman")
                assert f"“n4ked woman” {REFUSED}" in await private(discord, act)
                assert "/adult show" in act.text
            await allow(discord)
            hidden = "detail face_yolov8n.pt · detail_prompt hentai"
            for values in ({"prompt": "{an owl|hentai}"}, {"prompt": "an owl", "more": hidden}):
                assert REFUSED in await private(discord, await ada.slash("draw", **values))
            await ask(discord, world.admin, "words adult", words="fox fur")
            assert "fox fur” asks for an adult" in await ask(discord, world.admin, "words test", text="a fox fur")
            assert "“fox fur” asks" in await ask(discord, world.ada, "draw", prompt="a lady in fox fur")
            await ask(discord, world.admin, "words allow", words="hentai")
            assert not gpu.posts(TXT2IMG)
            await draw(discord, world.channel, "a page of hentai, Scunthorpe", negative_prompt="nsfw, nudity")
            await draw(discord, world.night_channel, "a naked woman")
            thread = world.add_thread(world.night_channel, "life drawing")
            await draw(discord, thread, "a naked man")
            for place in (night, direct):
                assert "not be painted anywhere" in await private(
                    discord, await place.slash("draw", prompt="loli")
                )
            act = await night.slash("draw", prompt="a naked woman, a child")
            assert "not be painted anywhere" in await private(discord, act)
            assert len(gpu.posts(TXT2IMG)) == 3
            assert "Manage Server" in await private(
                discord, await raw_command(discord, world.ada, "adult set", where="off")
            )


async def test_models_and_loras_marked_adult_are_offered_and_taken_only_there(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    ada, night = discord.as_(world.ada), discord.as_(world.ada, world.night_channel)

    async def offered(person: object, option: str) -> set[str]:
        assert hasattr(person, "autocomplete")
        return {choice["value"] for choice in await person.autocomplete("draw", option, "")}

    gpu = StandInWebUI()
    gpu.models, gpu.loras = ["spicymix", "dreamshaper_8"], ["add-detail", "undress"]
    gpu.scripts = ["ADetailer"]
    async with gpu, start(EASEL_BACKENDS=webui(gpu), EASEL_ADULT_MODELS="spicy*"):
        await known(discord)
        await allow(discord)
        assert "undress" in await ask(discord, world.admin, "adult mark", name="undress")
        assert "spicymix" not in await offered(ada, "model")
        assert "spicymix" in await offered(night, "model")
        assert await offered(ada, "lora") == {"add-detail"}
        assert await offered(night, "lora") == {"add-detail", "undress"}
        assert f"“spicymix” {REFUSED}" in await ask(discord, world.ada, "draw", prompt="a fox", model="spicymix")
        assert REFUSED in await ask(discord, world.ada, "draw", prompt="a fox", lora="undress")
        for tag in ("<lora:undress:1>", "<LyCO:undress:1>"):
            assert REFUSED in await ask(discord, world.ada, "draw", prompt=f"a fox {tag}")
            more = f"detail face_yolov8n.pt · detail_prompt {tag}"
            assert REFUSED in await ask(discord, world.ada, "draw", prompt="a fox", more=more)
        assert "spicymix" not in (await draw(discord, world.channel)).text, "an open choice falls on another"
        assert "spicymix" in (await draw(discord, world.night_channel, model="spicymix")).text
        assert "spicymix" not in await ask(discord, world.ada, "adult show")
        assert "undress" not in await ask(discord, world.admin, "adult unmark", name="Undress")
        assert "not marked" in await ask(discord, world.admin, "adult unmark", name="undress")
        await draw(discord, world.channel, lora="undress")


@pytest.mark.usefixtures("easel")
async def test_what_was_painted_there_is_shown_and_painted_on_nowhere_else(discord: Discord) -> None:
    world = discord.world
    ada, night = discord.as_(world.ada), discord.as_(world.ada, world.night_channel)
    await draw(discord, world.night_channel, "an owl before")
    await allow(discord)
    await draw(discord, world.night_channel, "a night owl", count=2)
    grid = world.night_channel.messages[-1]
    await draw(discord, world.channel, "a fox")
    direct = discord.as_(world.ada, world.direct_channel(world.ada))
    for person in (ada, direct):
        for act in (
            await person.slash("show", id=code(2)),
            await person.slash("draw", like=code(2)),
            await person.slash("remix", prompt="a fox", like=code(2)),
            await person.slash(
                "explore", prompt="a fox", across="steps", across_values="1, 2", more=f"like {code(2)}"
            ),
        ):
            assert ELSEWHERE in await private(discord, act)
    by_day = await listed(await ada.slash("history"))
    assert f"a night owl · ×2 · {HIDDEN}" in by_day
    assert "1 is hidden here: age-restricted channels" in by_day
    assert by_day.count(HIDDEN) == 1, "what was painted before was no adult picture"
    assert HIDDEN not in await listed(await night.slash("history"))
    sent = await night.choose(grid, "More", "Send to me")
    await discord.until(lambda: ELSEWHERE in sent.text)
    await night.react(grid, "✉️")
    assert ELSEWHERE in await told(discord, world.ada, ELSEWHERE)
    taken = await (await night.choose(grid, "Take one", "Send 2")).until(painted)
    again = await result(await night.press(grid, "Reroll"))
    world.set_restricted(world.night_channel, restricted=False)
    for act in (
        await night.press(again, "Reroll"),
        await night.press(again, "Edit"),
        await night.choose(grid, "Take one", "Send 1"),
        await night.choose(grid, "Take one", "Vary 1"),
        await night.menu("Describe", taken),
        await night.menu("Remix", taken),
    ):
        assert ELSEWHERE in await private(discord, act)
    before = len(world.ada.dms)
    await night.react(again, "🔁")
    await discord.until(lambda: len(world.ada.dms) > before)
    assert ELSEWHERE in world.ada.dms[-1].text
    await night.press(again, "Delete")
    await discord.until(lambda: again.deleted)
    assert not [message for message in world.ada.dms if painted(message)]


async def test_direct_messages_have_adult_pictures_where_the_host_says_so(discord: Discord, start: Start) -> None:
    world = discord.world
    direct = world.direct_channel(world.ada)
    async with start(EASEL_ADULT_DMS="on"):
        await allow(discord)
        await draw(discord, direct, "a naked woman")
        await draw(discord, direct, "a fox")
        ada, night = discord.as_(world.ada), discord.as_(world.ada, world.night_channel)
        await eventually(partial(ada.autocomplete, "show", "id", code(2)))
        assert ELSEWHERE in await private(discord, await ada.slash("show", id=code(1)))
        await (await ada.slash("show", id=code(2))).until(painted)
        await (await night.slash("show", id=code(1))).until(painted)
        owl = await draw(discord, world.night_channel, "a night owl")
        before = len(world.ada.dms)
        await night.choose(owl, "More", "Send to me")
        await discord.until(lambda: len(world.ada.dms) > before)
        assert painted(world.ada.dms[-1])


async def _kept_from(discord: Discord, number: int) -> bool:
    """Return whether Ada is told where there is no flag that a picture, delivered by now, is not for there."""
    return ELSEWHERE in await ask(discord, discord.world.ada, "show", id=code(number))


async def _taken_away(discord: Discord, place: Channel, night: Channel) -> Interaction:
    """Let the flag go as soon as an order is answered, and wait for its last word."""
    act = await discord.as_(discord.world.ada, place).slash("draw", prompt="a secret owl")
    discord.world.set_restricted(night, restricted=False)
    await act.until(lambda m: "Not shown here" in m.text, 20)
    return act


async def test_a_flag_taken_away_before_the_delivery_keeps_the_picture_back(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    night = world.night_channel
    thread = world.add_thread(night, "owls")
    async with start():
        await allow(discord)
        for number, place in enumerate((night, thread), start=1):
            world.set_restricted(night, restricted=True)
            act = await _taken_away(discord, place, night)
            assert "a secret owl" not in act.text
            assert "It is kept for you" in act.text
            await eventually(partial(_kept_from, discord, number))
        world.set_restricted(night, restricted=True)
        ada = discord.as_(world.ada, night)
        act = await ada.slash("explore", prompt="a secret owl", across="steps", across_values="1, 2")
        world.set_restricted(night, restricted=False)
        await act.until(lambda m: "Not shown here" in m.text, 20)
        assert not shown_in(night) + shown_in(thread) + world.ada.dms
        assert not any(message.reactions for message in night.messages)
        world.set_restricted(night, restricted=True)
        await (await discord.as_(world.ada, night).slash("show", id=code(1))).until(painted)
    async with start(EASEL_ADULT_DMS="on"):
        act = await _taken_away(discord, night, night)
        assert "sent to you by direct message" in act.text
        assert len([message for message in world.ada.dms if painted(message)]) == 1


async def test_killed_while_it_is_kept_back_nothing_is_doubled(discord: Discord, environ: dict[str, str]) -> None:
    world = discord.world
    environ["EASEL_ADULT_DMS"] = "on"
    async with running(discord, environ) as first:
        await allow(discord)
        act = await discord.as_(world.ada, world.night_channel).slash("draw", prompt="an owl")
        world.set_restricted(world.night_channel, restricted=False)
        fault = discord.faults.delay("PATCH", r"/webhooks/", 60, times=5)
        await discord.until(lambda: fault.done and world.ada.dms, 20)
        await first.kill()
    discord.faults.clear()
    async with running(discord, environ) as second:
        await act.until(lambda m: "Not shown here" in m.text, 30)
        await second.stop()
    assert len([message for message in world.ada.dms if painted(message)]) == 1
    assert not shown_in(world.night_channel)


async def test_no_detour_leads_into_direct_messages(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        await allow(discord)
        night = discord.as_(world.ada, world.night_channel)
        await night.slash("draw", prompt="a secret owl")
        discord.faults.answer("PATCH", r"/webhooks/", 403, code=50013, times=50)
        words = await told(discord, world.ada, "Not shown here")
        assert "a secret owl" not in words
        assert not [message for message in world.ada.dms if message.attachments]
        discord.faults.clear()
        await eventually(partial(_kept_from, discord, 1))
        await (await night.slash("show", id=code(1))).until(painted)


async def test_a_spoiler_stays_one_whatever_is_made_of_it(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=webui(gpu)):
        await known(discord)
        grid = await play.draw(discord, spoiler=True, count=2)
        await discord.until(lambda: done(grid))
        made = [
            grid,
            await (await ada.choose(grid, "Take one", "Send 1")).until(painted),
            await result(await ada.press(grid, "Reroll")),
            await result(await ada.choose(grid, "Take one", "Upscale 1")),
            await result(await ada.choose(grid, "Take one", "Vary 1")),
            await result(await ada.submit(await ada.press(grid, "Edit"), {"prompt": "an owl"})),
            await result(await ada.submit(await ada.choose(grid, "Take one", "Remix 1"), {"prompt": "an owl"})),
            await (await ada.slash("show", id=code(1))).until(painted),
            await result(await ada.slash("draw", prompt="an owl", like=code(1), spoiler=False)),
        ]
        single = made[1]
        made.append(await result(await ada.menu("Upscale", single)))
        explored = await ada.slash(
            "explore", prompt="a fox", across="steps", across_values="1, 2", more=f"like {code(1)}"
        )
        sheet = await result(explored)
        made.append(sheet)
        before = len(world.ada.dms)
        await ada.choose(grid, "More", "Send to me")
        await discord.until(lambda: len(world.ada.dms) > before)
        made.append(world.ada.dms[-1])
        for message in made:
            assert message.attachments, message.text
            assert all(file.filename.startswith("SPOILER_") for file in message.attachments), message.text
            assert not any("image" in embed for embed in message.embeds), message.text
