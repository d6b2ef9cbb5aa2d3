"""The cap on what one order may cost, and what is offered instead."""

from bot.rehearsal import Discord
from bot.rehearsal.options import Value
from tests.whole.conftest import Start
from tests.whole.exploring import GRID
from tests.whole.play import ask, draw, painted, private, recipe, result, told

DEAR: dict[str, Value] = {"width": 512, "height": 512, "steps": 30, "count": 4}


async def test_over_the_cap_the_cost_is_told_and_a_button_paints_the_nearest_that_fits(
    discord: Discord, start: Start
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_MAX_COST="0.6"):
        act = await ada.slash("draw", prompt="a fox", seed=7, **DEAR)
        text = await private(discord, act)
        assert "would cost 1 standard pictures, and an order here may cost 0.6" in text
        assert "512×512 · 30 steps · 2 pictures" in text
        assert "Cost: 0.5 standard pictures" in text
        message = await result(await ada.press(act.message, "Paint that instead"))
        assert "seeds 7–8" in message.text
        assert "30 steps" in message.text
        again = await ada.press(act.message, "Paint that instead")
        assert "no longer remember" in again.text


async def test_a_server_lowers_the_hosts_cap_and_never_raises_it(discord: Discord, start: Start) -> None:
    admin = discord.world.admin
    async with start(EASEL_MAX_COST="2"):
        assert "`max_cost`  0.5  · this server" in await ask(discord, admin, "settings server", max_cost=0.5)
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", **DEAR)
        assert "may cost 0.5" in await private(discord, act)
    async with start(EASEL_MAX_COST="0.3"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", **DEAR)
        assert "may cost 0.3" in await private(discord, act)


async def test_a_plain_command_is_never_refused_for_its_defaults(discord: Discord, start: Start) -> None:
    more = {"EASEL_DEFAULT_WIDTH": "512", "EASEL_DEFAULT_HEIGHT": "512", "EASEL_DEFAULT_STEPS": "40"}
    async with start(EASEL_MAX_COST="0.25", **more):
        assert recipe(await draw(discord)).fields["Steps"] == "30"


async def test_a_reroll_by_button_and_by_reaction_is_held_to_the_cap(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        message = await draw(discord, width=512, height=512, steps=30)
        await discord.until(lambda: message.reactions)
        await ask(discord, discord.world.admin, "settings server", max_cost=0.2)
        act = await ada.press(message, "Reroll")
        assert "would cost 0.25" in await private(discord, act)
        assert "24 steps" in act.text
        again = await result(await ada.press(act.message, "Paint that instead"))
        assert recipe(again).fields["Steps"] == "24"
        await ada.react(message, "🔁")
        assert "may cost 0.2" in await told(discord, discord.world.ada, "would cost")


async def test_a_grid_counts_as_a_whole_and_its_first_part_is_offered(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_MAX_COST="0.4"):
        dear: dict[str, Value] = {
            "across": "steps",
            "across_values": "10, 20",
            "down": "cfg",
            "down_values": "4, 8",
        }
        act = await ada.slash("explore", **{**GRID, **dear}, more="size 512x512")
        text = await private(discord, act)
        assert "would cost 0.51 standard" in text
        assert "a grid of 2 × 1 pictures" in text
        shown = await ada.press(act.message, "Paint that instead")
        assert painted(await result(shown))


async def test_what_is_asked_before_it_waits_says_what_it_costs(discord: Discord, start: Start) -> None:
    async with start():
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a __nothing__ fox", **DEAR)
        assert "Is that meant so?" in await private(discord, act)
        assert "Cost: 1 standard pictures" in act.text
