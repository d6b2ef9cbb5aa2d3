"""``/quota``: what people, channels and servers have, by whatever way a picture is ordered."""

import re
from functools import partial

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment, Message, User
from tests.standins.webui import Fault, StandInWebUI
from tests.whole.conftest import Start, Time
from tests.whole.exploring import GRID
from tests.whole.pictures import png
from tests.whole.play import ask, draw, eventually, painted, private
from tests.whole.process import running

SLOW = "sketch=0.3"
USED = re.compile(r"Painted for you here: [1-9]\d* s today, \d+ s this month")
"""Four steps of it take more than a second."""
DAY_S = 86400
OVER = "You have 0 s of 2 s of painting left today"
NONE = "You have 0 s of 1 s of painting left today"


def _more(who: User, before: int) -> bool:
    return len(who.dms) > before


async def finished(discord: Discord) -> Message:
    """Draw more than a second's worth and wait until nothing more happens to it."""
    message = await draw(discord)
    await discord.until(lambda: message.reactions)
    return message


async def test_who_has_painted_enough_is_refused_in_words_until_the_next_day(
    discord: Discord, start: Start, clock: Time
) -> None:
    ada, admin = discord.world.ada, discord.world.admin
    # One picture is more than half of the quota and, however busy the machine is, not more than all of it.
    async with start(EASEL_BACKENDS="sketch=0.5"):
        assert "each person  4 s a day" in await ask(discord, admin, "quota set", period="day", seconds=4)
        await finished(discord)
        refusal = await ask(discord, ada, "draw", prompt="a fox")
        assert re.search(r"You have [01] s of 4 s of painting left today", refusal)
        assert "There is more from <t:" in refusal
        in_public = [message for message in discord.world.channel.messages if not message.ephemeral]
        assert len(in_public) == 1, "no placeholder was left"
        shown = await ask(discord, ada, "quota show")
        assert USED.search(shown)
        assert re.search(r"You, today: [0-2] s left of 4 s, \d+ s used, 0 s set aside", shown)
        assert "Set for this server" not in shown
        await draw(discord, discord.world.bruno)
        clock.ahead_s += DAY_S
        assert "You, today: 4 s left of 4 s" in await ask(discord, ada, "quota show")
        assert painted(await draw(discord))


async def test_every_way_to_a_picture_passes_by_the_quota(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with StandInWebUI(step_s=0.3) as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN_4x"))
        message = await finished(discord)
        await ask(discord, world.admin, "quota set", period="day", seconds=1)
        posts = len(gpu.posts("/sdapi/v1/txt2img"))
        picture = Attachment("a.png", png())
        ways: list[Interaction] = [
            await ada.slash("draw", prompt="a fox"),
            await ada.slash("remix", prompt="a fox", image=picture),
            await ada.slash("upscale", image=picture),
            await ada.slash("explore", **GRID),
            await ada.press(message, "Reroll"),
            await ada.choose(message, "More", "Vary"),
            await ada.choose(message, "More", "Upscale"),
            await ada.submit(await ada.press(message, "Edit"), {"prompt": "an owl"}),
            await ada.submit(await ada.press(message, "Remix"), {"prompt": "an owl"}),
            await ada.submit(await ada.menu("Remix", message), {"prompt": "an owl"}),
        ]
        for number, act in enumerate(ways):
            assert NONE in await private(discord, act), number
        for emoji in ("🔁", "⬆️"):
            before = len(world.ada.dms)
            await ada.react(message, emoji)
            await discord.until(partial(_more, world.ada, before))
            assert NONE in world.ada.dms[-1].text
        assert len(gpu.posts("/sdapi/v1/txt2img")) == posts


async def test_a_role_a_channel_and_the_server_have_quotas_of_their_own(discord: Discord, start: Start) -> None:
    world = discord.world
    admin = world.admin
    artists = world.add_role(world.guild, "Artists")
    world.guild.members[world.bruno.id].roles.append(artists.id)
    async with start(EASEL_BACKENDS=SLOW):
        await ask(discord, admin, "quota set", period="day", seconds=2)
        listed = await ask(discord, admin, "quota set", period="day", seconds=50, role=artists)
        assert f"each person with <@&{artists.id}>  50 s a day" in listed
        for who in (world.ada, world.bruno):
            await draw(discord, who)
        assert OVER in await ask(discord, world.ada, "draw", prompt="a fox")
        await draw(discord, world.bruno)
        await ask(discord, admin, "quota set", period="month", seconds=2, channel=world.channel)
        assert "This channel has 0 s of 2 s" in await ask(discord, world.bruno, "draw", prompt="a fox")
        await ask(discord, admin, "quota reset", channel=world.channel)
        await ask(discord, admin, "quota set", period="month", seconds=2, server=True)
        assert "This server has 0 s of 2 s of painting left this month" in await ask(
            discord, world.bruno, "draw", prompt="a fox"
        )
        shown = await ask(discord, admin, "quota show")
        assert "the whole server  2 s a month" in shown
        assert "This server, this month: 0 s left of 2 s" in shown


async def test_only_who_manages_the_server_sets_quotas_and_takes_them_back(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        assert "Manage Server" in await ask(discord, world.ada, "quota set", period="day", seconds=1)
        assert "Manage Server" in await ask(discord, world.moderator, "quota reset")
        assert "Nothing like that is set" in await ask(discord, world.admin, "quota reset")
        await ask(discord, world.admin, "quota set", period="day", seconds=5)
        await ask(discord, world.admin, "quota set", period="month", seconds=50)
        both: dict[str, Value] = {"channel": world.channel, "server": True}
        assert "one of these" in await ask(discord, world.admin, "quota set", period="day", seconds=1, **both)
        left = await ask(discord, world.admin, "quota reset", period="day")
        assert "a day" not in left
        assert "each person  50 s a month" in left
    async with start():
        assert "each person  50 s a month" in await ask(discord, world.admin, "quota show")
        assert "Nothing is set" in await ask(discord, world.admin, "quota reset")
        assert "There is no quota here" in await ask(discord, world.ada, "quota show")


async def test_the_hosts_quota_counts_everywhere_and_holds_in_direct_messages_too(
    discord: Discord, start: Start
) -> None:
    ada = discord.world.ada
    async with start(EASEL_BACKENDS=SLOW, EASEL_QUOTA_PERSON_DAY_S="2"):
        await finished(discord)
        home = discord.as_(ada, discord.world.direct_channel(ada))
        assert OVER in await private(discord, await home.slash("draw", prompt="a fox"))
        shown = await private(discord, await home.slash("quota show"))
        assert "Painted for you here: 0 s today" in shown
        assert re.search(r"You, today, everywhere: [01] s left of 2 s, [1-9]\d* s used", shown)


async def test_what_fails_or_is_cancelled_costs_nothing(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=30"):
        act = await ada.slash("draw", prompt="a fox")
        await act.until(lambda m: m.controls)
        assert "Painted for you here: 0 s today" in await ask(discord, discord.world.ada, "quota show")
        await ada.press(act.message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text)
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        gpu.fault = Fault.OUT_OF_MEMORY
        failed = await ada.slash("draw", prompt="a fox")
        await failed.until(lambda m: "Not painted" in m.text)
        shown = await ask(discord, discord.world.ada, "quota show")
        assert "Painted for you here: 0 s today, 0 s this month" in shown


@pytest.mark.timeout(120)
async def test_killed_between_painted_and_delivered_it_is_charged_once(
    discord: Discord, environ: dict[str, str]
) -> None:
    environ["EASEL_BACKENDS"] = SLOW
    ada = discord.as_(discord.world.ada)
    fault = discord.faults.delay("PATCH", r"/webhooks/", 60, times=50)
    async with running(discord, environ) as first:
        act = await ada.slash("draw", prompt="a fox")
        await discord.until(lambda: fault.done, 20)
        used = await eventually_used(discord)
        await first.kill()
    discord.faults.clear()
    async with running(discord, environ) as second:
        await act.until(painted, 30)
        await act.until(lambda m: m.reactions, 30)
        shown = await ask(discord, discord.world.ada, "quota show")
        await second.stop()
    assert used in shown


async def eventually_used(discord: Discord) -> str:
    """Wait until what was painted is charged, told or not, and return the words for it."""

    async def used() -> str:
        found = USED.search(await ask(discord, discord.world.ada, "quota show"))
        return found[0] if found else ""

    return await eventually(used)
